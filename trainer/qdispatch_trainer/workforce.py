"""Who drives: vehicles, contracts, breaks and the reserve. Common to all scenarios."""

from __future__ import annotations

from typing import Any

CONTRACT_SHARES = ((1.0, 0.85), (0.8, 0.10), (0.5, 0.05))  # (share, probability)
VEHICLE_SEATS = ((3, 0.25), (4, 0.55), (6, 0.20))  # (seats, probability)
HOME_START_SHARE = 0.40  # of the drivers; the others start at the depot
HOME_END_SHARE = 0.50  # of those who start at home: they also drive back there
WINDOW_DAYS = 5  # of the fairness window before today
WINDOW_LEGS_PER_DAY = 5.9
WINDOW_MINUTES_PER_LEG = (20.0, 34.0)  # driving
EARLIEST_START = 375.0  # of a shift, service-day minutes
LATEST_START = 660.0
SHIFT_JITTER_SLOTS = 1  # quarter hours by which a REGULAR shift may start earlier or later than rostered
LATE_SHIFT_FROM = 570.0  # shifts that start later take their break after the 13 h peak, the others before it
EARLY_BREAK_RANGE = (660.0, 750.0)  # start of the break
LATE_BREAK_RANGE = (885.0, 945.0)
ON_CALL = (375.0, 1140.0)  # EMERGENCY drivers are a reserve: on call all day, where REGULAR drivers work a shift
BUSY_BEFORE_MIN = 15  # the roster counts a driver as busy from this long before a leg's start …
BUSY_AFTER_MIN = 60  # … to this long after it, delays included
NOBODY = 10.0  # weight of work lost while nobody is on duty: those legs go unserved


def workforce_constants() -> dict[str, Any]:
    """Every constant of this file as plain data, for the scenarios' digest."""
    return {name.lower(): value for name, value in globals().items() if name.isupper()}
