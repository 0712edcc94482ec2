from __future__ import annotations

import onnxruntime as ort

from qdispatch_export.machine import this_machine


def test_the_machine_is_named() -> None:
    machine = this_machine()
    assert machine.processor
    assert machine.logical_cores >= 1
    assert machine.onnxruntime == ort.__version__
    assert machine.int8_instructions
