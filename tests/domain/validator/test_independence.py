"""The validator shares rows, reasons and constants with the kernel, and no code."""

from __future__ import annotations

import ast
from pathlib import Path

import qdispatch_domain.validator as validator

ROWS_AND_CONSTANTS = {"snapshot", "decision", "reasons", "weights", "day_record"}
STANDARD = {"__future__", "collections", "collections.abc", "copy", "dataclasses", "enum", "itertools", "math"}


def _imports(source: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found.add(node.module)
    return found


def test_it_imports_nothing_but_rows_and_constants() -> None:
    allowed = STANDARD | {f"qdispatch_domain.{name}" for name in ROWS_AND_CONSTANTS}
    files = sorted(Path(validator.__file__).parent.glob("*.py"))
    assert len(files) > 5
    for file in files:
        foreign = {
            name
            for name in _imports(file.read_text(encoding="utf-8"))
            if name not in allowed and not name.startswith("qdispatch_domain.validator")
        }
        assert not foreign, f"{file.name} imports {sorted(foreign)}"


def test_an_import_of_the_kernel_would_be_seen() -> None:
    assert _imports("from qdispatch_domain.insertion import insertions\nimport numpy as np") == {
        "qdispatch_domain.insertion",
        "numpy",
    }
