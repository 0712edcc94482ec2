"""Replay memory over observations of any size.

Every observation is stored once; a transition is (step, step n later), found by walking the ring, so n-step costs no
memory. Both a number of steps and a number of bytes are limits: a large fleet's observation is a hundred times a
clinic day's. Sampling is prioritised (Schaul et al. 2016, eq. 1, proportional variant); alpha = 0 makes it uniform.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic

import numpy as np
import numpy.typing as npt

from qdispatch_trainer.replay.day_trace import DayTrace, ObservationT
from qdispatch_trainer.replay.packing import Packing
from qdispatch_trainer.replay.sum_tree import SumTree

MASK_BYTES_PER_STEP = 64  # the ring's own arrays and the mask's header; the mask's bytes are counted


@dataclass(frozen=True, slots=True)
class ReplayConfig:
    """Size and sampling of the memory."""

    capacity_steps: int = 60_000
    capacity_mebibytes: int = 1_024
    n_step: int = 1
    discount_per_minute: float = 1.0  # a day is finite: 1 keeps the return in minutes-equivalent
    priority_alpha: float = 0.0  # 0 = uniform
    priority_beta: float = 0.4  # importance correction; grows to 1 over the training
    priority_floor: float = 0.1  # minutes-equivalent added to |TD error|, so that every step can be drawn

    def __post_init__(self) -> None:
        for name in ("capacity_steps", "capacity_mebibytes", "n_step"):
            if getattr(self, name) < 1:
                raise ValueError(f"Expected {name} >= 1, got {getattr(self, name)}.")
        if not 0.0 < self.discount_per_minute <= 1.0:
            raise ValueError(f"Expected discount_per_minute in (0, 1], got {self.discount_per_minute}.")
        for name in ("priority_alpha", "priority_beta"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"Expected {name} in [0, 1], got {getattr(self, name)}.")
        if not self.priority_floor > 0.0:
            raise ValueError(f"Expected priority_floor > 0, got {self.priority_floor}.")


@dataclass(frozen=True, slots=True)
class Transitions(Generic[ObservationT]):
    """G sampled n-step transitions. Where `terminated_G`, the next observation is the step's own and is not used."""

    slot_G: npt.NDArray[np.int64]
    weight_G: npt.NDArray[np.float32]  # importance weights, at most 1
    observations: Sequence[ObservationT]
    action_G: npt.NDArray[np.int64]
    reward_G: npt.NDArray[np.float32]  # discounted sum over up to n steps, minutes-equivalent
    discount_G: npt.NDArray[np.float32]  # what the bootstrap is multiplied by
    terminated_G: npt.NDArray[np.bool_]
    next_observations: Sequence[ObservationT]
    next_masks: Sequence[npt.NDArray[np.bool_]]


class ReplayMemory(Generic[ObservationT]):
    """A ring of steps in the order they were added; the oldest leave first."""

    def __init__(self, config: ReplayConfig, packing: Packing[ObservationT]) -> None:
        self.config = config
        self._packing = packing
        capacity = config.capacity_steps
        self._observation: list[ObservationT | None] = [None] * capacity
        self._mask: list[npt.NDArray[np.bool_] | None] = [None] * capacity
        self._action = np.zeros(capacity, dtype=np.int64)
        self._reward = np.zeros(capacity)
        self._elapsed = np.zeros(capacity)
        self._ends_day = np.zeros(capacity, dtype=np.bool_)  # the day terminated with this step
        self._is_final = np.zeros(capacity, dtype=np.bool_)  # only there to bootstrap from
        self._tree = SumTree(capacity)
        self._head = 0  # slot of the next step
        self._size = 0
        self._bytes = 0
        self._highest = 1.0  # priority of new steps: the highest seen, so that each is soon drawn

    def __len__(self) -> int:
        """Steps held, the final observations of truncated days included."""
        return self._size

    @property
    def n_bytes(self) -> int:
        """Memory of observations, masks and ring, bytes."""
        return self._bytes

    def add(self, trace: DayTrace[ObservationT]) -> None:
        """Append one day. Raises ValueError when an action is not feasible by its mask."""
        last = len(trace.steps) - 1
        slots = []
        for i, step in enumerate(trace.steps):
            if not 0 <= step.action < len(step.mask) or not step.mask[step.action]:
                raise ValueError(f"Expected a feasible action in step {i} of the day, got {step.action}.")
            ends = i == last and trace.final is None
            slots.append(
                self._append(step.observation, step.mask, step.action, step.reward, step.elapsed_min, ends, False)
            )
        if trace.final is not None and trace.steps:
            observation, mask = trace.final
            slots.append(self._append(observation, mask, 0, 0.0, 0.0, False, True))
        held = np.unique(np.array([slot for slot in slots if self._observation[slot] is not None], dtype=np.int64))
        self._tree.set(held, np.where(self._is_final[held], 0.0, self._highest))

    def _append(
        self,
        observation: ObservationT,
        mask: npt.NDArray[np.bool_],
        action: int,
        reward: float,
        elapsed: float,
        ends_day: bool,
        is_final: bool,
    ) -> int:
        """The slot it went to; its priority is set by the caller."""
        n_bytes = self._bytes_of(observation, mask)
        limit = self.config.capacity_mebibytes * 2**20
        while self._size == self.config.capacity_steps or (self._size > 0 and self._bytes + n_bytes > limit):
            self._drop_oldest()
        slot = self._head
        self._observation[slot] = observation
        self._mask[slot] = mask
        self._action[slot] = action
        self._reward[slot] = reward
        self._elapsed[slot] = elapsed
        self._ends_day[slot] = ends_day
        self._is_final[slot] = is_final
        self._head = (slot + 1) % self.config.capacity_steps
        self._size += 1
        self._bytes += n_bytes
        return slot

    def _bytes_of(self, observation: ObservationT, mask: npt.NDArray[np.bool_]) -> int:
        return self._packing.n_bytes(observation) + mask.nbytes + MASK_BYTES_PER_STEP

    def _drop_oldest(self) -> None:
        slot = (self._head - self._size) % self.config.capacity_steps
        observation, mask = self._observation[slot], self._mask[slot]
        if observation is None or mask is None:
            raise RuntimeError("The ring holds an empty slot between its ends.")
        self._bytes -= self._bytes_of(observation, mask)
        self._observation[slot] = None
        self._mask[slot] = None
        self._tree.set(np.array([slot]), np.array([0.0]))
        self._size -= 1

    def sample(self, size: int, beta: float, rng: np.random.Generator) -> Transitions[ObservationT]:
        """Draw `size` transitions, with replacement, stratified over the priorities. Raises ValueError if empty."""
        if self._tree.total <= 0.0:
            raise ValueError("Expected a memory with at least one step.")
        stratum = (np.arange(size) + rng.random(size)) / size
        slot_G = self._tree.find(stratum * self._tree.total)
        probability_G = self._tree.get(slot_G) / self._tree.total
        weight_G = (probability_G * self._size) ** -beta
        reward_G, discount_G, terminated_G, next_G = self._walk(slot_G)
        return Transitions(
            slot_G=slot_G,
            weight_G=(weight_G / weight_G.max()).astype(np.float32),
            observations=[self._at(slot) for slot in slot_G],
            action_G=self._action[slot_G],
            reward_G=reward_G.astype(np.float32),
            discount_G=discount_G.astype(np.float32),
            terminated_G=terminated_G,
            next_observations=[self._at(slot) for slot in next_G],
            next_masks=[self._mask_at(slot) for slot in next_G],
        )

    def _walk(
        self, slot_G: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
        """n-step sum, discount, terminated, slot to bootstrap from; a reward counts at the start of its step."""
        reward_G = np.zeros(len(slot_G))
        discount_G = np.ones(len(slot_G))
        terminated_G = np.zeros(len(slot_G), dtype=np.bool_)
        at_G = slot_G.copy()
        for _ in range(self.config.n_step):
            walking_G = ~terminated_G & ~self._is_final[at_G]
            reward_G += np.where(walking_G, discount_G * self._reward[at_G], 0.0)
            discount_G *= np.where(walking_G, self.config.discount_per_minute ** self._elapsed[at_G], 1.0)
            terminated_G |= walking_G & self._ends_day[at_G]
            at_G = np.where(walking_G & ~terminated_G, (at_G + 1) % self.config.capacity_steps, at_G)
        return reward_G, discount_G, terminated_G, at_G

    def _at(self, slot: int) -> ObservationT:
        observation = self._observation[slot]
        if observation is None:
            raise RuntimeError(f"Slot {slot} was sampled but is empty.")
        return observation

    def _mask_at(self, slot: int) -> npt.NDArray[np.bool_]:
        mask = self._mask[slot]
        if mask is None:
            raise RuntimeError(f"Slot {slot} was sampled but is empty.")
        return mask

    def set_errors(self, slot_G: npt.NDArray[np.int64], error_G: npt.NDArray[np.float64]) -> None:
        """New priorities from the TD errors [G] (minutes-equivalent) of the sampled slots."""
        if self.config.priority_alpha == 0.0:
            return
        priority_G = (np.abs(error_G) + self.config.priority_floor) ** self.config.priority_alpha
        self._tree.set(slot_G, priority_G)
        self._highest = max(self._highest, float(priority_G.max()))

    def _live(self) -> npt.NDArray[np.int64]:
        return (self._head - self._size + np.arange(self._size)) % self.config.capacity_steps

    def state_dict(self) -> dict[str, Any]:
        """The whole memory as plain arrays; `load_state_dict` continues exactly from it."""
        live = self._live()
        masks = [self._mask_at(slot) for slot in live]
        return {
            "head": self._head,
            "highest": self._highest,
            "observations": self._packing.pack([self._at(slot) for slot in live]),
            "mask_lengths": np.array([len(mask) for mask in masks], dtype=np.int64),
            "masks": np.concatenate(masks) if masks else np.zeros(0, dtype=np.bool_),
            "action": self._action[live],
            "reward": self._reward[live],
            "elapsed": self._elapsed[live],
            "ends_day": self._ends_day[live],
            "is_final": self._is_final[live],
            "priority": self._tree.get(live),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Replace the content. Raises ValueError when it does not fit the capacity."""
        size = len(state["action"])
        if size > self.config.capacity_steps or not 0 <= state["head"] < self.config.capacity_steps:
            raise ValueError(f"Expected at most {self.config.capacity_steps} steps, the stored memory has {size}.")
        self._head, self._size, self._highest = int(state["head"]), size, float(state["highest"])
        live = self._live()
        capacity = self.config.capacity_steps
        self._observation, self._mask = [None] * capacity, [None] * capacity
        masks = np.split(state["masks"], np.cumsum(state["mask_lengths"])[:-1]) if size else []
        self._bytes = 0
        for slot, observation, mask in zip(live, self._packing.unpack(state["observations"]), masks, strict=True):
            self._observation[slot], self._mask[slot] = observation, mask
            self._bytes += self._bytes_of(observation, mask)
        self._action[live], self._reward[live] = state["action"], state["reward"]
        self._elapsed[live] = state["elapsed"]
        self._ends_day[live], self._is_final[live] = state["ends_day"], state["is_final"]
        self._tree = SumTree(capacity)
        self._tree.set(live, state["priority"])
