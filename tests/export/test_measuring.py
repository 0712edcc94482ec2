from __future__ import annotations

import numpy as np
import pytest

from qdispatch_bundle.manifest import ModelKind
from qdispatch_bundle.measurements import LatencyRow, ModelForm
from qdispatch_bundle.replay import situation_of
from qdispatch_bundle.synthetic_inputs import synthetic_observations
from qdispatch_domain.heuristics import CheapestInsertion, RandomFeasible
from qdispatch_export.agreement import best_action, measure_agreement
from qdispatch_export.closed_loop import compare_closed_loop, kpi_table, play_costs
from qdispatch_export.latency import measure_latency, typical_ms
from qdispatch_export.moments import observe, permitted_actions
from qdispatch_trainer.scenarios import scenario_named
from tests.bundle.snapshots import snapshot
from tests.export.checkpoints import open_fp32, set_checkpoint

CLINIC = scenario_named("clinic-day")


def test_latency_has_a_row_per_size_and_form() -> None:
    opened = open_fp32(set_checkpoint())
    sizes = synthetic_observations(ModelKind.SET, np.random.default_rng(0), edges=False)
    rows = measure_latency({ModelForm.FP32: opened.session, ModelForm.INT8_QDQ: opened.session}, sizes, 3)
    assert set(rows) == {ModelForm.FP32, ModelForm.INT8_QDQ}
    assert [row.size for row in rows[ModelForm.FP32]] == ["4x19", "10x20", "30x60", "50x100", "100x300", "100x700"]
    assert all(row.median_ms > 0.0 for row in rows[ModelForm.INT8_QDQ])
    with pytest.raises(ValueError, match="runs >= 1"):
        measure_latency({ModelForm.FP32: opened.session}, sizes, 0)


def test_the_typical_latency_weighs_every_size_alike() -> None:
    rows = [LatencyRow("a", 1, 1, 1, 0.1), LatencyRow("b", 1, 1, 1, 10.0)]
    assert typical_ms(rows) == pytest.approx(1.0)


def test_agreement_is_whole_with_itself_and_less_with_a_stranger() -> None:
    one, other = open_fp32(set_checkpoint(0)), open_fp32(set_checkpoint(5))
    moments = observe(ModelKind.SET, CLINIC, 2, one.model, 20, np.random.default_rng(0)).moments
    same = measure_agreement(one.session, one.session, moments)
    assert (same.top1, same.max_q_difference, same.observations) == (1.0, 0.0, len(moments))
    strange = measure_agreement(one.session, other.session, moments)
    assert strange.max_q_difference > 1.0
    with pytest.raises(ValueError, match="at least one moment"):
        measure_agreement(one.session, one.session, [])


def test_only_permitted_actions_count() -> None:
    flat = {"q": np.array([5.0, 9.0, 7.0], dtype=np.float32)}
    assert best_action(flat, np.array([True, True, True])) == 1
    assert best_action(flat, np.array([True, False, True])) == 2
    pairs = {"q_pair": np.array([1.0, 2.0], dtype=np.float32), "q_wait": np.array([3.0], dtype=np.float32)}
    assert best_action(pairs, np.array([True, True, True])) == 2
    assert best_action(pairs, np.array([True, True, False])) == 1


def test_waiting_is_not_permitted_once_a_booking_must_be_decided() -> None:
    situation = situation_of(snapshot(1, 4, 8))
    for kind, waiting in ((ModelKind.SET, -1), (ModelKind.FLAT, 0)):
        permitted = permitted_actions(kind, situation, 0)
        assert bool(permitted[waiting]) is not bool(situation.table.must.any())
    assert permitted_actions(ModelKind.SET, situation, 0).size == len(situation.table.rank) + 1


def test_the_same_policy_differs_by_nothing_and_a_worse_one_by_much() -> None:
    good = play_costs(CLINIC, 12, CheapestInsertion())
    again = play_costs(CLINIC, 12, CheapestInsertion())
    bad = play_costs(CLINIC, 12, RandomFeasible(1))
    found = compare_closed_loop(CLINIC, 12, good, {ModelForm.INT8_DYNAMIC: again, ModelForm.INT8_QDQ: bad})
    same, worse = found[ModelForm.INT8_DYNAMIC], found[ModelForm.INT8_QDQ]
    assert (same.cost_difference.low, same.cost_difference.mean, same.cost_difference.high) == (0.0, 0.0, 0.0)
    assert not same.significantly_worse
    assert worse.significantly_worse
    terms = sum(
        row.difference.mean
        for row in worse.kpis
        if row.difference is not None and row.kpi != "cost" and row.unit.startswith("minutes")
    )
    assert terms == pytest.approx(worse.cost_difference.mean)
    assert worse.first_seed == 1_200_000, "judged on validation seeds only"


def test_the_key_figures_compare_policies_on_the_same_days() -> None:
    figures = {"good": play_costs(CLINIC, 12, CheapestInsertion()), "bad": play_costs(CLINIC, 12, RandomFeasible(1))}
    table = kpi_table(CLINIC, 12, "good", figures)
    rows = {(row.policy, row.kpi): row for row in table.rows}
    assert all((row.difference is None) == (row.policy == "good") for row in table.rows)
    worse = rows["bad", "cost"].difference
    assert worse is not None
    assert worse.low > 0.0
    assert worse.mean == pytest.approx(rows["bad", "cost"].mean - rows["good", "cost"].mean)
    assert 95.0 < rows["good", "served"].mean <= 100.0
    unserved = {policy: rows[policy, "unserved"].mean for policy in figures}
    served = {policy: rows[policy, "served"].mean for policy in figures}
    assert (unserved["bad"] > unserved["good"]) is (served["bad"] < served["good"])
    assert rows["bad", "late outbound"].mean > rows["good", "late outbound"].mean
