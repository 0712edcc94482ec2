"""Where an export runs and from which revision of the source: facts for the manifest."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

import onnxruntime as ort

from qdispatch_bundle.measurements import Machine

_INT8_INSTRUCTIONS = ("amx_int8", "avx512_vnni", "avx_vnni", "asimddp", "avx2")  # the best that is there is named
_CPUINFO = Path("/proc/cpuinfo")


def this_machine() -> Machine:
    """Processor, cores, INT8 instructions and ONNX Runtime of this machine."""
    text = _CPUINFO.read_text() if _CPUINFO.exists() else ""
    return Machine(
        processor=_line(text, "model name") or platform.processor() or platform.machine(),
        logical_cores=os.cpu_count() or 1,
        int8_instructions=_int8_instructions(text),
        onnxruntime=ort.__version__,
    )


def _line(text: str, name: str) -> str:
    found = (line.partition(":")[2].strip() for line in text.splitlines() if line.startswith(name))
    return next(found, "")


def _int8_instructions(text: str) -> str:
    flags = set((_line(text, "flags") or _line(text, "Features")).split())
    return next((name for name in _INT8_INSTRUCTIONS if name in flags), "unknown")


def git_revision() -> str:
    """Commit of the source tree this runs from, with "+changes" when files differ from it; "unknown" outside one."""
    folder = Path(__file__).resolve().parent
    try:
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, check=True)
        status = subprocess.run(
            ["git", "status", "--porcelain", "--untracked-files=no"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head.stdout.strip() + ("+changes" if status.stdout.strip() else "")
