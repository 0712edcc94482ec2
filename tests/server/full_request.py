"""A valid request in which every field of the protocol is set, and a walk over its leaves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from qdispatch_client.stubs.v1.dispatch_service_pb2 import SuggestRequest

NOW = "2026-11-23T09:00:00Z"


def _place(index: int) -> dict[str, Any]:
    return {"latitude": 46.2 + index / 100, "longitude": 6.1 + index / 100, "matrix_index": index}


def _trip(name: str, status: str, **more: Any) -> dict[str, Any]:
    return {
        "booking_id": name,
        "status": f"TRIP_STATUS_{status}",
        "pickup": _place(1),
        "dropoff": _place(2),
        "leg": "LEG_RETURN",
        "scheduled_time": "2026-11-23T08:00:00Z",
        "promised_pickup_time": "2026-11-23T08:05:00Z",
        "tolerance": "600s",
        "pickup_service": "240s",
        "dropoff_service": "420s",
        "urgent": True,
        **more,
    }


def full_request() -> SuggestRequest:
    """Every field set; one driver with a DONE, a running and a COMMITTED trip, one booking, a travel matrix."""
    departed, picked_up, done = "2026-11-23T07:50:00Z", "2026-11-23T08:01:00Z", "2026-11-23T08:30:00Z"
    driver = {
        "id": "driver-1",
        "kind": "DRIVER_KIND_REGULAR",
        "available": True,
        "wheelchair_access": True,
        "seats": 4,
        "shift_start": "2026-11-23T07:00:00Z",
        "shift_end": "2026-11-23T15:00:00Z",
        "position": {"location": _place(0), "observed_at": "2026-11-23T08:58:00Z"},
        "start_location": _place(1),
        "end_location": _place(2),
        "breaks": [{"start_time": "2026-11-23T11:00:00Z", "end_time": "2026-11-23T11:30:00Z"}],
        "trips": [
            _trip("trip-1", "DONE", departed_at=departed, picked_up_at=picked_up, done_at=done),
            _trip("trip-2", "EN_ROUTE", departed_at="2026-11-23T08:55:00Z"),
            _trip("trip-3", "COMMITTED"),
        ],
        "trips_done_today": 2,
        "driven_today": "3600s",
        "contract_share": 0.8,
        "window_trips": 12,
        "window_driven": "7200s",
    }
    booking = {
        "id": "booking-1",
        "pickup": _place(1),
        "dropoff": _place(2),
        "scheduled_time": "2026-11-23T10:00:00Z",
        "leg": "LEG_OUTBOUND",
        "time_confirmed": True,
        "urgent": True,
        "wheelchair": True,
        "passengers": 2,
        "tolerance": "300s",
        "pickup_service": "120s",
        "dropoff_service": "180s",
        "linked_booking_id": "booking-2",
        "known_since": "2026-11-20T10:00:00Z",
        "current_driver_id": "driver-1",
        "promised_pickup_time": "2026-11-23T10:05:00Z",
        "pinned": True,
    }
    snapshot = {
        "now": NOW,
        "time_zone": "Europe/Zurich",
        "drivers": [driver],
        "bookings": [booking],
        "travel_matrix": {
            "location_count": 3,
            "seconds": [0, 300, 400, 310, 0, 500, 410, 510, 0],
            "meters": [0, 3000, 4000, 3100, 0, 5000, 4100, 5100, 0],
        },
    }
    request = {"request_id": "request-1", "company_id": "company-1", "snapshot": snapshot}
    return json_format.ParseDict(request, SuggestRequest())


def fields_of(descriptor: Descriptor, seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """Full names of all fields below a message type; Timestamp and Duration count as one value."""
    for field in descriptor.fields:
        yield field.full_name
        below = field.message_type
        if below is not None and below.file.package != "google.protobuf" and below.full_name not in seen:
            yield from fields_of(below, seen | {below.full_name})


Leaf = tuple[Message, FieldDescriptor, int | None]


def leaves(message: Message) -> Iterator[Leaf]:
    """(parent, field, index) of every set value; the index is None for a field that is not repeated."""
    for field, value in message.ListFields():
        values = list(value) if field.is_repeated else [value]
        for index, one in enumerate(values):
            yield message, field, index if field.is_repeated else None
            if isinstance(one, Message) and one.DESCRIPTOR.file.package != "google.protobuf":
                yield from leaves(one)


def change(leaf: Leaf) -> bool:
    """Gives a value another one of its type; False for a message of ours, whose own fields are changed instead."""
    parent, field, index = leaf
    if field.message_type is not None:
        value = getattr(parent, field.name)
        below = field.message_type
        if index is not None or below.file.package != "google.protobuf":
            return False
        value.seconds += 60
        return True
    old = getattr(parent, field.name) if index is None else getattr(parent, field.name)[index]
    new = _another(field, old)
    if index is None:
        setattr(parent, field.name, new)
    else:
        getattr(parent, field.name)[index] = new
    return True


def _another(field: FieldDescriptor, old: Any) -> Any:
    if field.enum_type is not None:
        return next(v.number for v in field.enum_type.values if v.number not in (0, old))
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return not old
    if field.name == "time_zone":
        return "America/New_York"
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return old + "x"
    if field.cpp_type == FieldDescriptor.CPPTYPE_DOUBLE:
        return old * 0.99
    return old + 1
