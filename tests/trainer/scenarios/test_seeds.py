import pytest

from qdispatch_trainer.seeds import SeedPurpose, SeedRangeError, purpose_of, require_seed, require_seeds, seed_range


@pytest.mark.parametrize(
    ("seed", "purpose"),
    [
        (0, SeedPurpose.TRAIN),
        (999_999, SeedPurpose.TRAIN),
        (1_000_000, SeedPurpose.VALIDATION),
        (1_999_999, SeedPurpose.VALIDATION),
        (2_000_000, SeedPurpose.TEST),
        (2_999_999, SeedPurpose.TEST),
    ],
)
def test_every_range_ends_where_the_next_begins(seed: int, purpose: SeedPurpose) -> None:
    assert purpose_of(seed) is purpose
    assert require_seed(purpose, seed) == seed


@pytest.mark.parametrize("seed", [-1, 3_000_000])
def test_a_seed_of_no_range_is_refused(seed: int) -> None:
    with pytest.raises(SeedRangeError, match=str(seed)):
        purpose_of(seed)


@pytest.mark.parametrize("purpose", list(SeedPurpose))
@pytest.mark.parametrize("seed", [999_999, 1_000_000, 2_000_000])
def test_a_seed_of_another_purpose_is_refused(purpose: SeedPurpose, seed: int) -> None:
    if purpose_of(seed) is purpose:
        return
    with pytest.raises(SeedRangeError, match=f"expected a {purpose.value} seed"):
        require_seeds(purpose, [purpose.first_seed, seed])


def test_ranges_are_disjoint_and_never_run_over() -> None:
    drawn = [set(seed_range(purpose, 1000, start=999_000)) for purpose in SeedPurpose]
    assert sum(map(len, drawn)) == len(set().union(*drawn)) == 3000
    with pytest.raises(SeedRangeError, match="1000000"):
        seed_range(SeedPurpose.TRAIN, 2, start=999_999)
