"""From which revision of the source a training or an export runs."""

from __future__ import annotations

import subprocess
from pathlib import Path

UNKNOWN = "unknown"


def git_revision(folder: Path | None = None) -> str:
    """Commit of the tree that holds `folder` (default: this code), UNKNOWN outside one or without git.

    Ends in "+changes" when tracked files differ from that commit.
    """
    where = Path(__file__).resolve().parent if folder is None else folder
    try:
        head = _git(where, "rev-parse", "HEAD")
        changes = _git(where, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return UNKNOWN
    return head + ("+changes" if changes else "")


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()
