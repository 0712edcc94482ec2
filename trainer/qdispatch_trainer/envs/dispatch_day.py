"""One simulated day as a Gymnasium environment: `DayBatch` with N = 1."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from qdispatch_trainer.envs.action_codec import WAIT_ACTION, ActionCodec
from qdispatch_trainer.envs.padded_observation import Padded, PaddedShape
from qdispatch_trainer.envs.rendering import day_as_text
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.scenarios import scenario_named
from qdispatch_trainer.seeds import SEEDS_PER_PURPOSE, SeedPurpose, require_seed, seed_at
from qdispatch_trainer.simulator.day_batch import WAIT, DayBatch
from qdispatch_trainer.simulator.kpi import day_kpis

STEPS_PER_BOOKING = 100  # then the episode is truncated; a day needs about ten


class DispatchDayEnv(gymnasium.Env[Padded, np.int64]):
    """Dispatch the bookings of one day to its drivers.

    ## Action space
    `Discrete(1 + D * M)`, D = most drivers and M = most bookings of the scenario (EMERGENCY drivers included).

    | action | meaning |
    |---|---|
    | 0 | wait until the next event |
    | 1 + d * M + b | insert the open booking of row b into the schedule of the driver of row d, at its best position |

    `info["action_mask"]` (int8, [1 + D * M]) holds 1 for what is permitted now: candidate pairs, and waiting unless a
    booking has reached its `decide_by`. A masked action changes nothing, costs nothing and sets
    `info["masked_action"]`; rows are re-sorted after every step, so the mask has to be read each time.

    ## Observation space
    `Dict`, rows beyond `rows` are padding. P = 6 M at most. Columns, units and scales of the features stand, one by
    one, in `qdispatch_domain.features` (DRIVER, BOOKING, PAIR, CONTEXT); every value is raw / scale, within [-4, 4].

    | key | shape | meaning | unit | range |
    |---|---|---|---|---|
    | driver_features | [D, 19] | one row per driver | see `DRIVER` | [-4, 4] |
    | booking_features | [M, 23] | one row per open booking, in the day's order | see `BOOKING` | [-4, 4] |
    | pair_features | [P, 26] | one row per candidate pair, by booking, cheapest driver first | see `PAIR` | [-4, 4] |
    | pair_driver | [P] | driver row of the pair | row | -1 (padding) to D - 1 |
    | pair_booking | [P] | booking row of the pair | row | -1 (padding) to M - 1 |
    | pair_cost | [P] | growth of the day's cost C by the insertion | minutes-equivalent | [-1e5, 1e5] |
    | context | [17] | the situation as a whole | see `CONTEXT` | [-4, 4] |
    | rows | [3] | real rows: drivers, bookings, pairs | rows | >= 0 |

    ## Reward
    C(s) - C(s'), minutes-equivalent, waiting included (docs/dispatch-rules.md): the undiscounted return of a day is
    C(start) - C(end). An insertion's reward is exactly -`pair_cost`. Instants without any permitted insertion are
    passed over, and the day is run to its end after the last booking; the rewards are part of the step before.

    ## Start, end
    A day starts at 6:00 with the bookings known then. `terminated`: nothing is open or to come and all trips are done.
    `truncated`: more than `STEPS_PER_BOOKING` steps per booking row were taken.

    ## Seeds
    `reset(seed=...)` draws days of the environment's `purpose` (default: training days) from that seed;
    `reset(options={"day_seed": s})` takes day s itself, which has to belong to the purpose (SeedRangeError).

    ## Info
    `action_mask`; `masked_action` (bool); `now_min` (service-day minutes); `elapsed_min` (since the step before);
    `cost` (C(s), minutes-equivalent); `day_seed`; at the end of the day also `kpi` (fields of `DayKpi`).

    Arguments: `scenario`, a name of `qdispatch_trainer.scenarios.SCENARIOS`; `purpose`, "train", "validation" or
    "test"; `render_mode`, None or "ansi" (a text of the drivers' schedules).
    """

    metadata = {"render_modes": ["ansi"], "render_fps": 1}  # noqa: RUF012 - Gymnasium's own attribute, read only

    def __init__(
        self, scenario: str = "clinic-day", purpose: str = SeedPurpose.TRAIN.value, render_mode: str | None = None
    ) -> None:
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise ValueError(f"render_mode {render_mode!r} is unknown; expected None or 'ansi'")
        self.scenario = scenario_named(scenario)
        self.purpose = SeedPurpose(purpose)
        self.render_mode = render_mode
        self.shape = PaddedShape.of(self.scenario)
        self.codec = ActionCodec(self.shape.drivers, self.shape.bookings)
        self.action_space = spaces.Discrete(self.codec.size)
        self.observation_space = self.shape.space()
        self._batch: DayBatch | None = None
        self._steps = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Padded, dict[str, Any]]:
        """Start a day; see "Seeds" above. ValueError for an unknown option."""
        super().reset(seed=seed)
        options = dict(options or {})
        day_seed = options.pop("day_seed", None)
        if options:
            raise ValueError(f"unknown options {sorted(options)}; expected day_seed")
        if day_seed is None:
            day_seed = seed_at(self.purpose, int(self.np_random.integers(SEEDS_PER_PURPOSE)))
        day = generate_day(self.scenario, require_seed(self.purpose, day_seed))
        self._batch = DayBatch([day])
        self._steps = 0
        _pass_over(self._batch)
        return self._observation(), self._info(masked=False, elapsed=0.0)

    def step(self, action: np.int64) -> tuple[Padded, float, bool, bool, dict[str, Any]]:
        """One decision; see the class. ValueError for a number that is no action, RuntimeError before `reset`."""
        batch = self._running()
        before, now = float(batch.cost()[0]), float(batch.now[0])
        self._steps += 1
        self.codec.decode(int(action))  # refuses a number that is no action
        permitted = bool(self._mask()[int(action)])
        if permitted and not batch.over[0]:
            batch.step(np.array([self._pair(int(action))]))
            _pass_over(batch)
        reward = before - float(batch.cost()[0])
        terminated = bool(batch.over[0])
        truncated = not terminated and self._steps >= STEPS_PER_BOOKING * self.shape.bookings
        info = self._info(masked=not permitted, elapsed=float(batch.now[0]) - now)
        return self._observation(), reward, terminated, truncated, info

    def render(self) -> str | None:
        """The drivers' schedules as text in mode "ansi", else None."""
        return day_as_text(self._running().snapshot(0)) if self.render_mode == "ansi" else None

    def _running(self) -> DayBatch:
        if self._batch is None:
            raise RuntimeError("Expected reset() before step() or render().")
        return self._batch

    def _observation(self) -> Padded:
        return self.shape.pad(self._running().situation().observations.one(0))

    def _actions(self) -> npt.NDArray[np.int64]:
        """The action of every candidate pair, [P]."""
        observation = self._running().situation().observations.one(0)
        return self.codec.encode(observation.pair_driver, observation.pair_booking)

    def _pair(self, action: int) -> int:
        return WAIT if action == WAIT_ACTION else int(np.flatnonzero(self._actions() == action)[0])

    def _mask(self) -> npt.NDArray[np.int8]:
        mask = np.zeros(self.codec.size, dtype=np.int8)
        mask[self._actions()] = 1
        mask[WAIT_ACTION] = not self._running().must_decide()[0]
        return mask

    def _info(self, *, masked: bool, elapsed: float) -> dict[str, Any]:
        batch = self._running()
        info: dict[str, Any] = {
            "action_mask": self._mask(),
            "masked_action": masked,
            "now_min": float(batch.now[0]),
            "elapsed_min": elapsed,
            "cost": float(batch.cost()[0]),
            "day_seed": batch.truth.days[0].seed,
        }
        if batch.over[0]:
            info["kpi"] = asdict(day_kpis(batch)[0])
        return info


def _pass_over(batch: DayBatch) -> None:
    """Run on while there is nothing to choose."""
    while not batch.over[0] and not batch.decidable()[0]:
        batch.wait(np.ones(1, dtype=np.bool_))
