"""Requests that the server's tests name, and the rich status of a failed call."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import grpc
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from qdispatch_client.stubs.v1 import dispatch_service_pb2, dispatch_service_pb2_grpc, snapshot_pb2

EXAMPLE = Path(__file__).parents[2] / "clients/python/examples/clinic_day.json"


def clinic_day(company_id: str = "company-1") -> dispatch_service_pb2.SuggestRequest:
    """The shipped example as a request."""
    snapshot = json_format.Parse(EXAMPLE.read_text(encoding="utf-8"), snapshot_pb2.Snapshot())
    return dispatch_service_pb2.SuggestRequest(request_id="request-1", company_id=company_id, snapshot=snapshot)


def suggest(
    channel: grpc.Channel, request: dispatch_service_pb2.SuggestRequest, timeout: float | None = 20.0
) -> dispatch_service_pb2.SuggestResponse:
    """One call over the generated stubs."""
    stub = dispatch_service_pb2_grpc.DispatchServiceStub(channel)
    return stub.Suggest(request, timeout=timeout)


def status_of(error: grpc.RpcError) -> status_pb2.Status:
    """The google.rpc.Status of a failed call."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type]  # what a stub raises is a call too
    assert status is not None, "a status without details"
    return cast(status_pb2.Status, status)


def violations_of(error: grpc.RpcError) -> dict[str, str]:
    """Field path -> description."""
    found: dict[str, str] = {}
    for detail in status_of(error).details:
        bad_request = error_details_pb2.BadRequest()
        if detail.Unpack(bad_request):
            found |= {violation.field: violation.description for violation in bad_request.field_violations}
    return found


def error_info_of(status: status_pb2.Status) -> error_details_pb2.ErrorInfo:
    """The ErrorInfo, which every error must carry exactly once."""
    infos = []
    for detail in status.details:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            infos.append(info)
    assert len(infos) == 1
    return infos[0]


def retry_delay_of(status: status_pb2.Status) -> float | None:
    """Seconds of the RetryInfo, None without one."""
    for detail in status.details:
        retry = error_details_pb2.RetryInfo()
        if detail.Unpack(retry):
            seconds: float = retry.retry_delay.ToTimedelta().total_seconds()
            return seconds
    return None


def large_request(drivers: int, bookings: int) -> dispatch_service_pb2.SuggestRequest:
    """Many drivers and bookings within the protocol's limits: an answer that takes a while."""
    request = clinic_day()
    snapshot = request.snapshot
    driver, booking = snapshot.drivers[0], snapshot.bookings[0]
    del snapshot.drivers[1:], snapshot.bookings[1:]
    del driver.trips[:]
    driver.trips_done_today = 0
    booking.ClearField("current_driver_id")
    booking.ClearField("linked_booking_id")
    for number in range(1, drivers):
        row = snapshot.drivers.add()
        row.CopyFrom(driver)
        row.id = f"driver-x{number}"
        row.position.location.latitude += number / 5000
    for number in range(1, bookings):
        more = snapshot.bookings.add()
        more.CopyFrom(booking)
        more.id = f"booking-x{number}"
        more.scheduled_time.seconds += 60 * (number % 240)
    return request
