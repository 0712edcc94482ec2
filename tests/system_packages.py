"""System programs that some tests need: present, skipped with a hint, or required.

`require_system("prometheus")` lets the test run when the program is there. Without it the test is skipped with the
command that installs it; where QDISPATCH_REQUIRE_SYSTEM=1 (the CI), the test fails instead: nothing is skipped there.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

# program -> (Debian package, places outside PATH where the package puts it)
PROGRAMS: dict[str, tuple[str, tuple[str, ...]]] = {
    "alertmanager": ("prometheus-alertmanager", ("/usr/bin/prometheus-alertmanager",)),
    "buildah": ("buildah", ()),
    "chromium": ("chromium", ()),
    "h2load": ("nghttp2-client", ()),
    "nginx": ("nginx", ("/usr/sbin/nginx",)),
    "node": ("nodejs", ()),
    "npm": ("npm", ()),
    "postgres": ("postgresql", ("/usr/lib/postgresql/*/bin/postgres",)),
    "initdb": ("postgresql", ("/usr/lib/postgresql/*/bin/initdb",)),
    "pg_ctl": ("postgresql", ("/usr/lib/postgresql/*/bin/pg_ctl",)),
    "prometheus": ("prometheus", ()),
    "promtool": ("prometheus", ()),
}


def find_system(program: str) -> Path | None:
    """Path of the executable, or None when it is not installed. KeyError for a program not in PROGRAMS."""
    _, places = PROGRAMS[program]
    found = shutil.which(program)
    if found is not None:
        return Path(found)
    for pattern in places:
        anchor = Path(pattern).anchor
        for path in sorted(Path(anchor).glob(str(Path(pattern).relative_to(anchor))), reverse=True):
            if os.access(path, os.X_OK):
                return path
    return None


def require_system(*programs: str) -> list[Path]:
    """Paths of the executables, in order; skips the test (or fails it, see above) when one is absent."""
    found = {program: find_system(program) for program in programs}
    missing = sorted({PROGRAMS[program][0] for program, path in found.items() if path is None})
    if missing:
        line = (
            f"needs {', '.join(missing)}: scripts/install-system-packages.sh (or apt-get install {' '.join(missing)})"
        )
        if os.environ.get("QDISPATCH_REQUIRE_SYSTEM") == "1":
            pytest.fail(line, pytrace=False)
        pytest.skip(line)
    return [path for path in found.values() if path is not None]
