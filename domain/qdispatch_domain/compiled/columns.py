"""Columns of the tables in which a kernel gathers one day: positions, schedule rows, open bookings, timed pairs.

A position stands before a COMMITTED trip, or at the end of work; the positions of a driver are neighbouring rows.
Flows are F(t) of `roads.py`; "punctual" means picked up at the scheduled time.
"""

from __future__ import annotations


class _Next:
    """Hands out column numbers, `width` at a time."""

    def __init__(self) -> None:
        self._columns = 0

    def __call__(self, width: int = 1) -> int:
        self._columns += width
        return self._columns - width


_next = _Next()
# --- position -----------------------------------------------------------------------------------------------------
FREE = _next()  # when the driver is free here
FREE_FLOW = _next()
PLACE = _next(4)  # where
LATEST = _next()  # latest pickup of the trip behind that breaks nothing; at the end: latest finish
LATEST_FLOW = _next()
LATEST_END = _next()  # end of the trip behind when it is picked up then
LEAVES = _next()  # when the driver leaves for the trip behind, NEVER at the end
# the trip behind
TRIP_SCHEDULED = _next()
TRIP_PICKUP_SERVICE = _next()
TRIP_DROPOFF_SERVICE = _next()
TRIP_LOADED = _next()
TRIP_TOLERANCE = _next()
TRIP_PROMISE = _next()  # promised + tolerance
TRIP_RATE = _next()  # cost per minute of lateness
TRIP_BUFFER_FLOW = _next()  # flow of scheduled - buffer
TRIP_PUNCTUAL_END = _next()
TRIP_PICKUP_PLACE = _next(4)
TRIP_APPROACH = _next()
TRIP_PICKUP = _next()
TRIP_END = _next()
TRIP_DEADHEAD = _next()
TRIP_LATENESS = _next()  # its cost, as it is timed now
POSITION_COLUMNS = _next()

_next = _Next()
# --- schedule row -------------------------------------------------------------------------------------------------
DRIVER = _next()
FIRST = _next()  # row of the driver's first position
TRIPS = _next()  # COMMITTED trips
REGULAR = _next()  # flag
WHEELCHAIR_ACCESS = _next()  # flag
SEATS = _next()
HAS_HOME = _next()  # flag
HOME = _next(4)
SHIFT_END = _next()
FINISH = _next()
HOME_DEADHEAD = _next()
EMERGENCY_PRICE = _next()  # of one more trip
SPREAD_PRICE = _next()  # of one more trip
BREAKS = _next()  # how many
BREAK = _next()  # 3 per break: start, end, flow of end
BREAK_COLUMNS = 3

_next = _Next()
# --- open booking -------------------------------------------------------------------------------------------------
BOOKING = _next()
WHEELCHAIR = _next()  # flag
PASSENGERS = _next()
PLANNED_DRIVER = _next()  # -1: none
PINNED = _next()  # flag
SCHEDULED = _next()
TOLERANCE = _next()
PICKUP_SERVICE = _next()
DROPOFF_SERVICE = _next()
LOADED = _next()
RATE = _next()  # cost per minute of lateness
BUFFER_FLOW = _next()  # flow of scheduled - buffer
PUNCTUAL_END = _next()
SHORTEST_END = _next()  # no end is earlier
PICKUP_PLACE = _next(4)
DROPOFF_PLACE = _next(4)
ON_TIME_LATEST = _next(3)  # scheduled + tolerance; its flow; the end when picked up then
PERMITTED_LATEST = _next(3)  # the same for the latest permitted insertion
BOOKING_COLUMNS = _next()

_next = _Next()
# --- timed pair: the best insertion of a booking into one schedule row ------------------------------------------------
ROW = _next()
POSITION = _next()
DEPART = _next()
PICKUP = _next()
END = _next()
ON_TIME = _next()  # flag
DEADHEAD = _next()
LATENESS = _next()
DOWNSTREAM = _next()
SLACK = _next()
EXPIRY = _next()
ROUTE_COST = _next()
CHANGE_PRICE = _next()
TOTAL = _next()
PAIR_COLUMNS = _next()
