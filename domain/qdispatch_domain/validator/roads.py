"""The validator's own travel model: minute by minute through the day's speed windows, scalars only.

It is written a second time on purpose, in another way than the kernel's cumulated integral: a drive walks forwards
(or backwards) through the hours and spends its free-flow minutes at each hour's speed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from qdispatch_domain.snapshot import Location, TravelMatrix

EARTH_RADIUS_KM = 6371.0088
DETOUR = 1.3
FREE_FLOW_KM_PER_MIN = 30.0 / 60.0
# (from, to, speed factor), service-day minutes; at every other time the factor is 1
SLOW_WINDOWS = ((480.0, 540.0, 0.6), (720.0, 780.0, 0.75), (1020.0, 1080.0, 0.6))


@dataclass(frozen=True, slots=True)
class Roads:
    """Drives between places, by the caller's matrix if there is one, else by distance and hour."""

    matrix: TravelMatrix | None = None

    def free_flow_min(self, start: Location, goal: Location) -> float:
        """Minutes of the drive at full speed. A place without `matrix_index` beside a matrix is a ValueError."""
        if self.matrix is not None:
            row, column = _matrix_cell(start, goal)
            return float(self.matrix.seconds[row, column]) / 60.0
        return _crow_km(start, goal) * DETOUR / FREE_FLOW_KM_PER_MIN

    def km(self, start: Location, goal: Location) -> float | None:
        """Kilometres of the drive; None when the caller's matrix has none."""
        if self.matrix is None:
            return _crow_km(start, goal) * DETOUR
        if self.matrix.meters is None:
            return None
        row, column = _matrix_cell(start, goal)
        return float(self.matrix.meters[row, column]) / 1000.0

    def arrive(self, departure: float, start: Location, goal: Location) -> float:
        """When a drive that departs at `departure` arrives, service-day minutes."""
        work = self.free_flow_min(start, goal)
        if self.matrix is not None:
            return departure + work
        clock = departure
        for begin, end, factor in SLOW_WINDOWS:
            if clock < begin:
                if clock + work <= begin:
                    return clock + work
                work -= begin - clock
                clock = begin
            if clock < end:
                if work <= (end - clock) * factor:
                    return clock + work / factor
                work -= (end - clock) * factor
                clock = end
        return clock + work

    def leave_by(self, arrival: float, start: Location, goal: Location) -> float:
        """The departure of the drive that arrives at `arrival`, service-day minutes."""
        work = self.free_flow_min(start, goal)
        if self.matrix is not None:
            return arrival - work
        clock = arrival
        for begin, end, factor in reversed(SLOW_WINDOWS):
            if clock > end:
                if clock - work >= end:
                    return clock - work
                work -= clock - end
                clock = end
            if clock > begin:
                if work <= (clock - begin) * factor:
                    return clock - work / factor
                work -= (clock - begin) * factor
                clock = begin
        return clock - work

    def free_flow_between(self, departure: float, arrival: float) -> float:
        """Free-flow minutes that a drive from `departure` to `arrival` spends (negative if it arrives first)."""
        if self.matrix is not None:
            return arrival - departure
        lost = 0.0
        for begin, end, factor in SLOW_WINDOWS:
            inside = min(arrival, end) - max(departure, begin)
            lost += max(0.0, inside) * (1.0 - factor)
        return arrival - departure - lost


def _matrix_cell(start: Location, goal: Location) -> tuple[int, int]:
    if start.matrix_index is None or goal.matrix_index is None:
        raise ValueError("Expected a matrix_index on every location of a snapshot with a travel matrix.")
    return start.matrix_index, goal.matrix_index


def _crow_km(start: Location, goal: Location) -> float:
    north = math.radians(goal.latitude - start.latitude)
    east = math.radians(goal.longitude - start.longitude)
    chord = (
        math.sin(north / 2.0) ** 2
        + math.cos(math.radians(start.latitude)) * math.cos(math.radians(goal.latitude)) * math.sin(east / 2.0) ** 2
    )
    return 2.0 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, chord)))
