"""Where an export runs: facts for the manifest."""

from __future__ import annotations

import os
import platform
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
