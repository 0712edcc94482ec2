"""Key figures against scalar code over the day's record, and on a day small enough to count by hand."""

import dataclasses
import math

import numpy as np
import pytest

from qdispatch_domain.snapshot import DriverKind, Leg
from qdispatch_domain.validator.roads import Roads
from qdispatch_trainer.simulator.day_batch import DayBatch
from qdispatch_trainer.simulator.day_log import day_record
from qdispatch_trainer.simulator.kpi import day_kpis
from qdispatch_trainer.simulator.play import play
from tests.trainer.simulator.played import days_of, played, scorer


@pytest.mark.parametrize("scenario", ["clinic-day", "fleet-10x60"])
def test_kpis_are_those_of_the_driven_trips(scenario: str) -> None:
    batch, log = played(scenario, "cheapest", 3)
    roads = Roads()
    for n, kpi in enumerate(day_kpis(batch)):
        record = day_record(batch, n, log)
        bookings = {row.booking.id: row.booking for row in record.bookings}
        drivers = {driver.id: driver for driver in record.drivers}
        late: dict[Leg, list[bool]] = {Leg.OUTBOUND: [], Leg.RETURN: []}
        minutes_late, empty_km, loaded_km, reserve = [], 0.0, 0.0, 0
        legs = dict.fromkeys(drivers, 0)
        driving = dict.fromkeys(drivers, 0.0)
        by = {}
        for trip in record.trips:
            booking = bookings[trip.booking_id]
            assert booking.scheduled_time is not None
            assert booking.pickup is not None
            assert booking.dropoff is not None
            lateness = max(0.0, trip.picked_up_at - booking.scheduled_time)
            minutes_late.append(lateness)
            late[booking.leg].append(lateness > (15.0 if booking.leg is Leg.RETURN else 0.0) + 1e-6)
            empty_km += roads.km(trip.departed_from, booking.pickup) or 0.0
            loaded_km += roads.km(booking.pickup, booking.dropoff) or 0.0
            reserve += drivers[trip.driver_id].kind is DriverKind.EMERGENCY
            legs[trip.driver_id] += 1
            driving[trip.driver_id] += trip.arrived_at - trip.departed_at
            driving[trip.driver_id] += trip.reached_dropoff_at - trip.left_pickup_at
            by[trip.booking_id] = trip.driver_id
        for home in record.home_drives:
            end = drivers[home.driver_id].end_location
            assert end is not None
            empty_km += roads.km(home.departed_from, end) or 0.0
            driving[home.driver_id] += home.arrived_at - home.departed_at
        regular = [d for d in record.drivers if d.kind is DriverKind.REGULAR]
        pairs = [(b.id, b.linked_booking_id) for b in bookings.values() if b.leg is Leg.OUTBOUND]
        both = [(one, other) for one, other in pairs if one in by and other in by]
        assert kpi.bookings == len(bookings)
        assert kpi.unserved == len(record.unserved)
        assert kpi.emergency_trips == reserve
        assert kpi.served_percent == pytest.approx(100.0 * len(record.trips) / len(bookings))
        assert kpi.late_outbound_percent == pytest.approx(100.0 * float(np.mean(late[Leg.OUTBOUND])))
        assert kpi.late_return_percent == pytest.approx(100.0 * float(np.mean(late[Leg.RETURN])))
        assert kpi.mean_lateness_min == pytest.approx(float(np.mean(minutes_late)))
        assert kpi.deadhead_km == pytest.approx(empty_km)
        assert kpi.km_per_trip == pytest.approx((empty_km + loaded_km) / len(record.trips))
        shares = [legs[d.id] / d.contract_share for d in regular]
        assert kpi.gap_trips == pytest.approx(max(shares) - min(shares))
        times = [driving[d.id] / d.contract_share for d in regular]
        assert kpi.gap_driving_min == pytest.approx(max(times) - min(times))
        assert kpi.same_driver_percent == pytest.approx(100.0 * float(np.mean([by[a] == by[b] for a, b in both])))
        assert kpi.cost == pytest.approx(float(batch.cost()[n]))
        parts = [kpi.cost_deadhead, kpi.cost_lateness, kpi.cost_emergency, kpi.cost_driver_change]
        assert kpi.cost == pytest.approx(sum(parts) + kpi.cost_unserved + kpi.cost_spread)


def test_a_driver_who_can_take_no_leg_does_not_widen_the_gap() -> None:
    batch, _ = played("clinic-day", "cheapest", 3)
    before = [kpi.gap_trips for kpi in day_kpis(batch)]
    start = batch.fleet.shift_start.copy()
    try:
        legs = batch.fleet.trips_done / batch.fleet.contract_share
        for n in range(len(batch)):
            regular = np.flatnonzero(batch.truth.regular[n])
            least = regular[np.argmin(legs[n, regular])]
            batch.fleet.shift_start[n, least] = 2000.0
        after = [kpi.gap_trips for kpi in day_kpis(batch)]
    finally:
        batch.fleet.shift_start[:] = start
    assert all(a <= b for a, b in zip(after, before, strict=True))
    assert after != before


def test_a_running_day_has_no_kpis() -> None:
    with pytest.raises(ValueError, match="over"):
        day_kpis(DayBatch(days_of("clinic-day", 1)))


def test_nothing_served_gives_no_means() -> None:
    (day,) = days_of("clinic-day", 1)
    seatless = tuple(dataclasses.replace(driver, seats=0) for driver in day.drivers)
    batch = play([dataclasses.replace(day, drivers=seatless)], scorer("cheapest"))
    (kpi,) = day_kpis(batch)
    assert kpi.served_percent == 0.0
    assert kpi.unserved == kpi.bookings
    assert math.isnan(kpi.mean_lateness_min)
    assert math.isnan(kpi.late_outbound_percent)
    assert kpi.cost == kpi.cost_unserved > 0.0
