from __future__ import annotations

import subprocess
from pathlib import Path

from qdispatch_trainer.source_revision import UNKNOWN, git_revision


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_commit_is_named_and_changes_are_said(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "file").write_text("one")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-q", "-m", "first")
    commit = git(tmp_path, "rev-parse", "HEAD")
    assert git_revision(tmp_path) == commit
    (tmp_path / "untracked").write_text("does not count")
    assert git_revision(tmp_path) == commit
    (tmp_path / "file").write_text("two")
    assert git_revision(tmp_path) == f"{commit}+changes"


def test_outside_a_repository_it_is_unknown(tmp_path: Path) -> None:
    assert git_revision(tmp_path) == UNKNOWN
    assert git_revision(tmp_path / "absent") == UNKNOWN
