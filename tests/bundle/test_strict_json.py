from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import pytest

from qdispatch_bundle import strict_json
from qdispatch_bundle.strict_json import JsonMismatch, JsonObject


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Inner:
    count: int

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ValueError("Expected count >= 0.")


@dataclass(frozen=True)
class Outer:
    name: str
    ratio: float
    exact: bool
    colour: Colour
    rows: tuple[Inner, ...]
    by_name: Mapping[str, float]
    free: JsonObject
    maybe: Inner | None = None


GOOD: dict[str, object] = {
    "name": "a",
    "ratio": 1,
    "exact": True,
    "colour": "red",
    "rows": [{"count": 1}, {"count": 2}],
    "by_name": {"x": 0.1},
    "free": {"any": [1, None, {"deep": "x"}]},
    "maybe": None,
}


def test_reads_what_it_wrote() -> None:
    outer = strict_json.read(Outer, GOOD)
    assert outer.rows == (Inner(1), Inner(2))
    assert outer.colour is Colour.RED
    assert isinstance(outer.ratio, float)
    assert strict_json.read(Outer, strict_json.dump(outer)) == outer


def test_a_field_with_a_default_may_be_absent() -> None:
    assert strict_json.read(Outer, {k: v for k, v in GOOD.items() if k != "maybe"}).maybe is None


@pytest.mark.parametrize(
    "change, complaint",
    [
        ({"name": 1}, "name: expected text"),
        ({"ratio": "1"}, "ratio: expected a finite number"),
        ({"ratio": True}, "ratio: expected a finite number"),
        ({"exact": 1}, "exact: expected true or false"),
        ({"colour": "blue"}, "colour: expected one of red"),
        ({"rows": {"count": 1}}, "rows: expected a list"),
        ({"rows": [{"count": 1}, {"count": 1.5}]}, r"rows\[1\].count: expected an integer"),
        ({"rows": [{"count": True}]}, r"rows\[0\].count: expected an integer"),
        ({"rows": [{"count": -1}]}, r"rows\[0\]: Expected count >= 0"),
        ({"rows": [{}]}, r"rows\[0\].count: missing"),
        ({"by_name": {"x": None}}, "by_name.x: expected a finite number"),
        ({"free": []}, "free: expected an object"),
        ({"maybe": {"count": 1, "colour": "red"}}, "maybe.colour: unknown field"),
        ({"surplus": 1}, "surplus: unknown field"),
    ],
)
def test_every_misfit_is_named_with_its_path(change: dict[str, object], complaint: str) -> None:
    with pytest.raises(JsonMismatch, match=f"^{complaint}"):
        strict_json.read(Outer, {**GOOD, **change})


@pytest.mark.parametrize("text", ['{"a": NaN}', '{"a": -Infinity}', '{"a": 1, "a": 2}', "{", "", "[" * 100_000])
def test_doubtful_json_is_refused(text: str) -> None:
    with pytest.raises(JsonMismatch):
        strict_json.parse(text)


@pytest.mark.parametrize("value", [float("nan"), {1: 2}, object()])
def test_what_json_cannot_hold_is_not_written(value: object) -> None:
    with pytest.raises(JsonMismatch):
        strict_json.dump(value)
