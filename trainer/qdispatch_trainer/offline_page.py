"""HTML pages with everything inside: no network, no other file. Plotly's own script stands in the page."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs


def plain(figure: go.Figure) -> Any:
    """A figure as plain values, as the page's script takes it."""
    return json.loads(figure.to_json())


def offline_page(package: str, title: str, parts: Mapping[str, str], data: Any) -> str:
    """`page.html` of a package with {{TITLE}}, {{PLOTLY}}, {{DATA}} (JSON) and the named `parts` (HTML) filled in."""
    text = (files(package) / "page.html").read_text(encoding="utf-8")
    inside = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")
    for name, filled in {**parts, "TITLE": html.escape(title), "DATA": inside, "PLOTLY": get_plotlyjs()}.items():
        text = text.replace(f"{{{{{name}}}}}", filled)
    return text
