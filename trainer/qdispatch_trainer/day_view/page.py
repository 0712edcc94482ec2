"""The page of a day, of one policy or of two side by side."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

from qdispatch_trainer.day_view.figures import clock, day_map, label, timeline
from qdispatch_trainer.day_view.story import DriverStory, Story
from qdispatch_trainer.offline_page import offline_page, plain

FIGURES = (
    ("cost", "cost, min", 0),
    ("served_percent", "served %", 1),
    ("late_outbound_percent", "late outbound %", 1),
    ("late_return_percent", "late return %", 1),
    ("deadhead_km", "empty km", 0),
    ("gap_trips", "gap, trips", 1),
    ("emergency_trips", "EMERGENCY trips", 0),
)
MARGIN_MIN = 15.0


def page(stories: Sequence[Story], title: str, frozen: str) -> str:
    """The page of one story, or of two side by side. `frozen`: digests of what was played, for the footer."""
    begins, ends = span(stories)
    figures = {
        f"{place}-{number}": plain(figure)
        for number, story in enumerate(stories)
        for place, figure in (("timeline", timeline(story, begins, ends)), ("map", day_map(story)))
    }
    data = {
        "begins": begins,
        "ends": ends,
        "figures": figures,
        "moves": [[moves(driver) for driver in story.drivers] for story in stories],
    }
    columns = "\n".join(_column(number, story) for number, story in enumerate(stories))
    parts = {
        "FROZEN": html.escape(frozen),
        "BEGINS": f"{begins:g}",
        "ENDS": f"{ends:g}",
        "CLOCK": clock(begins),
        "COLUMNS": columns,
    }
    return offline_page("qdispatch_trainer.day_view", title, parts, data)


def span(stories: Sequence[Story]) -> tuple[float, float]:
    """From before the first to after the last thing that happens, service-day minutes, in quarters of an hour."""
    drivers = [driver for story in stories for driver in story.drivers]
    starts = [one.start for driver in drivers for one in driver.stretches]
    ends = [one.end for driver in drivers for one in driver.stretches]
    if not starts:
        shifts = [driver.shift for driver in drivers if driver.shift is not None]
        starts, ends = [start for start, _ in shifts] or [0.0], [end for _, end in shifts] or [1440.0]
    first, last = min(starts) - MARGIN_MIN, max(ends) + MARGIN_MIN
    return 15.0 * (first // 15.0), 15.0 * (last // 15.0 + 1.0)


def moves(driver: DriverStory) -> dict[str, Any]:
    """What the slider needs: where the driver begins, then [from minute, until minute, x0, y0, x1, y1, what]."""
    legs: list[list[Any]] = []
    for one in driver.stretches:
        what = one.kind.value if one.booking is None else f"{one.kind.value}, {one.booking}"
        start = one.start if one.moves_from is None else one.moves_from
        end = one.end if one.moves_until is None else one.moves_until
        legs.append([start, end, *one.origin, *one.target, what])
    return {"label": label(driver), "begins": driver.begins or (0.0, 0.0), "legs": legs}


def _column(number: int, story: Story) -> str:
    name = html.escape(story.policy)
    places = (
        f'<div id="timeline-{number}"></div>\n<div id="map-{number}"></div>\n<ul class="now" id="now-{number}"></ul>'
    )
    return f'<section class="policy" aria-label="{name}">\n<h2>{name}</h2>\n{_kpis(story)}\n{places}\n</section>'


def _kpis(story: Story) -> str:
    cells = "".join(
        f"<div><dt>{html.escape(title)}</dt><dd>{_number(getattr(story.kpi, name), digits)}</dd></div>"
        for name, title, digits in FIGURES
    )
    return f"<dl>{cells}</dl>"


def _number(value: float, digits: int) -> str:
    return "–" if value != value else f"{value:,.{digits}f}"
