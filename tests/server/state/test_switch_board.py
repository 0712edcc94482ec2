from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from qdispatch_server.state.database import migrate, open_engine
from qdispatch_server.state.switch_board import CompanyState, SwitchBoard
from qdispatch_server.state.switches import SwitchStore
from tests.server.server_process import wait_until


def change(store: SwitchStore, enabled: bool, revision: int) -> None:
    store.set_enabled(
        request_id=f"r{revision}",
        company_id="c",
        enabled=enabled,
        expected_revision=revision,
        at=datetime(2026, 11, 23, tzinfo=UTC),
    )


@pytest.mark.parametrize(("default", "state"), [(True, CompanyState.ENABLED), (False, CompanyState.DISABLED)])
def test_a_company_never_switched_has_the_default(engine: Engine, default: bool, state: CompanyState) -> None:
    board = SwitchBoard(SwitchStore(engine), default, 0.05)
    assert board.state_of("c") is CompanyState.UNKNOWN
    board.refresh()
    assert board.state_of("c") is state
    assert board.switch_of("c") is None


def test_a_change_by_another_worker_is_followed(engine: Engine) -> None:
    board = SwitchBoard(SwitchStore(engine), True, 0.02)
    board.start()
    try:
        change(SwitchStore(engine), False, 0)
        wait_until(lambda: board.state_of("c") is CompanyState.DISABLED, 10, "the switch is followed")
        change(SwitchStore(engine), True, 1)
        wait_until(lambda: board.state_of("c") is CompanyState.ENABLED, 10, "the switch is followed")
    finally:
        board.stop()


def test_while_the_database_is_gone_the_last_known_state_holds(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    store = SwitchStore(engine)
    change(store, False, 0)
    board = SwitchBoard(store, True, 0.05)
    board.refresh()
    engine.dispose()
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    for file in tmp_path.glob("state.sqlite*"):
        file.rename(hidden / file.name)
    path.mkdir()  # what opens now is no database
    board.refresh()
    assert (board.reachable, board.state_of("c")) == (False, CompanyState.DISABLED)
    path.rmdir()
    for file in hidden.iterdir():
        file.rename(tmp_path / file.name)
    change(store, True, 1)
    board.refresh()
    assert (board.reachable, board.state_of("c")) == (True, CompanyState.ENABLED)
    engine.dispose()


def test_a_state_never_read_is_unknown_not_the_default(tmp_path: Path) -> None:
    board = SwitchBoard(SwitchStore(open_engine(f"sqlite:///{tmp_path}/no/folder.sqlite")), True, 0.05)
    board.refresh()
    assert not board.reachable
    assert board.known is None
    assert board.state_of("c") is CompanyState.UNKNOWN
