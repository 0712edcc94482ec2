"""Engine and migrations: SQLite (WAL) embedded, or PostgreSQL by URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url

MIGRATIONS = Path(__file__).parent / "migrations"
CONNECT_SECONDS = 3
BUSY_MILLISECONDS = 3_000


def open_engine(url: str) -> Engine:
    """An engine for `url`; connects on first use, gives up on an unreachable server after a few seconds."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed)
    timeouts = f"-c statement_timeout={CONNECT_SECONDS}s -c lock_timeout={CONNECT_SECONDS}s"
    return create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        pool_size=2,
        max_overflow=2,
        pool_timeout=CONNECT_SECONDS,
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "options": timeouts,
            "tcp_user_timeout": CONNECT_SECONDS * 1000,  # a database behind a dead network is noticed, too
            "keepalives_idle": CONNECT_SECONDS,
        },
    )


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_MILLISECONDS / 1000, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver's own BEGIN would come late; SQLAlchemy's event sends it
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")  # an acknowledged switch survives a power cut
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A read that turns into a write would fail at once when another process writes; a writer therefore asks first.
        writes = connection.get_execution_options().get("qdispatch_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextmanager
def write_transaction(engine: Engine) -> Iterator[Connection]:
    """One committed (or rolled back) transaction that is going to write."""
    with engine.connect().execution_options(qdispatch_writes=True) as connection, connection.begin():
        yield connection


def migrate(engine: Engine) -> None:
    """Brings the schema to the newest revision. Only the supervisor calls this, before any worker runs."""
    with write_transaction(engine) as connection:
        if connection.dialect.name == "postgresql":
            # Two replicas that start together: the second waits, and then finds nothing to do.
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7173310)")
        configuration = AlembicConfig()
        configuration.set_main_option("script_location", str(MIGRATIONS))
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "head")
