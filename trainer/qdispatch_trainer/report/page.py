"""The sections as one page."""

from __future__ import annotations

import html
from collections.abc import Sequence

from qdispatch_trainer.offline_page import offline_page, plain
from qdispatch_trainer.report.sections import Section


def page(title: str, sections: Sequence[Section]) -> str:
    """The page."""
    figures = {
        f"figure-{number}-{place}": plain(figure)
        for number, section in enumerate(sections)
        for place, figure in enumerate(section.figures)
    }
    parts = {"SECTIONS": "\n".join(_section(number, section) for number, section in enumerate(sections))}
    return offline_page("qdispatch_trainer.report", title, parts, figures)


def _section(number: int, section: Section) -> str:
    words = "".join(f"<p>{html.escape(text)}</p>" for text in section.text)
    table = ""
    if section.table:
        head, *rows = section.table
        top = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
        body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
        table = f"<table><tr>{top}</tr>{body}</table>"
    places = "".join(f'<div id="figure-{number}-{place}"></div>' for place in range(len(section.figures)))
    drawn = f'<div class="figures">{places}</div>' if places else ""
    return f'<section id="section-{number}"><h2>{html.escape(section.title)}</h2>{words}{table}{drawn}</section>'
