"""Where a measurement was made."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
_PACKAGES = ("numpy", "numba", "onnxruntime", "torch", "scipy", "pyvrp")


def machine() -> dict[str, str | int]:
    """Processor, logical cores and Python."""
    text = _CPUINFO.read_text(encoding="utf-8") if _CPUINFO.exists() else ""
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "logical_cores": os.cpu_count() or 1,
        "python": platform.python_version(),
    }


def package_versions() -> dict[str, str]:
    """Versions of the packages that results and times depend on; a package that is not there is left out."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
