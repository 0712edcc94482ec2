from __future__ import annotations

import onnxruntime as ort

from qdispatch_export.machine import git_revision, this_machine


def test_the_machine_is_named() -> None:
    machine = this_machine()
    assert machine.processor
    assert machine.logical_cores >= 1
    assert machine.onnxruntime == ort.__version__
    assert machine.int8_instructions


def test_the_revision_is_a_commit_or_said_to_be_unknown() -> None:
    revision = git_revision()
    commit = revision.removesuffix("+changes")
    assert revision == "unknown" or (len(commit) == 40 and set(commit) <= set("0123456789abcdef"))
