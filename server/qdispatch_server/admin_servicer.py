"""AdminService on the wire: convert, delegate, convert."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import grpc

from qdispatch_client.stubs.v1.admin_service_pb2 import (
    GetStatusRequest,
    GetStatusResponse,
    SetEnabledRequest,
    SetEnabledResponse,
)
from qdispatch_client.stubs.v1.company_pb2 import CompanySwitch
from qdispatch_server import limits
from qdispatch_server.calls import bind_request_id, parse, run_call
from qdispatch_server.server_status import ServerStatus
from qdispatch_server.state.switch_board import SwitchBoard
from qdispatch_server.state.switches import Switch, SwitchStore
from qdispatch_server.violations import Violations


class AdminServicer:
    """Handlers take the request's bytes, so that bytes that are no message get INVALID_ARGUMENT too."""

    def __init__(self, store: SwitchStore, switches: SwitchBoard, status: ServerStatus, company_default: bool) -> None:
        self._store = store
        self._switches = switches
        self._status = status
        self._company_default = company_default

    def get_status(self, data: bytes, context: grpc.ServicerContext) -> GetStatusResponse:
        """What runs, and what it has done."""
        return run_call("GetStatus", context, lambda _: self._get_status(parse(GetStatusRequest, data)))

    def set_enabled(self, data: bytes, context: grpc.ServicerContext) -> SetEnabledResponse:
        """Switches one company."""
        return run_call("SetEnabled", context, lambda _: self._set_enabled(parse(SetEnabledRequest, data)))

    def _get_status(self, request: GetStatusRequest) -> GetStatusResponse:
        wrong = Violations()
        if len(request.company_ids) > limits.MAX_STATUS_COMPANIES:
            wrong.add("company_ids", f"Expected at most {limits.MAX_STATUS_COMPANIES}.")
            raise wrong.error()
        for i, company_id in enumerate(request.company_ids):
            wrong.text_id(f"company_ids[{i}]", company_id)
        wrong.raise_if_any()
        self._switches.refresh()
        answer = self._status.read()
        answer.company_default = self._company_default
        known = self._switches.known
        if request.company_ids:
            wanted = list(request.company_ids)
        else:
            wanted = sorted(known.switches)[: limits.MAX_LISTED_COMPANIES] if known is not None else []
        for company_id in wanted:
            _write_switch(company_id, self._switches.switch_of(company_id), self._company_default, answer.companies.add)
        return answer

    def _set_enabled(self, request: SetEnabledRequest) -> SetEnabledResponse:
        wrong = Violations()
        wrong.text_id("request_id", request.request_id)
        wrong.text_id("company_id", request.company_id)
        if not request.HasField("enabled"):
            wrong.add("enabled", "Required.")
        if not request.HasField("expected_revision"):
            wrong.add("expected_revision", "Required.")
        elif request.expected_revision >= limits.MAX_REVISION:
            wrong.add("expected_revision", "Expected a revision that the server has answered.")
        wrong.raise_if_any()
        bind_request_id(request.request_id)
        switch = self._store.set_enabled(
            request_id=request.request_id,
            company_id=request.company_id,
            enabled=request.enabled,
            expected_revision=request.expected_revision,
            at=datetime.now(UTC),
        )
        self._switches.refresh()
        answer = SetEnabledResponse()
        _write_switch(switch.company_id, switch, self._company_default, lambda: answer.company)
        return answer


def _write_switch(
    company_id: str, switch: Switch | None, company_default: bool, target: Callable[[], CompanySwitch]
) -> None:
    row = target()
    row.company_id = company_id
    row.enabled = company_default if switch is None else switch.enabled
    if switch is not None:
        row.revision = switch.revision
        row.changed_at.FromDatetime(switch.changed_at)
