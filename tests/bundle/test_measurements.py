from __future__ import annotations

import pytest

from qdispatch_bundle.measurements import (
    ClosedLoop,
    FormReport,
    Interval,
    Machine,
    ModelForm,
    ObservedDays,
    QuantizationReport,
)


def report(form: ModelForm, *lows: float) -> FormReport:
    """A form played in a scenario for each lower bound of the cost difference."""
    loops = tuple(ClosedLoop(f"s{i}", 100, 1, Interval(low + 1.0, low, low + 2.0), ()) for i, low in enumerate(lows))
    return FormReport(form, 1, (), None, 1, None, loops, "")


@pytest.mark.parametrize(
    "lows, qualifies",
    [((-1.0,), True), ((0.0,), True), ((0.1,), False), ((-1.0, 0.1), False), ((), False)],
    ids=["not worse", "just reaches zero", "worse", "worse in one of two scenarios", "never played"],
)
def test_int8_qualifies_when_it_is_nowhere_significantly_worse(lows: tuple[float, ...], qualifies: bool) -> None:
    kept, other = report(ModelForm.INT8_QDQ, *lows), report(ModelForm.INT8_DYNAMIC, -5.0 if not qualifies else 5.0)
    assert kept.qualifies is qualifies
    found = QuantizationReport(Machine("p", 1, "none", "1"), (other, kept), "rule", ModelForm.INT8_QDQ, "reason")
    assert found.int8_qualifies is qualifies


@pytest.mark.parametrize("days, situations, pairs", [(0, 1, 1), (1, 0, 1), (1, 1, -1)])
def test_impossible_calibrations_are_refused(days: int, situations: int, pairs: int) -> None:
    with pytest.raises(ValueError, match="Expected days and situations"):
        ObservedDays("clinic-day", days, 1_900_000, situations, pairs)
