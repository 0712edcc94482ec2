"""The page of a day: the story is the record's, and a real browser shows it without complaint."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from qdispatch_trainer.cli import app
from qdispatch_trainer.comparators import comparator
from qdispatch_trainer.day_view.page import moves, page, span
from qdispatch_trainer.day_view.story import Kind, Story, play_story
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.scenarios import scenario_named
from tests.browser import visit

SEED = 1_000_007


def story(scenario: str = "clinic-day", policy: str = "regret-2", seed: int = SEED) -> Story:
    chosen = scenario_named(scenario)
    return play_story(generate_day(chosen, seed), policy, comparator(policy, chosen).build())


def doing(driver: dict[str, Any], t: float) -> str:
    """What a driver does at minute t, computed apart from the page."""
    what = "free"
    for start, end, *_, name in driver["legs"]:
        if start <= t:
            what = name if t <= end else "free"
    return f"{driver['label']}: {what}"


def test_a_story_tells_what_the_key_figures_count() -> None:
    for seed in range(SEED, SEED + 6):
        told = story(seed=seed)
        trips = [one for driver in told.drivers for one in driver.stretches if one.kind in (Kind.OUTBOUND, Kind.RETURN)]
        assert len(trips) + len(told.unserved) == told.kpi.bookings
        for kind, percent in (
            (Kind.OUTBOUND, told.kpi.late_outbound_percent),
            (Kind.RETURN, told.kpi.late_return_percent),
        ):
            mine = [one for one in trips if one.kind is kind]
            if mine:
                assert 100.0 * sum(one.too_late > 0.0 for one in mine) / len(mine) == pytest.approx(percent)
        assert sum(one.late for one in trips) / len(trips) == pytest.approx(told.kpi.mean_lateness_min)
        emergency = sum(
            one.kind in (Kind.OUTBOUND, Kind.RETURN) for d in told.drivers if d.emergency for one in d.stretches
        )
        assert emergency == told.kpi.emergency_trips


def test_a_driver_is_at_one_place_at_a_time() -> None:
    for driver in story("fleet-10x60").drivers:
        for before, after in pairwise(driver.stretches):
            assert after.start >= before.end - 1e-6
            assert after.origin == before.target
        if driver.stretches:
            assert driver.stretches[0].origin == driver.begins


def test_the_span_covers_everything() -> None:
    told = story()
    begins, ends = span([told])
    for driver in told.drivers:
        for one in driver.stretches:
            assert begins < one.start <= one.end < ends


@pytest.mark.parametrize(("scenario", "drivers"), [("clinic-day", 4), ("fleet-30x200", 33)])
def test_the_page_in_a_real_browser(scenario: str, drivers: int, tmp_path: Path) -> None:
    stories = [story(scenario), story(scenario, "nearest driver")]
    assert len(stories[0].drivers) == drivers
    path = tmp_path / "day.html"
    path.write_text(page(stories, "a day <&>", "frozen"), encoding="utf-8")
    seen = visit(path, "#t=615")
    assert not seen.console, seen.console
    assert 'data-ready="yes"' in seen.dom
    assert seen.text_of("clock") == "10:15"
    for number, one in enumerate(stories):
        wanted = [doing(moves(driver), 615.0) for driver in one.drivers]
        assert seen.text_of(f"now-{number}").split("\n\n") == wanted
        section = seen.dom.split('<section class="policy"')[number + 1]
        trips = sum(len(driver.stretches) for driver in one.drivers)
        assert len(re.findall(r'<g class="point">', section)) >= trips
        assert section.count('class="main-svg"') >= 2
    assert "http" not in re.sub(r"https?://(www\.w3\.org|plotly)[^\s\"']*", "", seen.dom.split("</script>")[-2])
    assert seen.picture.read_bytes()[:4] == b"\x89PNG"
    assert seen.picture.stat().st_size > 30_000


def test_a_broken_page_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "day.html"
    text = page([story()], "a day", "frozen")
    path.write_text(text.replace("function at(", "function elsewhere("), encoding="utf-8")
    seen = visit(path)
    assert seen.console
    assert 'data-ready="yes"' not in seen.dom


def test_the_command_writes_the_page(tmp_path: Path) -> None:
    out = tmp_path / "pages" / "day.html"
    given = ["replay", "--day", str(SEED), "--policy", "regret-2", "--against", "nearest driver", "--out", str(out)]
    result = CliRunner().invoke(app, given)
    assert result.exit_code == 0, result.output
    assert "regret-2 against nearest driver" in out.read_text(encoding="utf-8")
    assert "late outbound %" in result.stdout


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        (("--policy", "nobody"), 2, "no comparator"),
        (("--policy", "regret-2", "--scenario", "moon"), 2, "clinic-day"),
        (("--policy", "regret-2", "--day", "9999999"), 2, "in no range"),
    ],
)
def test_bad_input_says_what_is_wrong(given: tuple[str, ...], code: int, message: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["replay", *given, "--out", str(tmp_path / "day.html")])
    assert result.exit_code == code
    assert message in " ".join(result.stderr.split())
    assert not (tmp_path / "day.html").exists()
