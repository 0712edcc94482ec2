from __future__ import annotations

import threading
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect

from qdispatch_server.state.database import migrate, open_engine
from qdispatch_server.state.switches import SwitchStore
from qdispatch_server.state.tables import metadata


def test_the_migrations_make_exactly_the_tables_of_the_code(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
        checks = {check["name"] for check in inspect(connection).get_check_constraints("company_switch")}
        assert checks == {"ck_company_switch_revision_positive"}


def test_migrating_again_changes_nothing(engine: Engine) -> None:
    migrate(engine)
    assert SwitchStore(engine).revision() == 0


def test_two_replicas_may_migrate_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'fresh.sqlite'}"
    failures: list[Exception] = []

    def start() -> None:
        engine = open_engine(url)
        try:
            migrate(engine)
        except Exception as error:  # noqa: BLE001  whatever it is, the test tells it
            failures.append(error)
        finally:
            engine.dispose()

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    engine = open_engine(url)
    assert SwitchStore(engine).revision() == 0
    engine.dispose()


def test_sqlite_writes_ahead(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'fresh.sqlite'}")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
    engine.dispose()
