"""The key figures that a comparison is about: what they are called, in which unit, and which way is better."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """A KPI of a day as a person reads it. `more`, `less`: what a policy with a higher or lower value does."""

    name: str  # of `DayKpi`
    title: str
    unit: str
    digits: int
    higher_is_better: bool
    more: str
    less: str


KEY_FIGURES = (
    KeyFigure("cost", "cost a day", "min", 0, False, "costs {} min more a day", "costs {} min less a day"),
    KeyFigure("served_percent", "served", "%", 2, True, "serves {} points more", "serves {} points less"),
    KeyFigure(
        "late_outbound_percent",
        "late outbound",
        "%",
        2,
        False,
        "is late for {} points more outbound trips",
        "is late for {} points fewer outbound trips",
    ),
    KeyFigure(
        "late_return_percent",
        "late return",
        "%",
        2,
        False,
        "is late for {} points more returns",
        "is late for {} points fewer returns",
    ),
    KeyFigure(
        "mean_lateness_min", "lateness a trip", "min", 2, False, "is {} min a trip later", "is {} min a trip less late"
    ),
    KeyFigure("deadhead_km", "empty kilometers", "km", 1, False, "drives {} km more empty", "drives {} km less empty"),
    KeyFigure("gap_trips", "gap", "trips", 2, False, "leaves a gap {} trips wider", "leaves a gap {} trips narrower"),
    KeyFigure(
        "emergency_trips",
        "EMERGENCY trips",
        "trips",
        2,
        False,
        "takes {} EMERGENCY trips more",
        "takes {} EMERGENCY trips fewer",
    ),
)
