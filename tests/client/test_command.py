"""`qdispatch suggest`, and how every command ends, against a real grpc server."""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import grpc
import pytest

from qdispatch_client import (
    BookingAdvice,
    BookingState,
    Candidate,
    CostBreakdown,
    DriverAdvice,
    DriverState,
    FallbackReason,
    Pick,
    Precision,
    Provenance,
    RefusalCount,
    RefusalReason,
    ServerTiming,
    Source,
    Suggestion,
    calls,
    read_snapshot,
    snapshot_to_json,
)
from qdispatch_client.command import main
from qdispatch_client.text_table import table_lines
from tests.client.days import at, small_snapshot
from tests.client.scripted_server import Failure, bad_request, error_info, scripted_server

EXAMPLE = Path(__file__).parents[2] / "clients/python/examples/clinic_day.json"
COST = CostBreakdown(
    deadhead_minutes=6.0,
    lateness_minutes=0.0,
    downstream_lateness_minutes=0.0,
    emergency_minutes=0.0,
    driver_change_minutes=5.0,
    spread_minutes=-2.5,
    total_minutes=8.5,
)
CANDIDATE = Candidate(
    driver_id="driver-1",
    position=0,
    pickup_eta_seconds=2280.0,
    lateness_seconds=180.0,
    added_deadhead_seconds=360.0,
    added_deadhead_meters=2900.0,
    slack_seconds=None,
    cost=COST,
    resulting_trips=1,
    resulting_gap=1.0,
    on_time=False,
    score=-8.5,
    q_value=None,
    advantage_minutes=None,
    recommended=True,
)
ADVICE = BookingAdvice(
    booking_id="booking-1",
    state=BookingState.OPEN,
    candidates=(CANDIDATE,),
    decide_by=at(9, 32),
    assign_now=True,
    refusals=(),
)
SUGGESTION = Suggestion(
    request_id="request-1",
    provenance=Provenance(
        decision_id="decision-1",
        source=Source.HEURISTIC,
        fallback_reason=FallbackReason.DISABLED,
        heuristic="cheapest-insertion",
        model_version="v7",
        feature_fingerprint="f" * 64,
        weights_digest="w" * 64,
    ),
    bookings=(ADVICE,),
    drivers=(DriverAdvice(driver_id="driver-1", state=DriverState.CONSIDERED),),
    picks=(
        Pick(
            booking_id="booking-1",
            driver_id="driver-1",
            position=0,
            pickup_time=at(9, 48),
            promised_pickup_time=at(9, 48),
        ),
    ),
    reevaluate_at=at(9, 10),
    timing=ServerTiming(
        queue_micros=10,
        decode_micros=100,
        features_micros=900,
        inference_micros=400,
        decision_micros=200,
        encode_micros=90,
        total_micros=1_700,
    ),
    model_precision=None,
    search_moves=0,
    commit_ahead=timedelta(minutes=15),
)


@pytest.fixture
def snapshot_file(tmp_path: Path) -> Path:
    path = tmp_path / "snapshot.json"
    path.write_text(snapshot_to_json(small_snapshot()), encoding="utf-8")
    return path


def shown(suggestion: Suggestion, path: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    with scripted_server(calls.SUGGESTION.encode(suggestion)) as script:
        assert main(["suggest", str(path), "--company", "company-1", "--target", script.target, *more]) == 0
    assert script.seen[0].request.company_id == "company-1"
    return capsys.readouterr().out


def row_of(text: str, start: str) -> str:
    (row,) = [line for line in text.splitlines() if line.startswith(start)]
    return " ".join(row.split())


def test_a_suggestion_in_local_time_with_who_and_why(snapshot_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(SUGGESTION, snapshot_file, capsys)
    assert text.splitlines()[0] == "Monday 23 November 2026, 09:10 (Europe/Zurich) · 1 drivers · 1 bookings"
    assert row_of(text, "booking-1") == (
        "booking-1 09:45 assign now → driver-1 09:48 3 min ! 6 min 1 8.5 "
        "empty drive 6.0, change of driver 5.0, uneven work -2.5"
    )
    assert "  booking-1 → driver-1, promise 09:48" in text.splitlines()
    assert "HEURISTIC cheapest-insertion, because DISABLED (model v7, 15 min ahead loaded)" in text
    assert "decision-1, 1.7 ms" in text


def test_a_booking_that_nobody_can_take(snapshot_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refusals = (
        RefusalCount(reason=RefusalReason.WHEELCHAIR, drivers=2),
        RefusalCount(reason=RefusalReason.TIME_CONFLICT, drivers=1),
    )
    nobody = dataclasses.replace(ADVICE, candidates=(), assign_now=False, decide_by=None, refusals=refusals)
    text = shown(
        dataclasses.replace(SUGGESTION, bookings=(nobody,), picks=(), reevaluate_at=at(9, 20)), snapshot_file, capsys
    )
    assert row_of(text, "booking-1") == "booking-1 09:45 nobody can, because 2× WHEELCHAIR, 1× TIME_CONFLICT"
    assert "Nothing to commit now; ask again at 09:20." in text


@pytest.mark.parametrize("state", [state for state in BookingState if state is not BookingState.OPEN])
def test_a_booking_that_is_not_open_says_why(
    state: BookingState, snapshot_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    advice = dataclasses.replace(ADVICE, state=state, candidates=(), assign_now=False, decide_by=None)
    suggestion = dataclasses.replace(SUGGESTION, bookings=(advice,), picks=(), reevaluate_at=None)
    assert len(row_of(shown(suggestion, snapshot_file, capsys), "booking-1").split()) > 4


@pytest.mark.parametrize("state", [state for state in DriverState if state is not DriverState.CONSIDERED])
def test_a_driver_left_out_says_why(
    state: DriverState, snapshot_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drivers = (DriverAdvice(driver_id="driver-1", state=state),)
    text = shown(dataclasses.replace(SUGGESTION, drivers=drivers), snapshot_file, capsys)
    assert "Drivers left out" in text
    assert len(row_of(text, "  driver-1:").split()) > 1


def test_a_booking_that_can_wait_says_until_when(snapshot_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    waiting = dataclasses.replace(ADVICE, assign_now=False)
    text = shown(dataclasses.replace(SUGGESTION, bookings=(waiting,), picks=()), snapshot_file, capsys)
    assert "wait, at most until 09:32" in text


def test_only_so_many_drivers_are_shown(snapshot_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    many = tuple(dataclasses.replace(CANDIDATE, driver_id=f"driver-{n}", recommended=n == 0) for n in range(9))
    suggestion = dataclasses.replace(SUGGESTION, bookings=(dataclasses.replace(ADVICE, candidates=many),))
    text = shown(suggestion, snapshot_file, capsys, "--candidates", "4")
    assert [name for name in (f"driver-{n}" for n in range(9)) if f" {name} " in text.split("Commit")[0]] == [
        "driver-0",
        "driver-1",
        "driver-2",
        "driver-3",
    ]


def test_the_recommended_driver_is_always_shown(snapshot_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    many = tuple(dataclasses.replace(CANDIDATE, driver_id=f"driver-{n}", recommended=n == 7) for n in range(9))
    suggestion = dataclasses.replace(SUGGESTION, bookings=(dataclasses.replace(ADVICE, candidates=many),))
    text = shown(suggestion, snapshot_file, capsys, "--candidates", "1").split("Commit")[0]
    assert [n for n in range(9) if f" driver-{n} " in text] == [0, 7]
    assert "→ driver-7" in text


def test_the_precision_that_scored_is_named(snapshot_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = dataclasses.replace(SUGGESTION.provenance, source=Source.MODEL, fallback_reason=None, heuristic="")
    scored = dataclasses.replace(SUGGESTION, provenance=model, model_precision=Precision.INT8)
    assert "Decided by MODEL (model v7, INT8, 15 min ahead);" in shown(scored, snapshot_file, capsys)


def test_the_whole_suggestion_for_machines(snapshot_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = json.loads(shown(SUGGESTION, snapshot_file, capsys, "--json"))
    assert answer["bookings"][0]["candidates"][0]["cost"]["spread_minutes"] == -2.5
    assert answer["provenance"]["fallback_reason"] == "FALLBACK_REASON_DISABLED"
    assert "slack_seconds" not in answer["bookings"][0]["candidates"][0]


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        (grpc.StatusCode.INTERNAL, 1),
        (grpc.StatusCode.PERMISSION_DENIED, 1),
        (grpc.StatusCode.INVALID_ARGUMENT, 2),
        (grpc.StatusCode.UNAVAILABLE, 3),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, 3),
        (grpc.StatusCode.DEADLINE_EXCEEDED, 3),
        (grpc.StatusCode.ABORTED, 4),
    ],
)
def test_exit_codes(code: grpc.StatusCode, exit_code: int, capsys: pytest.CaptureFixture[str]) -> None:
    with scripted_server(Failure(code, "the message", (error_info("SOME_REASON"),))) as script:
        assert main(["status", "--target", script.target]) == exit_code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"{code.name} (SOME_REASON): the message" in captured.err


def test_violations_are_listed(snapshot_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    details = (error_info("INVALID_REQUEST"), bad_request(("snapshot.bookings[0].id", "duplicate")))
    with scripted_server(Failure(grpc.StatusCode.INVALID_ARGUMENT, "1 wrong", details)) as script:
        assert main(["suggest", str(snapshot_file), "--company", "c", "--target", script.target]) == 2
    assert "snapshot.bookings[0].id: duplicate" in capsys.readouterr().err


def test_a_file_that_is_not_there_or_no_snapshot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"now": 7}', encoding="utf-8")
    for path in (tmp_path / "nowhere.json", broken):
        assert main(["suggest", str(path), "--company", "c", "--target", "127.0.0.1:1"]) == 2
        told = capsys.readouterr().err
        assert path.name in told
        assert "Errno" not in told


@pytest.mark.parametrize(
    "arguments",
    [[], ["suggest"], ["suggest", "x.json"], ["enable"], ["status", "--deadline", "0"], ["status", "--deadline", "x"]],
)
def test_wrong_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2


@pytest.mark.parametrize("value", ["x", "nan", "-1", "0"])
def test_a_wrong_number_is_told_with_what_was_expected(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    for option in ("--deadline", "--candidates"):
        with pytest.raises(SystemExit):
            main(["suggest", "x.json", "--company", "c", f"{option}={value}"])
        assert f"argument {option}: expected" in capsys.readouterr().err


def test_the_installed_module_runs_and_ends_with_the_exit_code(snapshot_file: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        target = f"127.0.0.1:{taken.getsockname()[1]}"
        command = ["-c", "import sys; from qdispatch_client.command import main; sys.exit(main())"]
        done = subprocess.run(
            [sys.executable, *command, "suggest", str(snapshot_file), "--company", "c", "--deadline", "3"],
            env={**os.environ, "QDISPATCH_TARGET": target},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 3, done.stderr
    assert target in done.stderr


def test_the_example_is_a_snapshot_of_a_realistic_day() -> None:
    day = read_snapshot(EXAMPLE)
    assert len(day.drivers) >= 4
    assert len(day.bookings) >= 10
    assert day.now.utcoffset() == timedelta(0)
    assert {booking.time_confirmed for booking in day.bookings} == {True, False}


def test_a_cut_row_runs_on_over_the_columns_behind_it() -> None:
    head = ("A", "B", "C")
    assert table_lines(head, [("1", "22", "3"), ("1", "much longer than B")], frozenset({1})) == [
        "A   B  C",
        "─  ──  ─",
        "1  22  3",
        "1  much longer than B",
    ]
