"""A story as two Plotly figures: a timeline with a row per driver, and a map of the moves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import plotly.graph_objects as go

from qdispatch_trainer.day_view.story import DriverStory, Kind, Story, Stretch

ROW_PX, FRAME_PX = 26, 110
UNSERVED_ROW = "not served"
VERY_LATE_MIN = 15.0  # beyond the tolerance
ON_TIME_COLORS = {Kind.OUTBOUND: "#2b6cb0", Kind.RETURN: "#2f855a"}
COLORS = {Kind.EMPTY: "#a0aec0", Kind.WAITING: "#faf089", Kind.HOME: "#cbd5e0"}
LATE_COLOR, VERY_LATE_COLOR, BREAK_COLOR, SHIFT_COLOR = "#ed8936", "#c53030", "#4a5568", "#edf2f7"


def clock(minutes: float) -> str:
    """Service-day minutes as hours and minutes."""
    whole = round(minutes)
    return f"{whole // 60:02d}:{whole % 60:02d}"


def timeline(story: Story, begins: float, ends: float) -> go.Figure:
    """Trips, empty drives, waiting, breaks and lateness; the last trace is the moment that the slider shows."""
    rows = [label(driver) for driver in story.drivers]
    figure = go.Figure()
    shifts = [_plain(one, "shift", *one.shift) for one in story.drivers if one.shift is not None]
    _bars(figure, "shift", SHIFT_COLOR, shifts)
    _bars(figure, "break", BREAK_COLOR, [_plain(one, "break", *pause) for one in story.drivers for pause in one.breaks])
    for kind, color in {**COLORS, **ON_TIME_COLORS}.items():
        _bars(figure, kind.value, color, _of(story, partial(_is_on_time, kind)))
    late = f"late, up to {VERY_LATE_MIN:g} min over the tolerance"
    _bars(figure, late, LATE_COLOR, _of(story, lambda one: 0.0 < one.too_late <= VERY_LATE_MIN))
    _bars(figure, "later", VERY_LATE_COLOR, _of(story, lambda one: one.too_late > VERY_LATE_MIN))
    if story.unserved:
        rows.append(UNSERVED_ROW)
        figure.add_scatter(
            x=[one.scheduled for one in story.unserved],
            y=[UNSERVED_ROW] * len(story.unserved),
            mode="markers",
            marker={"symbol": "x", "size": 11, "color": VERY_LATE_COLOR},
            name="not served",
            hovertext=[
                f"{one.booking}: wanted {'at no time' if one.scheduled is None else clock(one.scheduled)}"
                for one in story.unserved
            ],
            hoverinfo="text",
        )
    figure.add_scatter(
        x=[begins, begins],
        y=[rows[0], rows[-1]],
        mode="lines",
        name="shown on the map",
        line={"color": "#000", "width": 1},
    )
    ticks = [60.0 * hour for hour in range(int(begins // 60), int(ends // 60) + 2)]
    figure.update_layout(
        barmode="overlay",
        bargap=0.25,
        height=FRAME_PX + ROW_PX * len(rows),
        margin={"l": 70, "r": 10, "t": 10, "b": 30},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "font": {"size": 10}},
        xaxis={"range": [begins, ends], "tickvals": ticks, "ticktext": [clock(tick) for tick in ticks]},
        yaxis={"categoryorder": "array", "categoryarray": rows, "autorange": "reversed", "fixedrange": True},
        plot_bgcolor="white",
    )
    return figure


def day_map(story: Story) -> go.Figure:
    """Where everything is; the last trace holds the drivers and is moved by the slider."""
    figure = go.Figure()
    for kind, color in ON_TIME_COLORS.items():
        trips = [one for driver in story.drivers for one in driver.stretches if one.kind is kind]
        east, north = _lines(trips)
        thin = {"color": color, "width": 1}
        figure.add_scatter(x=east, y=north, mode="lines", name=kind.value, line=thin, opacity=0.5)
    empty = [one for driver in story.drivers for one in driver.stretches if one.kind in (Kind.EMPTY, Kind.HOME)]
    east, north = _lines(empty)
    dotted = {"color": COLORS[Kind.EMPTY], "width": 1, "dash": "dot"}
    figure.add_scatter(x=east, y=north, mode="lines", name="empty", line=dotted, opacity=0.7, hoverinfo="skip")
    places = [one.pickup for one in story.unserved if one.pickup is not None]
    if places:
        figure.add_scatter(
            x=[place[0] for place in places],
            y=[place[1] for place in places],
            mode="markers",
            marker={"symbol": "x", "size": 11, "color": VERY_LATE_COLOR},
            name="not served",
        )
    starts = [driver.begins or (0.0, 0.0) for driver in story.drivers]
    figure.add_scatter(
        x=[place[0] for place in starts],
        y=[place[1] for place in starts],
        mode="markers+text",
        text=[label(driver) for driver in story.drivers],
        textposition="top center",
        textfont={"size": 10},
        marker={"size": 11, "color": "#1a202c", "line": {"width": 2, "color": "white"}},
        name="drivers",
    )
    figure.update_layout(
        height=480,
        margin={"l": 40, "r": 10, "t": 10, "b": 40},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "font": {"size": 10}},
        xaxis={"title": "km east", "zeroline": False},
        yaxis={"title": "km north", "zeroline": False, "scaleanchor": "x"},
        plot_bgcolor="#f7fafc",
    )
    return figure


def label(driver: DriverStory) -> str:
    """What a driver's row is called."""
    return f"{driver.id} (E)" if driver.emergency else driver.id


Bar = tuple[str, float, float, str, str]  # row, start, end, text in it, text on hovering


def _bars(figure: go.Figure, name: str, color: str, bars: Iterable[Bar]) -> None:
    given = list(bars)
    figure.add_bar(
        orientation="h",
        y=[row for row, *_ in given],
        base=[start for _, start, *_ in given],
        x=[end - start for _, start, end, *_ in given],
        text=[text for *_, text, _ in given],
        textposition="inside",
        insidetextanchor="start",
        textfont={"size": 9, "color": "white"},
        hovertext=[text for *_, text in given],
        hoverinfo="text",
        name=name,
        marker={"color": color},
        showlegend=bool(given) and name != "shift",
    )


def _is_on_time(kind: Kind, one: Stretch) -> bool:
    return one.kind is kind and not one.too_late


def _plain(driver: DriverStory, what: str, start: float, end: float) -> Bar:
    return label(driver), start, end, "", f"{what} {clock(start)}–{clock(end)}"


def _of(story: Story, wanted: Callable[[Stretch], bool]) -> list[Bar]:
    return [
        (label(driver), one.start, one.end, f"+{one.too_late:.0f}" if one.too_late >= 1.0 else "", _hover(one))
        for driver in story.drivers
        for one in driver.stretches
        if wanted(one)
    ]


def _hover(one: Stretch) -> str:
    text = f"{one.kind.value} {clock(one.start)}–{clock(one.end)}"
    if one.booking is not None:
        text = f"{one.booking}: {text}"
    if one.scheduled is not None:
        late = f", {one.late:.0f} min late" if one.late >= 0.5 else ", on time"
        text += f"<br>wanted {clock(one.scheduled)}{late} (tolerance {one.tolerance:g} min)"
    return text


def _lines(stretches: Iterable[Stretch]) -> tuple[list[float | None], list[float | None]]:
    east: list[float | None] = []
    north: list[float | None] = []
    for one in stretches:
        east += [one.origin[0], one.target[0], None]
        north += [one.origin[1], one.target[1], None]
    return east, north
