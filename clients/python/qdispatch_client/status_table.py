"""A server's status as an operator reads it."""

from __future__ import annotations

from datetime import datetime, timedelta

from qdispatch_client.precision import PrecisionMode
from qdispatch_client.status import CompanySwitch, ModelStatus, PrecisionBucket, ServerStatus
from qdispatch_client.text_table import table_lines

_BUCKET_HEAD = ("SIZE", "UP TO PAIRS", "FP32 MS", "INT8 MS", "ANSWERS")


def status_lines(status: ServerStatus) -> list[str]:
    """The status line by line; instants in the zone of this machine."""
    lines = [
        f"QDispatch {status.server_version}, {status.workers} worker{'' if status.workers == 1 else 's'}, "
        f"up {_span(status.uptime)} since {_moment(status.started_at)}",
        *_model_lines(status),
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


def _model_lines(status: ServerStatus) -> list[str]:
    if not status.workers:
        return ["no worker serves: while the server starts, nobody answers"]
    model = status.model
    if model is None:
        return ["no model loaded: the heuristic answers"]
    limits = "" if model.limits is None else f", up to {model.limits.max_drivers}×{model.limits.max_bookings}"
    calibrated = "calibrated" if model.calibrated else "not calibrated"
    lines = [
        f"model {model.model_version}, {model.precision.value}, {calibrated}{limits}, since {_moment(model.loaded_at)}",
        _search_line(model),
        *_ahead_line(model.commit_ahead),
        f"precision {_chosen_by(model)}",
    ]
    rows = [_bucket_row(bucket) for bucket in model.precision_buckets]
    return [*lines, *(f"  {line}" for line in table_lines(_BUCKET_HEAD, rows, frozenset({1, 2, 3})))] if rows else lines


def _search_line(model: ModelStatus) -> str:
    if not model.search_moves:
        return "search off"
    return f"search of {model.search_moves} moves behind the model's values, up to {model.search_max_drivers} drivers"


def _ahead_line(ahead: timedelta | None) -> list[str]:
    return [f"commits {ahead.total_seconds() / 60:g} min ahead of a departure"] if ahead else []


def _chosen_by(model: ModelStatus) -> str:
    if model.precision_mode is PrecisionMode.FIXED:
        return "fixed by the server's setting"
    if model.precision_mode is not PrecisionMode.AUTO:
        return "chosen in a way this client does not know"
    if model.precision_buckets:
        return "auto: the server measured both, medians of one forward pass"
    if model.int8_qualified is False:
        return "auto: INT8 was significantly worse in closed loop and is not used"
    return "auto: nothing to measure within the model's limits"


def _bucket_row(bucket: PrecisionBucket) -> tuple[str, ...]:
    return (
        bucket.size,
        "any" if bucket.max_pairs is None else str(bucket.max_pairs),
        f"{bucket.fp32_median_micros / 1000:.3f}",
        f"{bucket.int8_median_micros / 1000:.3f}",
        bucket.precision.value,
    )


def _on(enabled: bool) -> str:
    return "model ON" if enabled else "model OFF"


def _moment(instant: datetime) -> str:
    return f"{instant.astimezone():%Y-%m-%d %H:%M:%S %Z}"


def _span(span: timedelta) -> str:
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min {seconds:02d} s"
