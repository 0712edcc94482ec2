"""An answer as a dispatcher reads it: local times, who, why, and what it costs."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from qdispatch_client.snapshot import Booking, Snapshot
from qdispatch_client.suggestion import (
    BookingAdvice,
    BookingState,
    Candidate,
    DriverState,
    Provenance,
    Source,
    Suggestion,
)
from qdispatch_client.text_table import table_lines

_HEAD = ("BOOKING", "DUE", "DECISION", "DRIVER", "PICKUP", "LATE", "EMPTY", "TRIPS", "COST", "MADE OF")
_RIGHT = frozenset({5, 6, 7, 8})
_STATES = {
    BookingState.NOT_READY: "not open: the patient has not called yet",
    BookingState.NO_SCHEDULED_TIME: "not open: no scheduled time",
    BookingState.NO_PICKUP: "not open: no pickup coordinates",
    BookingState.NO_DROPOFF: "not open: no dropoff coordinates",
    BookingState.EXPIRED: "unserved: more than an hour past its time",
    BookingState.UNKNOWN: "not open, for a reason this client does not know",
}
_DRIVER_STATES = {
    DriverState.UNAVAILABLE: "not available",
    DriverState.NO_SHIFT: "no shift known",
    DriverState.POSITION_UNKNOWN: "position unknown",
    DriverState.UNKNOWN: "for a reason this client does not know",
}


def suggestion_lines(snapshot: Snapshot, suggestion: Suggestion, zone: tzinfo, candidates: int) -> list[str]:
    """The answer line by line, times in `zone`, per booking the `candidates` best drivers and the recommended one."""
    bookings = {booking.id: booking for booking in snapshot.bookings}
    rows = [
        row
        for advice in suggestion.bookings
        for row in _booking_rows(advice, bookings[advice.booking_id], snapshot.now, zone, candidates)
    ]
    now = snapshot.now.astimezone(zone)
    lines = [
        f"{now:%A %d %B %Y, %H:%M} ({snapshot.time_zone}) · {len(snapshot.drivers)} drivers · "
        f"{len(snapshot.bookings)} bookings",
        "",
        *(table_lines(_HEAD, rows, _RIGHT) if rows else ["no bookings"]),
    ]
    left_out = [
        f"  {driver.driver_id}: {_DRIVER_STATES[driver.state]}"
        for driver in suggestion.drivers
        if driver.state is not DriverState.CONSIDERED
    ]
    if left_out:
        lines += ["", "Drivers left out", *left_out]
    return [*lines, "", *_footer(suggestion, zone)]


def _booking_rows(
    advice: BookingAdvice, booking: Booking, now: datetime, zone: tzinfo, limit: int
) -> list[tuple[str, ...]]:
    due = "–" if booking.scheduled_time is None else _clock(booking.scheduled_time, zone)
    if not advice.candidates:
        return [(booking.id, due, _why_none(advice))]
    shown = [*advice.candidates[:limit], *(late for late in advice.candidates[limit:] if late.recommended)]
    decisions = [_decision(advice, zone), *[""] * (len(shown) - 1)]
    return [
        (booking.id if rank == 0 else "", due if rank == 0 else "", decision, *_cells(candidate, now, zone))
        for rank, (decision, candidate) in enumerate(zip(decisions, shown, strict=True))
    ]


def _why_none(advice: BookingAdvice) -> str:
    if advice.state is not BookingState.OPEN:
        return _STATES[advice.state]
    reasons = ", ".join(f"{count.drivers}× {count.reason.value}" for count in advice.refusals)
    return f"nobody can, because {reasons}" if reasons else "nobody can: there are no drivers"


def _decision(advice: BookingAdvice, zone: tzinfo) -> str:
    if advice.assign_now:
        return "assign now"
    return "wait" if advice.decide_by is None else f"wait, at most until {_clock(advice.decide_by, zone)}"


def _cells(candidate: Candidate, now: datetime, zone: tzinfo) -> tuple[str, ...]:
    pickup = now + timedelta(seconds=candidate.pickup_eta_seconds)
    late = candidate.lateness_seconds / 60
    return (
        f"{'→ ' if candidate.recommended else '  '}{candidate.driver_id}",
        _clock(pickup, zone),
        "–" if late < 0.5 else f"{late:.0f} min{'' if candidate.on_time else ' !'}",
        f"{candidate.added_deadhead_seconds / 60:.0f} min",
        str(candidate.resulting_trips),
        f"{candidate.cost.total_minutes:.1f}",
        _made_of(candidate),
    )


def _made_of(candidate: Candidate) -> str:
    """The terms of the cost that round to something, the largest first."""
    cost = candidate.cost
    terms = {
        "empty drive": cost.deadhead_minutes,
        "lateness": cost.lateness_minutes,
        "lateness of later trips": cost.downstream_lateness_minutes,
        "reserve": cost.emergency_minutes,
        "change of driver": cost.driver_change_minutes,
        "uneven work": cost.spread_minutes,
    }
    ordered = sorted(terms.items(), key=lambda term: -abs(term[1]))
    return ", ".join(f"{name} {value:.1f}" for name, value in ordered if abs(value) >= 0.05)


def _footer(suggestion: Suggestion, zone: tzinfo) -> list[str]:
    again = suggestion.reevaluate_at
    if suggestion.picks:
        lines = ["Commit, in this order, then ask again:"]
        lines += [
            f"  {pick.booking_id} → {pick.driver_id}, promise {_clock(pick.promised_pickup_time, zone)}"
            for pick in suggestion.picks
        ]
    else:
        lines = ["Nothing to commit now" + ("." if again is None else f"; ask again at {_clock(again, zone)}.")]
    provenance = suggestion.provenance
    return [
        *lines,
        f"Decided by {_who(provenance, suggestion)}; decision {provenance.decision_id}, "
        f"{suggestion.timing.total_micros / 1000:.1f} ms in the server.",
    ]


def _who(provenance: Provenance, suggestion: Suggestion) -> str:
    model = f"model {provenance.model_version}" if provenance.model_version else "no model"
    model += "" if suggestion.model_precision is None else f", {suggestion.model_precision.value}"
    model += f", up to {suggestion.search_moves} moves of search" if suggestion.search_moves else ""
    ahead = suggestion.commit_ahead
    model += f", {ahead.total_seconds() / 60:g} min ahead" if ahead else ""
    if provenance.source is Source.MODEL:
        return f"MODEL ({model})"
    reason = "no reason given" if provenance.fallback_reason is None else provenance.fallback_reason.value
    return f"{provenance.source.value} {provenance.heuristic}, because {reason} ({model} loaded)"


def _clock(instant: datetime, zone: tzinfo) -> str:
    return f"{instant.astimezone(zone):%H:%M}"
