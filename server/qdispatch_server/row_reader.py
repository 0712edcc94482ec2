"""Reads the parts that drivers, trips and bookings share, and knows what must be unique in one snapshot."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from qdispatch_client.stubs.v1.location_pb2 import Location as LocationMessage
from qdispatch_client.stubs.v1.snapshot_pb2 import Snapshot as SnapshotMessage
from qdispatch_client.stubs.v1.trip_pb2 import Leg as LegNumber
from qdispatch_domain.snapshot import Leg, Location
from qdispatch_domain.weights import RULES
from qdispatch_server.service_day import ServiceDay
from qdispatch_server.violations import Violations

LEGS: dict[int, Leg] = {LegNumber.LEG_OUTBOUND: Leg.OUTBOUND, LegNumber.LEG_RETURN: Leg.RETURN}


def default_tolerance(leg: Leg) -> float:
    """The documented default, minutes."""
    return RULES.outbound_tolerance_min if leg is Leg.OUTBOUND else RULES.return_tolerance_min


class RowReader:
    """Every method returns a placeholder after it has noted a violation: the caller raises before anything is used."""

    nowhere = Location(0.0, 0.0)

    def __init__(self, day: ServiceDay, message: SnapshotMessage, wrong: Violations) -> None:
        self.wrong = wrong
        self.now = day.minutes(message.now)
        self._day = day
        self._locations = message.travel_matrix.location_count if message.HasField("travel_matrix") else None
        self._driver_ids: dict[str, str] = {}
        self._booking_ids: dict[str, str] = {}

    def driver_id(self, path: str, value: str) -> str:
        """An id unique among the drivers."""
        return self._unique(path, value, self._driver_ids, "among the drivers")

    def booking_id(self, path: str, value: str) -> str:
        """An id unique among all trips and open bookings."""
        return self._unique(path, value, self._booking_ids, "among all trips and bookings")

    def leg(self, path: str, value: int) -> Leg:
        """A required leg."""
        leg = LEGS.get(value)
        if leg is None:
            self.wrong.add(path, "Expected LEG_OUTBOUND or LEG_RETURN.")
            return Leg.OUTBOUND
        return leg

    def required(self, path: str, message: Message, names: Sequence[str]) -> None:
        """Notes each of `names` that is not set."""
        for name in names:
            if not message.HasField(name):
                self.wrong.add(f"{path}.{name}", "Required.")

    def optional_instant(self, path: str, message: Message, name: str, *, not_after_now: bool = False) -> float | None:
        """Service-day minutes of the field `name`, None when it is not set."""
        if not message.HasField(name):
            return None
        value: Timestamp = getattr(message, name)
        if not self.wrong.instant(path, name, value):
            return None
        minutes = self._day.minutes(value)
        if not_after_now and minutes > self.now:
            self.wrong.add(f"{path}.{name}", "Expected an instant not after snapshot.now.")
        return minutes

    def required_instant(self, path: str, message: Message, name: str, *, not_after_now: bool = False) -> float | None:
        """As `optional_instant`, and not set is a violation."""
        minutes = self.optional_instant(path, message, name, not_after_now=not_after_now)
        if minutes is None:
            self.required(path, message, (name,))
        return minutes

    def optional_minutes(self, path: str, message: Message, name: str, high_min: float) -> float | None:
        """Minutes of the duration `name`, None when it is not set."""
        if not message.HasField(name):
            return None
        return self.wrong.duration(path, name, getattr(message, name), high_min)

    def optional_place(self, path: str, message: Message, name: str) -> Location | None:
        """The place `name`, None when it is not set."""
        return self._place(f"{path}.{name}", getattr(message, name)) if message.HasField(name) else None

    def required_place(self, path: str, message: Message, name: str) -> Location | None:
        """As `optional_place`, and not set is a violation."""
        place = self.optional_place(path, message, name)
        if place is None:
            self.required(path, message, (name,))
        return place

    def _place(self, path: str, value: LocationMessage) -> Location:
        index = value.matrix_index if value.HasField("matrix_index") else None
        if value.HasField("latitude"):
            self.wrong.number(path, "latitude", value.latitude, -90.0, 90.0)
        else:
            self.wrong.add(f"{path}.latitude", "Required.")
        if value.HasField("longitude"):
            self.wrong.number(path, "longitude", value.longitude, -180.0, 180.0)
        else:
            self.wrong.add(f"{path}.longitude", "Required.")
        if self._locations is None and index is not None:
            self.wrong.add(f"{path}.matrix_index", "Expected none without snapshot.travel_matrix.")
        elif self._locations is not None and index is None:
            self.wrong.add(f"{path}.matrix_index", "Required with snapshot.travel_matrix.")
        elif self._locations is not None and index is not None and index >= self._locations:
            self.wrong.add(f"{path}.matrix_index", "Expected less than snapshot.travel_matrix.location_count.")
        return Location(value.latitude, value.longitude, index)

    def _unique(self, path: str, value: str, seen: dict[str, str], where: str) -> str:
        self.wrong.text_id(path, value)
        first = seen.setdefault(value, path)
        if first != path:
            self.wrong.add(path, f"Expected an id unique {where}; {first} has the same.")
        return value
