"""Rules of the protocol that buf has no word for."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor

from qdispatch_client.stubs.v1 import admin_service_pb2, dispatch_service_pb2

MESSAGES = Path(__file__).parents[2] / "proto/qdispatch/v1"
SERVICES = [dispatch_service_pb2.DESCRIPTOR, admin_service_pb2.DESCRIPTOR]
NUMBERS = (
    FieldDescriptor.CPPTYPE_DOUBLE,
    FieldDescriptor.CPPTYPE_UINT32,
    FieldDescriptor.CPPTYPE_UINT64,
    FieldDescriptor.CPPTYPE_BOOL,
)
# Zero is no value of these: a request that leaves them out is refused.
NEVER_ZERO = {"qdispatch.v1.Driver.seats", "qdispatch.v1.TravelMatrix.location_count"}


def files() -> list[FileDescriptor]:
    """Every file of the protocol."""
    names = [f"qdispatch_client.stubs.v1.{path.stem}_pb2" for path in sorted(MESSAGES.glob("*.proto"))]
    return [importlib.import_module(name).DESCRIPTOR for name in names]


def reachable(message: Descriptor, found: dict[str, Descriptor] | None = None) -> dict[str, Descriptor]:
    """The message and every message of ours inside it, by full name."""
    found = {} if found is None else found
    if message.full_name not in found and message.full_name.startswith("qdispatch."):
        found[message.full_name] = message
        for field in message.fields:
            if field.message_type is not None:
                reachable(field.message_type, found)
    return found


REQUESTED = {
    name: message
    for service in SERVICES
    for described in service.services_by_name.values()
    for method in described.methods
    for name, message in reachable(method.input_type).items()
}


@pytest.mark.parametrize("message", REQUESTED.values(), ids=list(REQUESTED))
def test_a_request_never_takes_a_missing_number_for_zero(message: Descriptor) -> None:
    silent = [
        field.full_name
        for field in message.fields
        if field.cpp_type in NUMBERS and not field.is_repeated and not field.has_presence
    ]
    assert set(silent) <= NEVER_ZERO


def test_every_enum_starts_with_unspecified_under_its_own_prefix() -> None:
    enums = [enum for file in files() for enum in file.enum_types_by_name.values()]
    assert len(enums) >= 9
    for enum in enums:
        prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", enum.name).upper() + "_"
        assert enum.values_by_number[0].name == f"{prefix}UNSPECIFIED"


def test_only_services_hold_services_and_they_hold_only_their_pairs() -> None:
    for file in files():
        pairs = {
            part.name
            for service in file.services_by_name.values()
            for method in service.methods
            for part in (method.input_type, method.output_type)
        }
        if file.name.endswith("_service.proto"):
            assert set(file.message_types_by_name) == pairs
        else:
            assert not file.services_by_name


def test_every_field_of_a_request_says_whether_it_is_required_or_what_its_absence_means() -> None:
    words = re.compile(r"Required|Default:|Absent|Empty")
    undecided = []
    for name, message in REQUESTED.items():
        text = (MESSAGES / Path(message.file.name).name).read_text("utf-8")
        body = text.split(f"message {message.name} {{", 1)[1].split("\n}", 1)[0]
        for field in message.fields:
            comment = re.search(rf"((?:  //.*\n)+)  .*\b{field.name} = {field.number};", body)
            if comment is None or not words.search(comment.group(1)):
                undecided.append(f"{name}.{field.name}")
    assert undecided == []
