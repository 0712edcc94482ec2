"""Playing training days with an exploring network, all days of a round side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic

import numpy as np

from qdispatch_trainer.dqn.agent import DqnAgent
from qdispatch_trainer.dqn.exploration import explore
from qdispatch_trainer.dqn.guidance import NO_PAIR, Guide
from qdispatch_trainer.generator import generate_day
from qdispatch_trainer.replay.day_trace import DayTrace, ObservationT, Step
from qdispatch_trainer.scenarios import Scenario
from qdispatch_trainer.simulator.day_batch import WAIT, DayBatch
from qdispatch_trainer.training import PlayedRound
from qdispatch_trainer.views import DayView, Views


@dataclass(slots=True)
class _OpenStep(Generic[ObservationT]):
    """A decision whose consequences are still being summed up."""

    view: DayView[ObservationT]
    action: int
    reward: float = 0.0
    elapsed_min: float = 0.0


@dataclass(slots=True)
class _Diary(Generic[ObservationT]):
    """One day's decisions so far. Rewards before the first decision belong to none of them and are left out."""

    steps: list[Step[ObservationT]] = field(default_factory=list)
    current: _OpenStep[ObservationT] | None = None

    def decide(self, view: DayView[ObservationT], action: int) -> None:
        self.close()
        self.current = _OpenStep(view, action)

    def earn(self, reward: float, elapsed_min: float) -> None:
        if self.current is not None:
            self.current.reward += reward
            self.current.elapsed_min += elapsed_min

    def close(self) -> None:
        if self.current is not None:
            step = self.current
            self.steps.append(Step(step.view.observation, step.view.mask, step.action, step.reward, step.elapsed_min))
            self.current = None


def _action_of(view: DayView[ObservationT], pair: int, otherwise: int) -> int:
    """The action that commits `pair` (NO_PAIR: waiting); `otherwise` if this network cannot see or take it now."""
    action = 0 if pair == NO_PAIR else int(np.argmax(view.pair_of_action == pair))
    seen = pair == NO_PAIR or view.pair_of_action[action] == pair
    return action if seen and view.mask[action] else otherwise


class ExploringActor(Generic[ObservationT]):
    """Epsilon-greedy on the agent's values; the first `guided` days of a round on the guide's choices.

    An instant at which nothing but waiting is possible is no decision: its reward counts to the decision before it.
    """

    def __init__(
        self, scenario: Scenario, agent: DqnAgent[ObservationT], views: Views[ObservationT], guide: Guide | None = None
    ) -> None:
        self._scenario = scenario
        self._agent = agent
        self._views = views
        self._guide = guide

    def play(
        self, seeds: Sequence[int], epsilon: float, rng: np.random.Generator, guided: int = 0
    ) -> PlayedRound[ObservationT]:
        """See `Actor.play`."""
        batch = DayBatch([generate_day(self._scenario, seed) for seed in seeds])
        diaries: list[_Diary[ObservationT]] = [_Diary() for _ in seeds]
        returns = np.zeros(len(seeds))
        while not batch.over.all():
            situation = batch.situation()
            running = np.flatnonzero(~batch.over)
            chosen = np.full(len(seeds), WAIT, dtype=np.int64)
            decidable = np.flatnonzero(batch.decidable())
            if len(decidable):
                views = self._views.views(situation, decidable)
                values = self._agent.values([view.observation for view in views])
                guidance = self._guide.choices(situation) if self._guide is not None and guided else None
                for day, view, q in zip(decidable.tolist(), views, values, strict=True):
                    greedy = int(np.argmax(np.where(view.mask, q, -np.inf)))
                    if guidance is not None and day < guided:
                        greedy = _action_of(view, int(guidance[day]), greedy)
                    action = explore(greedy, view.mask, epsilon, rng)
                    diaries[day].decide(view, action)
                    chosen[day] = view.pair_of_action[action]
            before = batch.now
            rewards = batch.step(chosen)
            elapsed = batch.now - before
            returns += rewards
            for day in running.tolist():
                diaries[day].earn(float(rewards[day]), float(elapsed[day]))
        for diary in diaries:
            diary.close()
        traces = [DayTrace(diary.steps) for diary in diaries]
        return PlayedRound(traces, float(returns.mean()), sum(len(diary.steps) for diary in diaries))
