"""Training settings as a JSON file holds them: for `train --config`, and for comparing what they lead to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read_settings(path: Path) -> dict[str, Any]:
    """The settings, without how a tuned.json says they were found. Raises ValueError for what cannot be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"Cannot read the settings in {path}: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"Expected a JSON object of settings in {path}.")
    return {name: value for name, value in content.items() if name != "tuning"}
