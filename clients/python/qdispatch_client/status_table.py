"""A server's status as an operator reads it."""

from __future__ import annotations

from datetime import datetime, timedelta

from qdispatch_client.status import CompanySwitch, ModelStatus, ServerStatus
from qdispatch_client.text_table import table_lines


def status_lines(status: ServerStatus) -> list[str]:
    """The status line by line; instants in the zone of this machine."""
    lines = [
        f"QDispatch {status.server_version}, {status.workers} worker{'' if status.workers == 1 else 's'}, "
        f"up {_span(status.uptime)} since {_moment(status.started_at)}",
        _model_line(status.model),
        f"features {status.feature_fingerprint}",
    ]
    if status.last_refusal is not None:
        lines.append(f"bundle refused: {status.last_refusal.reason}, {_moment(status.last_refusal.refused_at)}")
    limits = status.limits
    lines.append(
        f"limits: {limits.snapshot.max_drivers} drivers, {limits.snapshot.max_bookings} bookings, "
        f"{limits.max_trips_per_driver} trips and {limits.max_breaks_per_driver} breaks per driver, "
        f"{limits.max_matrix_locations} matrix locations, {limits.max_request_bytes / 2**20:.0f} MiB"
    )
    answers = [
        (row.source.value, "" if row.fallback_reason is None else row.fallback_reason.value, str(row.answers))
        for row in status.answers
    ]
    lines += ["", *table_lines(("SOURCE", "REASON", "ANSWERS"), answers, frozenset({2}))]
    lines += [f"failed calls: {status.failed_calls}", ""]
    lines += [switch_line(company) for company in status.companies]
    lines.append(f"every other company: {_on(status.company_default)} (company_default)")
    return lines


def switch_line(company: CompanySwitch) -> str:
    """One company's switch in one line."""
    since = "never switched" if company.changed_at is None else f"since {_moment(company.changed_at)}"
    return f"{company.company_id}: {_on(company.enabled)}, revision {company.revision}, {since}"


def _model_line(model: ModelStatus | None) -> str:
    if model is None:
        return "no model loaded: the heuristic answers"
    limits = "" if model.limits is None else f", up to {model.limits.max_drivers}×{model.limits.max_bookings}"
    calibrated = "calibrated" if model.calibrated else "not calibrated"
    return (
        f"model {model.model_version}, {model.precision.value}, {calibrated}{limits}, since {_moment(model.loaded_at)}"
    )


def _on(enabled: bool) -> str:
    return "model ON" if enabled else "model OFF"


def _moment(instant: datetime) -> str:
    return f"{instant.astimezone():%Y-%m-%d %H:%M:%S %Z}"


def _span(span: timedelta) -> str:
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min {seconds:02d} s"
