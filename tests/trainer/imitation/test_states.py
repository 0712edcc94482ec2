"""Ragged states: a vectorised gather gives exactly what picking the states one by one gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from qdispatch_trainer.imitation.state_files import StateFiles
from qdispatch_trainer.imitation.states import STATE, States, StateStore, join
from qdispatch_trainer.run_directory import RunError


def random_states(rng: np.random.Generator, size: int) -> States:
    counts = {"driver": rng.integers(1, 4, size), "pair": rng.integers(0, 6, size)}
    return States(
        counts,
        {
            STATE: {"context": rng.random((size, 2)).astype(np.float16)},
            "driver": {"features": rng.random((int(counts["driver"].sum()), 3)).astype(np.float16)},
            "pair": {
                "cost": rng.random(int(counts["pair"].sum())),
                "must": rng.random(int(counts["pair"].sum())) < 0.5,
            },
        },
    )


def one(states: States, index: int) -> dict[str, np.ndarray]:
    """All rows of one state, by a plain loop."""
    found: dict[str, np.ndarray] = {"context": states.columns[STATE]["context"][index]}
    for group in ("driver", "pair"):
        first = sum(int(n) for n in states.counts[group][:index])
        rows = slice(first, first + int(states.counts[group][index]))
        found |= {f"{group}/{name}": array[rows] for name, array in states.columns[group].items()}
    return found


def same(a: States, b: States) -> bool:
    return all(np.array_equal(a.counts[group], b.counts[group]) for group in a.counts) and all(
        np.array_equal(array, b.columns[group][name]) and array.dtype == b.columns[group][name].dtype
        for group, columns in a.columns.items()
        for name, array in columns.items()
    )


def test_gather_against_picking_one_by_one() -> None:
    rng = np.random.default_rng(0)
    parts = [random_states(rng, size) for size in (5, 1, 40)]
    store = StateStore(1)
    for part in parts:
        store.append(part)
    whole = join(parts)
    assert len(store) == len(whole) == 46
    assert store.n_bytes == whole.n_bytes
    index = rng.integers(46, size=60)
    gathered = store.gather(index)
    assert same(gathered, whole.take(index))
    for position, state in enumerate(index.tolist()):
        expected, found = one(whole, state), one(gathered, position)
        assert expected.keys() == found.keys()
        for name, rows in expected.items():
            np.testing.assert_array_equal(rows, found[name])
    np.testing.assert_array_equal(gathered.rows_of("pair"), np.repeat(np.arange(60), gathered.counts["pair"]))


def test_the_store_keeps_its_limit() -> None:
    rng = np.random.default_rng(0)
    store = StateStore(1)
    part = random_states(rng, 1000)
    for _ in range(2**20 // part.n_bytes):
        store.append(part)
    held = len(store)
    with pytest.raises(MemoryError, match="1 MiB"):
        store.append(part)
    assert len(store) == held


def test_a_file_holds_a_round_and_a_damaged_one_says_so(tmp_path: Path) -> None:
    states = random_states(np.random.default_rng(0), 7)
    files = StateFiles(tmp_path / "states")
    files.save(1, states)
    assert same(files.load(1), states)
    path = tmp_path / "states" / "round-000001.npz"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(RunError, match="round 1 cannot be read"):
        files.load(1)
    with pytest.raises(RunError, match="round 2 cannot be read"):
        files.load(2)
    files.remove()
    assert not (tmp_path / "states").exists()
