"""Every word of the protocol means the same to server and client: domain, protocol and client name it alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import pytest
from google.protobuf.descriptor import FileDescriptor

import qdispatch_client as client
from qdispatch_bundle.manifest import Precision
from qdispatch_client.stubs.v1 import (
    admin_service_pb2,
    dispatch_service_pb2,
    driver_pb2,
    provenance_pb2,
    server_status_pb2,
    suggestion_pb2,
    trip_pb2,
)
from qdispatch_domain import reasons, snapshot
from qdispatch_server.precision_plan import PrecisionMode
from qdispatch_server.provenance import Fallback


@dataclass(frozen=True)
class Word:
    """One enum in its three languages."""

    protocol: Any
    client: type[Enum]
    domain: Iterable[str]  # names as the protocol has them

    @property
    def wire_names(self) -> set[str]:
        """Values of the protocol without their prefix, the unspecified one aside."""
        first = self.protocol.DESCRIPTOR.values_by_number[0].name
        assert first.endswith("_UNSPECIFIED")
        prefix = first.removesuffix("UNSPECIFIED")
        return {value.name.removeprefix(prefix) for value in self.protocol.DESCRIPTOR.values if value.number}


def names(kind: Iterable[Enum]) -> set[str]:
    return {member.name for member in kind}


WORDS = {
    "DriverKind": Word(driver_pb2.DriverKind, client.DriverKind, names(snapshot.DriverKind)),
    "Leg": Word(trip_pb2.Leg, client.Leg, names(snapshot.Leg)),
    "TripStatus": Word(trip_pb2.TripStatus, client.TripStatus, names(snapshot.TripStatus)),
    "BookingState": Word(suggestion_pb2.BookingState, client.BookingState, names(reasons.BookingGap)),
    # a driver without a gap is considered
    "DriverState": Word(
        suggestion_pb2.DriverState,
        client.DriverState,
        {"CONSIDERED" if gap is reasons.DriverGap.NONE else gap.name for gap in reasons.DriverGap},
    ),
    "RefusalReason": Word(suggestion_pb2.RefusalReason, client.RefusalReason, names(reasons.Refusal)),
    "FallbackReason": Word(provenance_pb2.FallbackReason, client.FallbackReason, names(Fallback)),
    "Source": Word(provenance_pb2.Source, client.Source, {"MODEL", "HEURISTIC"}),
    # a plan that answers with both is mixed
    "Precision": Word(server_status_pb2.Precision, client.Precision, names(Precision) | {"MIXED"}),
    "PrecisionMode": Word(server_status_pb2.PrecisionMode, client.PrecisionMode, names(PrecisionMode)),
}


@pytest.mark.parametrize("word", WORDS.values(), ids=WORDS)
def test_domain_protocol_and_client_have_the_same_values(word: Word) -> None:
    assert word.wire_names == set(word.domain)
    assert word.wire_names == names(word.client) - {"UNKNOWN"}


def test_every_enum_of_the_protocol_is_compared_above() -> None:
    found: set[str] = set()
    seen: set[str] = set()

    def visit(file: FileDescriptor) -> None:
        if file.name in seen or not file.package.startswith("qdispatch."):
            return
        seen.add(file.name)
        found.update(file.enum_types_by_name)
        assert not any(message.enum_types for message in file.message_types_by_name.values()), "nested: compare it too"
        for imported in file.dependencies:
            visit(imported)

    for service in (dispatch_service_pb2, admin_service_pb2):
        visit(service.DESCRIPTOR)
    assert found == set(WORDS)


def test_refusals_are_told_in_the_order_of_the_protocol() -> None:
    """The first reason that applies is told: the numbers are that order, on both sides."""
    wire = suggestion_pb2.RefusalReason.DESCRIPTOR
    for refusal in reasons.Refusal:
        assert wire.values_by_name[f"REFUSAL_REASON_{refusal.name}"].number == refusal.value
