"""A running day as text: one line per driver, then the open bookings."""

from __future__ import annotations

from qdispatch_domain.snapshot import Snapshot, TripStatus

_MARK = {TripStatus.DONE: "+", TripStatus.ONBOARD: "*", TripStatus.EN_ROUTE: ">", TripStatus.COMMITTED: " "}


def day_as_text(snapshot: Snapshot) -> str:
    """Drivers with their trips (`+` done, `*` on board, `>` on the way, else committed), and the open bookings."""
    lines = [f"{clock(snapshot.now)}  {len(snapshot.bookings)} bookings without a driver"]
    for driver in snapshot.drivers:
        trips = " ".join(f"{_MARK[trip.status]}{clock(trip.scheduled_time)}" for trip in driver.trips)
        start, end = driver.shift_start, driver.shift_end
        shift = "no shift" if start is None or end is None else f"{clock(start)}-{clock(end)}"
        lines.append(f"{driver.id} {shift} {trips}".rstrip())
    for booking in snapshot.bookings:
        due = "on call" if booking.scheduled_time is None else clock(booking.scheduled_time)
        lines.append(f"  {booking.id} {booking.leg.value.lower()} {due}{' urgent' if booking.urgent else ''}")
    return "\n".join(lines)


def clock(minutes: float) -> str:
    """Service-day minutes as HH:MM."""
    return f"{int(minutes // 60):02d}:{int(minutes % 60):02d}"
