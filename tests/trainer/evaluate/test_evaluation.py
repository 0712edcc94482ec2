"""Evaluation: the same days for everybody, right intervals, right agreement, and a command that says what it needs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from qdispatch_domain.heuristics import CheapestInsertion, NearestDriver
from qdispatch_domain.observation import Scores
from qdispatch_domain.situation import Situation
from qdispatch_domain.weights import WEIGHTS
from qdispatch_trainer.action_agreement import AgreementCounter
from qdispatch_trainer.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from qdispatch_trainer.cli import app
from qdispatch_trainer.closed_loop import kpis_of, returns_of
from qdispatch_trainer.evaluation import SERVER, evaluate
from qdispatch_trainer.matching import JointMatching, match
from qdispatch_trainer.networks.build import build_network
from qdispatch_trainer.paired_difference import interval, paired_difference
from qdispatch_trainer.policies import HEURISTICS, MODEL, network_scorer
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.seeds import SeedRangeError
from qdispatch_trainer.simulator.kpi import DayKpi
from qdispatch_trainer.threshold import calibrate
from qdispatch_trainer.train import feature_fingerprint, network_config
from qdispatch_trainer.train_config import TrainConfig
from qdispatch_trainer.watching import Unwatched

CLINIC = scenario_named("clinic-day")
SEEDS = range(2_000_000, 2_000_004)


def test_interval_by_hand() -> None:
    # mean 3, standard deviation 1, n 3: t(0.975, 2) = 4.302653, half width 4.302653 / sqrt(3)
    found = interval(np.array([2.0, 3.0, 4.0]))
    assert found.mean == 3.0
    assert found.half_width == pytest.approx(4.302653 / 3**0.5, rel=1e-6)
    assert interval(np.array([2.0, np.nan])).half_width is None
    with pytest.raises(ValueError, match="at least one day"):
        interval(np.array([np.nan]))


def test_paired_differences_are_taken_day_by_day() -> None:
    found = paired_difference(np.array([10.0, 1000.0, 100.0]), np.array([9.0, 999.0, 99.0]))
    assert found.mean == 1.0
    assert found.half_width == pytest.approx(0.0)
    with pytest.raises(ValueError, match="same days"):
        paired_difference(np.zeros(2), np.zeros(3))


def test_matching_against_all_assignments() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        cost_BD = rng.uniform(-5, 60, (4, 3))
        present = rng.random((4, 3)) < 0.7
        if not present.any():
            continue
        b, d = np.nonzero(present)
        rows = match(b, d, cost_BD[present])
        found = (len(rows), -cost_BD[b[rows], d[rows]].sum())
        options = [[(x, y) for y, x in enumerate(order) if present[x, y]] for order in permutations(range(4), 3)]
        # every permutation contains all its sub-matchings; the best uses as many pairs as there are
        best = max((len(option), -sum(cost_BD[pair] for pair in option)) for option in options)
        assert found[0] == best[0]
        assert found[1] == pytest.approx(best[1])


@dataclass(frozen=True)
class Opposite:
    """Ranks as cheapest insertion turned round."""

    def score(self, situation: Situation) -> Scores:
        scores = CheapestInsertion().score(situation)
        return Scores(-scores.q_pair, scores.q_wait, scores.commit)


def test_agreement_is_whole_with_oneself_and_not_with_another() -> None:
    own = AgreementCounter(CheapestInsertion(), CheapestInsertion())
    kpis_of(CLINIC, SEEDS, own)
    assert own.share == 1.0
    other = AgreementCounter(CheapestInsertion(), Opposite())
    kpis_of(CLINIC, SEEDS, other)
    assert other.share is not None
    assert other.share < 0.95
    assert other.decisions == own.decisions > 50  # counting changes nothing that is played


def test_days_do_not_depend_on_who_else_is_played() -> None:
    evaluation = evaluate(CLINIC, SEEDS, NearestDriver(), None, Unwatched())
    assert set(evaluation.kpis) == {MODEL, *HEURISTICS}
    np.testing.assert_array_equal(evaluation.kpis[MODEL]["cost"], evaluation.kpis["nearest driver"]["cost"])
    np.testing.assert_allclose(
        evaluation.kpis["cheapest insertion"]["cost"], -returns_of(CLINIC, SEEDS, CheapestInsertion()), atol=1e-6
    )
    difference = evaluation.difference("nearest driver", "cost")
    assert difference is not None
    assert (difference.mean, difference.half_width) == (0.0, 0.0)
    assert evaluation.baseline == MODEL
    json.dumps(evaluation.to_dict(), allow_nan=False)


def test_seeds_of_two_purposes_never_mix() -> None:
    with pytest.raises(SeedRangeError):
        evaluate(CLINIC, [1_999_999, 2_000_000], None, None, Unwatched())


def test_joint_matching_serves_its_days() -> None:
    served = np.mean([kpi.served_percent for kpi in kpis_of(CLINIC, SEEDS, JointMatching())])
    assert served > 80.0


def test_a_threshold_needs_a_gain_beyond_the_noise() -> None:
    noise = np.random.default_rng(0).normal(0, 10, 100)
    clear = calibrate(lambda bias: noise - abs(bias + 4.0))
    assert clear.chosen_min == -4.0
    assert clear.gain.mean == pytest.approx(4.0)
    unclear = calibrate(lambda bias: noise + (np.random.default_rng(1).normal(0.1, 10, 100) if bias == 2.0 else 0.0))
    assert unclear.chosen_min == 0.0


def write_checkpoint(path: Path, **changes: object) -> None:
    torch.manual_seed(0)
    values: dict[str, object] = {
        "network": build_network(network_config(TrainConfig())),
        "feature_fingerprint": feature_fingerprint("set"),
        "scenario": "clinic-day",
        "scenario_digest": CLINIC.digest(),
        "weights_digest": WEIGHTS.digest(),
        "seed": 3,
        "wait_bias_min": -1000.0,
    }
    save_checkpoint(Checkpoint(**(values | changes)), path)  # type: ignore[arg-type]


def test_the_command_prints_a_table_and_writes_every_number(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "model.pt")
    arguments = [
        "evaluate",
        str(tmp_path / "model.pt"),
        "--days",
        "3",
        "--json",
        str(tmp_path / "out" / "results.json"),
    ]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "cheapest insertion" in result.stdout
    found = json.loads((tmp_path / "out" / "results.json").read_text())
    assert (found["first_seed"], found["days"], found["seed_purpose"]) == (2_000_000, 3, "test")
    assert found["weights_digest"] == WEIGHTS.digest()
    assert found["model"]["wait_bias_min"] == -1000.0
    checkpoint = load_checkpoint(tmp_path / "model.pt")
    own = kpis_of(CLINIC, range(2_000_000, 2_000_003), network_scorer(checkpoint.network, -1000.0))
    assert found["policies"]["model"]["cost_per_day"] == pytest.approx([day.cost for day in own], abs=1e-5)
    assert found["policies"]["nearest driver"]["baseline_minus_this"]["cost"]["days"] == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.pt"], "no checkpoint"),
        (["--scenario", "moon"], "unknown scenario"),
        (["--seeds-from", "1999990"], "cross the border"),
    ],
)
def test_bad_input_is_named_and_exits_2(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(app, ["evaluate", *arguments])
    assert result.exit_code == 2
    assert message in result.output


@pytest.mark.parametrize(
    ("change", "message"),
    [({"feature_fingerprint": "00"}, "other features"), ({"weights_digest": "00"}, "other cost weights")],
)
def test_a_checkpoint_of_another_world_is_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    write_checkpoint(tmp_path / "model.pt", **change)
    result = CliRunner().invoke(app, ["evaluate", str(tmp_path / "model.pt")])
    assert result.exit_code == 2
    assert message in result.output


def test_a_server_nobody_runs_gives_no_answer(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["evaluate", "--days", "2", "--server", "127.0.0.1:1"])
    assert result.exit_code == 4
    assert "no answer" in result.output


def test_days_through_a_server_stand_beside_the_model() -> None:
    def through(scenario: object, seeds: object) -> list[DayKpi]:
        return kpis_of(CLINIC, SEEDS, CheapestInsertion())

    evaluation = evaluate(CLINIC, SEEDS, None, through, Unwatched())
    assert evaluation.baseline == SERVER
    difference = evaluation.difference("cheapest insertion", "cost")
    assert difference is not None
    assert difference.mean == 0.0
