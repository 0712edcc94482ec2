"""Every test of the state runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, update

from qdispatch_server.state.database import migrate, open_engine
from qdispatch_server.state.tables import metadata, state_revision
from tests.server.postgres import running_postgres


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    with running_postgres() as cluster:
        yield cluster.url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state.sqlite'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A migrated, empty database."""
    engine = open_engine(database_url)
    migrate(engine)
    with engine.begin() as connection:
        for table in metadata.sorted_tables:
            if table is not state_revision:
                connection.execute(delete(table))
        connection.execute(update(state_revision).values(revision=0))
    yield engine
    engine.dispose()
