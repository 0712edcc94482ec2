from __future__ import annotations

import numpy as np
import pytest

from qdispatch_bundle.interleaved import interleaved_seconds


def test_computations_take_turns_and_the_order_alternates() -> None:
    ran: list[str] = []
    found = interleaved_seconds(
        {"a": lambda: ran.append("a"), "b": lambda: ran.append("b")}, rounds=3, warm_up=1, budget_seconds=60.0
    )
    assert "".join(ran) == "baabbaab"
    assert {name: len(seconds) for name, seconds in found.items()} == {"a": 3, "b": 3}


def test_the_slower_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("qdispatch_bundle.interleaved.time.perf_counter", lambda: clock[0])

    def takes(seconds: float) -> object:
        return lambda: clock.__setitem__(0, clock[0] + seconds)

    found = interleaved_seconds({"slow": takes(0.5), "fast": takes(0.25)}, rounds=5, warm_up=0)  # type: ignore[dict-item]
    assert found["slow"] == pytest.approx(np.full(5, 0.5))
    assert found["fast"] == pytest.approx(np.full(5, 0.25))


def test_the_budget_ends_it_but_never_before_the_least(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, runs = [0.0], [0]
    monkeypatch.setattr("qdispatch_bundle.interleaved.time.perf_counter", lambda: clock[0])

    def work() -> None:
        clock[0] += 1.0
        runs[0] += 1

    interleaved_seconds({"a": work}, rounds=100, warm_up=2, least=5, budget_seconds=10.0)
    assert runs[0] == 10
    runs[0], clock[0] = 0, 0.0
    interleaved_seconds({"a": work}, rounds=100, warm_up=2, least=5, budget_seconds=1.0)
    assert runs[0] == 7


@pytest.mark.parametrize("wrong", [{"rounds": 0}, {"rounds": 3, "least": 4}, {"rounds": 3, "least": 0}])
def test_wrong_numbers_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="least <= rounds"):
        interleaved_seconds({"a": lambda: None}, warm_up=0, **wrong)
