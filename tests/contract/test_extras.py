"""An extra brings all that its program imports: read from the source, lazy imports included.

The development environment holds every extra, so a library missing from one of them shows only at a customer's.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("domain", "bundle", "server", "trainer", "export", "clients/python")
SOURCES = {
    ".".join(path.relative_to(ROOT / folder).with_suffix("").parts).removesuffix(".__init__"): path
    for folder in FOLDERS
    for path in (ROOT / folder).glob("qdispatch_*/**/*.py")
}
# Two distributions share the namespace `google`; all other names belong to one.
SHARED = {"google.protobuf": "protobuf", "google.rpc": "googleapis-common-protos"}
# Used where it is installed, and brought by an extra of its own: the program runs without it.
COMMON = {"pyvrp": "pyvrp", "ray": "cluster"}
OPTIONAL = {"server": {"numba": "search"}, "trainer": COMMON, "export": COMMON}
# Exists for type checkers alone.
TYPES_ONLY = {"_typeshed"}


def imports_of(path: Path) -> set[str]:
    """All that a file imports, in functions too; relative imports are not allowed in this repository."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def reached(package: str) -> set[str]:
    """Everything imported by the modules of a package and by our modules that they reach."""
    waiting = [name for name in SOURCES if name.split(".")[0] == package]
    seen, outside = set(waiting), set()
    while waiting:
        for name in imports_of(SOURCES[waiting.pop()]):
            parents = {name.rsplit(".", depth)[0] for depth in range(name.count(".") + 1)}
            outside |= {name} if not name.startswith("qdispatch_") else set()
            fresh = {module for module in parents if module in SOURCES} - seen
            seen |= fresh
            waiting += fresh
    return outside


def distributions(names: set[str]) -> set[str]:
    """The distributions, as pyproject.toml names them, that bring these modules."""
    owners = metadata.packages_distributions()
    found = set()
    for name in names:
        shared = next((owner for prefix, owner in SHARED.items() if f"{name}.".startswith(f"{prefix}.")), None)
        top = name.split(".")[0]
        if shared is not None:
            found.add(shared)
        elif top not in sys.stdlib_module_names | TYPES_ONLY | {"google"}:
            (owner,) = set(owners[top])
            found.add(owner.lower().replace("_", "-"))
    return found


def listed(extra: str) -> set[str]:
    """What an extra and the base dependencies list."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"][extra]]
    return {re.split(r"[\[<>=;~ ]", line)[0].lower().replace("_", "-") for line in lines}


@pytest.mark.parametrize("extra", ["server", "trainer", "export"])
def test_an_extra_brings_what_its_program_imports(extra: str) -> None:
    needed = distributions(reached(f"qdispatch_{extra}"))
    assert "numpy" in needed
    assert len(needed) > 4
    optional = OPTIONAL[extra]
    assert needed - listed(extra) - set(optional) == set()
    for distribution, own_extra in optional.items():
        assert distribution in listed(own_extra)
