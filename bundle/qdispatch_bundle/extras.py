"""A console script whose extra is not installed says which one, and exits 2.

Reads what the extra lists from the metadata of the installed distribution, so that it is written down once, in
pyproject.toml. Imports nothing outside the standard library.
"""

from __future__ import annotations

import re
import sys
from importlib import metadata

DISTRIBUTION = "qdispatch"
CLIENT = "qdispatch-client"  # on no index, therefore in no extra: installed from its path
EXIT_MISSING_EXTRA = 2

_REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)[^;]*;.*\bextra\s*==\s*['\"](?P<extra>[^'\"]+)['\"]")


def requirements_of(extra: str) -> list[str]:
    """Names of the distributions that `extra` lists, in order. Raises PackageNotFoundError outside an installation."""
    found = (_REQUIREMENT.match(line) for line in metadata.requires(DISTRIBUTION) or [])
    return [match["name"] for match in found if match is not None and match["extra"] == extra]


def missing(names: list[str]) -> list[str]:
    """Those of `names` that are not installed here."""
    absent = []
    for name in names:
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            absent.append(name)
    return absent


def require_extra(script: str, extra: str, *, with_client: bool) -> None:
    """Return when everything `script` needs is installed; else name the extra on stderr and exit 2."""
    absent = missing([*requirements_of(extra), *([CLIENT] if with_client else [])])
    if not absent:
        return
    paths = f"./clients/python '.[{extra}]'" if with_client else f"'.[{extra}]'"
    sys.stderr.write(
        f"{script} needs the extra [{extra}] (not installed: {', '.join(absent)}).\n"
        f"In the source tree run: pip install {paths}\n"
    )
    raise SystemExit(EXIT_MISSING_EXTRA)
