"""Which seeds may be used for what: training, validation and test days never mix.

Every day is generated from (scenario, seed). The ranges are disjoint and checked wherever a seed enters, so that a
checkpoint is never chosen on a day of the published tables and nothing is ever trained on a validation day.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

SEEDS_PER_PURPOSE = 1_000_000


class SeedPurpose(StrEnum):
    """TRAIN: 0 to 999,999. VALIDATION (every choice made): 1,000,000+. TEST (published tables only): 2,000,000+."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"

    @property
    def first_seed(self) -> int:
        """The lowest seed of the range."""
        return _FIRST_SEED[self]


_FIRST_SEED = {
    SeedPurpose.TRAIN: 0,
    SeedPurpose.VALIDATION: SEEDS_PER_PURPOSE,
    SeedPurpose.TEST: 2 * SEEDS_PER_PURPOSE,
}


class SeedRangeError(ValueError):
    """A seed was used for a purpose whose range does not hold it."""


def purpose_of(seed: int) -> SeedPurpose:
    """The purpose whose range holds `seed`; SeedRangeError if there is none."""
    for purpose in SeedPurpose:
        if 0 <= seed - purpose.first_seed < SEEDS_PER_PURPOSE:
            return purpose
    raise SeedRangeError(f"seed {seed} is in no range; expected 0 to {3 * SEEDS_PER_PURPOSE - 1}")


def require_seed(purpose: SeedPurpose, seed: int) -> int:
    """`seed` itself if it belongs to `purpose`; SeedRangeError otherwise."""
    actual = purpose_of(seed)
    if actual is not purpose:
        first = purpose.first_seed
        raise SeedRangeError(
            f"seed {seed} is a {actual.value} seed; expected a {purpose.value} seed, "
            f"{first} to {first + SEEDS_PER_PURPOSE - 1}"
        )
    return seed


def require_seeds(purpose: SeedPurpose, seeds: Iterable[int]) -> tuple[int, ...]:
    """All `seeds`, each checked by `require_seed`."""
    return tuple(require_seed(purpose, seed) for seed in seeds)


def seed_at(purpose: SeedPurpose, index: int) -> int:
    """The `index`-th seed of `purpose`, 0 <= index < 1,000,000; SeedRangeError outside."""
    if not 0 <= index < SEEDS_PER_PURPOSE:
        raise SeedRangeError(f"index {index} is outside 0 to {SEEDS_PER_PURPOSE - 1}")
    return purpose.first_seed + index


def seed_range(purpose: SeedPurpose, count: int, start: int = 0) -> tuple[int, ...]:
    """`count` consecutive seeds of `purpose`, from its `start`-th on."""
    if count < 0:
        raise SeedRangeError(f"count {count} is negative")
    return tuple(seed_at(purpose, start + index) for index in range(count))
