from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from qdispatch_server.errors import (
    RequestIdReusedError,
    RevisionMismatchError,
    ServerError,
    StateUnavailableError,
)
from qdispatch_server.state.database import open_engine
from qdispatch_server.state.switches import Switch, SwitchStore
from qdispatch_server.state.tables import audit_record

T0 = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def switch(store: SwitchStore, request_id: str, enabled: bool, revision: int, company: str = "c", at: datetime = T0):  # type: ignore[no-untyped-def]
    return store.set_enabled(
        request_id=request_id, company_id=company, enabled=enabled, expected_revision=revision, at=at
    )


def test_a_change_is_read_back_by_another_engine(engine: Engine, database_url: str) -> None:
    assert switch(SwitchStore(engine), "r1", False, 0) == Switch("c", False, 1, T0)
    other = open_engine(database_url)
    state = SwitchStore(other).read_all()
    assert dict(state.switches) == {"c": Switch("c", False, 1, T0)}
    other.dispose()


def test_revisions_grow_by_one_per_company_and_the_whole_with_each_change(engine: Engine) -> None:
    store = SwitchStore(engine)
    assert switch(store, "r1", False, 0).revision == 1
    assert switch(store, "r2", True, 1).revision == 2
    assert switch(store, "r3", True, 0, company="d").revision == 1
    assert store.revision() == store.read_all().revision == 3


@pytest.mark.parametrize("expected", [0, 2, 9])
def test_another_revision_than_the_present_one_changes_nothing(engine: Engine, expected: int) -> None:
    store = SwitchStore(engine)
    switch(store, "r1", False, 0)
    with pytest.raises(RevisionMismatchError) as caught:
        switch(store, "r2", True, expected)
    assert caught.value.current_revision == 1
    assert store.read_all().switches["c"].enabled is False
    assert store.revision() == 1


def test_the_first_change_of_a_company_expects_revision_0(engine: Engine) -> None:
    with pytest.raises(RevisionMismatchError) as caught:
        switch(SwitchStore(engine), "r1", True, 1)
    assert caught.value.current_revision == 0


def test_a_repetition_answers_the_first_answer_even_after_later_changes(engine: Engine) -> None:
    store = SwitchStore(engine)
    first = switch(store, "r1", False, 0)
    switch(store, "r2", True, 1)
    assert switch(store, "r1", False, 0, at=T0 + timedelta(hours=1)) == first
    assert store.read_all().switches["c"] == Switch("c", True, 2, T0)
    assert store.revision() == 2


@pytest.mark.parametrize(("enabled", "revision", "company"), [(True, 0, "c"), (False, 1, "c"), (False, 0, "d")])
def test_a_request_id_names_one_change(engine: Engine, enabled: bool, revision: int, company: str) -> None:
    store = SwitchStore(engine)
    switch(store, "r1", False, 0)
    with pytest.raises(RequestIdReusedError):
        switch(store, "r1", enabled, revision, company=company)


def test_every_change_leaves_one_audit_record(engine: Engine) -> None:
    store = SwitchStore(engine)
    switch(store, "r1", False, 0)
    switch(store, "r1", False, 0)
    switch(store, "r2", True, 1)
    with engine.connect() as connection:
        rows = connection.execute(select(audit_record).order_by(audit_record.c.revision)).all()
    assert [(row.request_id, row.action, row.company_id, row.enabled, row.revision) for row in rows] == [
        ("r1", "SET_ENABLED", "c", False, 1),
        ("r2", "SET_ENABLED", "c", True, 2),
    ]


@pytest.mark.parametrize("same_id", [True, False], ids=["one request, sent twice", "two requests"])
def test_at_the_same_time_one_wins(engine: Engine, database_url: str, same_id: bool) -> None:
    """Two workers change the same company from the same revision, many times over."""
    store = SwitchStore(engine)
    others = [open_engine(database_url), open_engine(database_url)]
    for revision in range(8):
        outcomes: list[object] = []
        start = threading.Barrier(2)

        def change(side: int, revision: int, outcomes: list[object], start: threading.Barrier) -> None:
            request_id = f"{same_id}-{revision}" if same_id else f"{same_id}-{revision}-{side}"
            start.wait(30)
            try:
                outcomes.append(switch(SwitchStore(others[side]), request_id, revision % 2 == 0, revision))
            except ServerError as error:
                outcomes.append(error)

        threads = [threading.Thread(target=change, args=(side, revision, outcomes, start)) for side in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        answers = [outcome for outcome in outcomes if isinstance(outcome, Switch)]
        refusals = [outcome for outcome in outcomes if isinstance(outcome, RevisionMismatchError)]
        assert len(outcomes) == 2
        assert (len(answers), len(refusals)) == ((2, 0) if same_id else (1, 1)), outcomes
        assert store.read_all().switches["c"].revision == revision + 1
    for other in others:
        other.dispose()


def test_an_unreachable_database_is_told_as_such(tmp_path: Path) -> None:
    for url in (f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.sqlite'}", "postgresql+psycopg://x@127.0.0.1:1/x"):
        engine = open_engine(url)
        store = SwitchStore(engine)
        for attempt in (store.revision, store.read_all, lambda store=store: switch(store, "r1", True, 0)):
            with pytest.raises(StateUnavailableError):
                attempt()
        engine.dispose()
