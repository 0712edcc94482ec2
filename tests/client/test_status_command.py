"""`qdispatch status`, `enable` and `disable` against a real grpc server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from qdispatch_client import (
    CompanySwitch,
    calls,
)
from qdispatch_client.command import main
from qdispatch_client.stubs.v1 import admin_service_pb2, company_pb2, server_status_pb2
from tests.client.days import at
from tests.client.filled_messages import filled
from tests.client.scripted_server import scripted_server


def test_status_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    message = filled(admin_service_pb2.GetStatusResponse)
    with scripted_server(message) as script:
        assert main(["status", "company-1", "--target", script.target]) == 0
    assert list(script.seen[0].request.company_ids) == ["company-1"]
    text = capsys.readouterr().out
    said = [
        message.server_version,
        message.model.model_version,
        message.feature_fingerprint,
        message.last_refusal.reason,
        f"failed calls: {message.failed_calls}",
        *(company.company_id for company in message.companies),
        *(str(row.answers) for row in message.answers),
    ]
    assert [part for part in said if part not in text] == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"precision_mode": server_status_pb2.PRECISION_MODE_AUTO}, "auto: the server measured both"),
        ({"precision_mode": server_status_pb2.PRECISION_MODE_FIXED, "precision_buckets": []}, "fixed by the server"),
        (
            {
                "precision_mode": server_status_pb2.PRECISION_MODE_AUTO,
                "precision_buckets": [],
                "int8_qualified": False,
                "search_moves": 0,
            },
            "INT8 was significantly worse in closed loop",
        ),
        ({"precision_mode": server_status_pb2.PRECISION_MODE_AUTO, "precision_buckets": []}, "nothing to measure"),
        ({"precision_mode": 0, "precision_buckets": []}, "in a way this client does not know"),  # an older server
    ],
)
def test_status_says_what_chose_the_precision(
    change: dict[str, Any], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    message = filled(admin_service_pb2.GetStatusResponse)
    for name, value in change.items():
        message.model.ClearField(name)  # type: ignore[arg-type]  # one of its fields
        if value != []:
            setattr(message.model, name, value)
    with scripted_server(message) as script:
        assert main(["status", "--target", script.target]) == 0
    text = capsys.readouterr().out
    assert words in text
    ahead = message.model.commit_ahead.ToTimedelta()
    assert f"commits {ahead.total_seconds() / 60:g} min ahead of a departure" in text
    for bucket in message.model.precision_buckets:
        line = next(line.split() for line in text.splitlines() if line.split()[:1] == [bucket.size])
        assert line[1:4] == [
            str(bucket.max_pairs),
            f"{bucket.fp32_median_micros / 1000:.3f}",
            f"{bucket.int8_median_micros / 1000:.3f}",
        ]


def test_status_without_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    message = filled(admin_service_pb2.GetStatusResponse)
    message.ClearField("model")
    message.ClearField("last_refusal")
    with scripted_server(message) as script:
        assert main(["status", "--target", script.target]) == 0
    text = capsys.readouterr().out
    assert "no model loaded" in text
    assert "bundle refused" not in text


def test_status_before_a_worker_serves(capsys: pytest.CaptureFixture[str]) -> None:
    message = filled(admin_service_pb2.GetStatusResponse)
    message.ClearField("model")
    message.workers = 0
    with scripted_server(message) as script:
        assert main(["status", "--target", script.target]) == 0
    text = capsys.readouterr().out
    assert "no worker serves: while the server starts, nobody answers" in text
    assert "the heuristic answers" not in text


def test_status_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    message = filled(admin_service_pb2.GetStatusResponse)
    with scripted_server(message) as script:
        assert main(["status", "--target", script.target, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["workers"] == message.workers


@pytest.mark.parametrize(("command", "enabled"), [("enable", True), ("disable", False)])
def test_a_switch_is_changed_from_its_present_revision(
    command: str, enabled: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    status = admin_service_pb2.GetStatusResponse()
    status.CopyFrom(filled(admin_service_pb2.GetStatusResponse))
    status.companies[0].revision = 41
    after = admin_service_pb2.SetEnabledResponse(
        company=company_pb2.CompanySwitch(company_id="company-1", enabled=enabled, revision=42)
    )
    with scripted_server(status, after) as script:
        assert main([command, "company-1", "--target", script.target]) == 0
    asked, changed = (seen.request for seen in script.seen)
    assert list(asked.company_ids) == ["company-1"]
    assert (changed.company_id, changed.enabled, changed.expected_revision) == ("company-1", enabled, 41)
    assert f"company-1: model {'ON' if enabled else 'OFF'}, revision 42" in capsys.readouterr().out


def test_a_switch_is_changed_from_the_revision_that_is_given() -> None:
    after = admin_service_pb2.SetEnabledResponse(
        company=calls.COMPANY_SWITCH.encode(  # type: ignore[arg-type]  # a codec does not say its message's type
            CompanySwitch(company_id="c", enabled=True, revision=8, changed_at=at(9))
        )
    )
    with scripted_server(after) as script:
        assert main(["enable", "c", "--revision", "7", "--target", script.target]) == 0
    assert [seen.request.expected_revision for seen in script.seen] == [7]
