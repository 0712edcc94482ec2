from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

import pytest
from google.protobuf.message import Message

from qdispatch_client import (
    BookingState,
    CompanySwitch,
    FallbackReason,
    Leg,
    Location,
    RowError,
    ServerStatus,
    Snapshot,
    Source,
    Suggestion,
    calls,
    snapshot_from_json,
    snapshot_to_json,
)
from qdispatch_client.codec import Codec
from qdispatch_client.stubs.v1 import (
    admin_service_pb2,
    booking_pb2,
    company_pb2,
    dispatch_service_pb2,
    location_pb2,
    provenance_pb2,
    snapshot_pb2,
    trip_pb2,
)
from tests.client.filled_messages import filled

CODECS: list[tuple[Codec[Any], type[Message]]] = [
    (calls.SNAPSHOT, snapshot_pb2.Snapshot),
    (calls.SUGGESTION, dispatch_service_pb2.SuggestResponse),
    (calls.SERVER_STATUS, admin_service_pb2.GetStatusResponse),
    (calls.COMPANY_SWITCH, company_pb2.CompanySwitch),
]
ROWS = pytest.mark.parametrize(
    ("codec", "message_type"), CODECS, ids=[message.DESCRIPTOR.name for _, message in CODECS]
)


def differences(message: Any, row: Any, path: str) -> list[str]:
    """Paths at which the row does not say what the message says; knows nothing of the codec."""
    found = []
    for field in message.DESCRIPTOR.fields:
        here, said, kept = f"{path}.{field.name}", getattr(message, field.name), getattr(row, field.name)
        if field.is_repeated and field.message_type is not None:
            if len(said) != len(kept):
                found.append(here)
            for index, (part, kept_part) in enumerate(zip(said, kept, strict=False)):
                found += differences(part, kept_part, f"{here}[{index}]")
        elif field.is_repeated:
            found += [here] * (list(said) != list(kept))
        elif field.message_type is None and field.enum_type is not None:
            name = field.enum_type.values_by_number[said].name
            found += [here] * (not name.endswith(f"_{kept.name}") or kept.name == "UNKNOWN")
        elif field.message_type is None:
            found += [here] * (said != kept)
        elif field.message_type.full_name == "google.protobuf.Timestamp":
            found += [here] * (kept != datetime.fromtimestamp(said.seconds, UTC) + timedelta(0, 0, said.nanos // 1000))
        elif field.message_type.full_name == "google.protobuf.Duration":
            found += [here] * (kept != timedelta(seconds=said.seconds, microseconds=said.nanos // 1000))
        else:
            found += differences(said, kept, here)
    return found


@ROWS
def test_every_field_arrives_in_the_row(codec: Codec[Any], message_type: type[Message]) -> None:
    message = filled(message_type)
    assert differences(message, codec.decode(message), message_type.DESCRIPTOR.name) == []


@ROWS
def test_every_field_survives_to_the_row_and_back(codec: Codec[Any], message_type: type[Message]) -> None:
    message = filled(message_type)
    assert codec.encode(codec.decode(message)) == message


@pytest.mark.parametrize(
    "call",
    [
        calls.suggest(calls.SNAPSHOT.decode(filled(snapshot_pb2.Snapshot)), "company-1", "request-1"),
        calls.get_status(["company-1"]),
        calls.set_enabled("company-1", True, 7, "request-1"),
    ],
    ids=["Suggest", "GetStatus", "SetEnabled"],
)
def test_a_call_sets_every_field_of_its_request(call: calls.Call[Any]) -> None:
    assert {field.name for field, _ in call.request.ListFields()} == {
        field.name for field in call.request.DESCRIPTOR.fields
    }


def test_a_request_carries_what_the_caller_gave() -> None:
    request: Any = calls.set_enabled("company-1", False, 0, "request-1").request
    assert request.HasField("enabled")
    assert not request.enabled
    assert request.HasField("expected_revision")
    assert (request.company_id, request.request_id, request.expected_revision) == ("company-1", "request-1", 0)


def test_every_call_has_a_request_id_of_its_own() -> None:
    snapshot = calls.SNAPSHOT.decode(filled(snapshot_pb2.Snapshot))
    ids = {calls.suggest(snapshot, "company-1", None).request_id for _ in range(100)}
    assert len(ids) == 100
    assert all(request_id and 1 <= len(request_id) <= 128 for request_id in ids)


def test_absent_fields_stay_absent() -> None:
    message = booking_pb2.Booking(id="b", leg=trip_pb2.LEG_RETURN)
    message.time_confirmed = False
    message.wheelchair = False
    snapshot = snapshot_pb2.Snapshot(time_zone="UTC", bookings=[message])
    snapshot.now.GetCurrentTime()
    booking = calls.SNAPSHOT.decode(snapshot).bookings[0]
    absent = ("pickup", "dropoff", "scheduled_time", "tolerance", "linked_booking_id", "known_since")
    assert [getattr(booking, name) for name in absent] == [None] * len(absent)
    sent: Any = calls.SNAPSHOT.encode(calls.SNAPSHOT.decode(snapshot))
    assert not any(sent.bookings[0].HasField(name) for name in absent)
    assert sent.bookings[0].HasField("time_confirmed")


def test_zero_is_sent_as_zero() -> None:
    message = location_pb2.Location()
    Codec(Location, location_pb2.Location).fill(Location(0.0, 0.0, 0), message)
    assert {field.name for field, _ in message.ListFields()} == {"latitude", "longitude", "matrix_index"}


@pytest.mark.parametrize("forgotten", [field.name for field in location_pb2.Location.DESCRIPTOR.fields])
def test_a_forgotten_field_is_an_error_at_once(forgotten: str) -> None:
    kept = [(field.name, field.type) for field in dataclasses.fields(Location) if field.name != forgotten]
    with pytest.raises(TypeError, match=forgotten):
        Codec(dataclasses.make_dataclass("Location", kept), location_pb2.Location)


def test_an_invented_field_is_an_error_at_once() -> None:
    row = dataclasses.make_dataclass("Place", [("altitude", float, 0.0)], bases=(Location,), frozen=True)
    with pytest.raises(TypeError, match="altitude"):
        Codec(row, location_pb2.Location)


def test_a_forgotten_enum_value_is_an_error_at_once() -> None:
    class ShortSource(Enum):
        UNKNOWN = "UNKNOWN"
        MODEL = "MODEL"

    @dataclass
    class ShortProvenance:
        decision_id: str
        source: ShortSource
        fallback_reason: FallbackReason | None
        heuristic: str
        model_version: str
        feature_fingerprint: str
        weights_digest: str

    with pytest.raises(KeyError, match="HEURISTIC"):
        _local_codec(ShortProvenance, provenance_pb2.Provenance, ShortSource)


def _local_codec(row: type[Any], message: type[Message], enum: type[Enum]) -> Codec[Any]:
    """A codec of a class defined inside a test: its annotations are resolved here."""
    row.__annotations__["source"] = enum
    row.__annotations__["fallback_reason"] = FallbackReason | None
    return Codec(row, message)


def test_values_of_a_newer_server_read_as_unknown() -> None:
    message = filled(dispatch_service_pb2.SuggestResponse)
    message.provenance.source = 99  # type: ignore[assignment]  # a number this client does not know
    message.provenance.fallback_reason = 99  # type: ignore[assignment]
    message.bookings[0].state = 99  # type: ignore[assignment]
    suggestion = calls.SUGGESTION.decode(message)
    assert suggestion.provenance.source is Source.UNKNOWN
    assert suggestion.provenance.fallback_reason is FallbackReason.UNKNOWN
    assert suggestion.bookings[0].state is BookingState.UNKNOWN


def test_unknown_is_never_written_as_a_value() -> None:
    suggestion = calls.SUGGESTION.decode(filled(dispatch_service_pb2.SuggestResponse))
    unknown = dataclasses.replace(suggestion.provenance, source=Source.UNKNOWN)
    sent: Any = calls.SUGGESTION.encode(dataclasses.replace(suggestion, provenance=unknown))
    assert sent.provenance.source == provenance_pb2.SOURCE_UNSPECIFIED


def test_no_fallback_reads_as_none() -> None:
    message = filled(dispatch_service_pb2.SuggestResponse)
    message.provenance.fallback_reason = provenance_pb2.FALLBACK_REASON_UNSPECIFIED
    assert calls.SUGGESTION.decode(message).provenance.fallback_reason is None


@pytest.mark.parametrize(
    ("clear", "path"),
    [
        (lambda snapshot: snapshot.ClearField("now"), "now"),
        (lambda snapshot: snapshot.bookings[1].pickup.ClearField("latitude"), "bookings[1].pickup.latitude"),
        (lambda snapshot: snapshot.bookings[0].ClearField("wheelchair"), "bookings[0].wheelchair"),
        (lambda snapshot: snapshot.drivers[1].trips[0].ClearField("leg"), "drivers[1].trips[0].leg"),
        (lambda snapshot: snapshot.drivers[0].breaks[1].ClearField("end_time"), "drivers[0].breaks[1].end_time"),
    ],
)
def test_a_missing_required_field_is_named_with_its_path(clear: Any, path: str) -> None:
    message = filled(snapshot_pb2.Snapshot)
    clear(message)
    with pytest.raises(RowError) as caught:
        calls.SNAPSHOT.decode(message)
    assert caught.value.path == path
    assert "missing" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"matrix_index": -1}, "Location.matrix_index"),
        ({"latitude": "46.2"}, "Location.latitude"),
        ({"latitude": None}, "Location.latitude"),
    ],
)
def test_a_value_of_the_wrong_kind_is_named(change: dict[str, Any], path: str) -> None:
    row = dataclasses.replace(Location(46.2, 6.1), **change)
    with pytest.raises(RowError) as caught:
        Codec(Location, location_pb2.Location).encode(row)
    assert caught.value.path == path


def test_a_row_of_another_type_is_refused() -> None:
    with pytest.raises(RowError, match="expected this type"):
        Codec(Location, location_pb2.Location).encode(Leg.RETURN)  # type: ignore[arg-type]


def test_a_snapshot_survives_its_json_form() -> None:
    snapshot = calls.SNAPSHOT.decode(filled(snapshot_pb2.Snapshot))
    assert snapshot_from_json(snapshot_to_json(snapshot)) == snapshot


def test_the_rows_of_the_public_interface_are_the_codecs() -> None:
    rows = [codec.decode(filled(message)) for codec, message in CODECS]
    assert [type(row) for row in rows] == [Snapshot, Suggestion, ServerStatus, CompanySwitch]
