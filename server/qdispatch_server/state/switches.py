"""The switches of the companies: changed in one transaction, audited, and safe to repeat by request id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, insert, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from qdispatch_server.errors import RequestIdReusedError, RevisionMismatchError, StateUnavailableError
from qdispatch_server.state.database import write_transaction
from qdispatch_server.state.tables import audit_record, company_switch, state_revision

RETRY_AFTER_SECONDS = 1.0
DATABASE_ERRORS = (DBAPIError, PoolTimeoutError)


@dataclass(frozen=True, slots=True)
class Switch:
    """One company's switch. `revision` grows by one with every change, from 1."""

    company_id: str
    enabled: bool
    revision: int
    changed_at: datetime  # with its zone (UTC)


@dataclass(frozen=True, slots=True)
class SwitchState:
    """All switches at one revision of the whole."""

    revision: int
    switches: Mapping[str, Switch]


class SwitchStore:
    """Reads and changes switches. Every method raises StateUnavailableError when the database cannot be reached."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def revision(self) -> int:
        """Revision of the whole, one cheap row: what the workers poll."""
        try:
            with self._engine.connect() as connection:
                return _whole_revision(connection)
        except DATABASE_ERRORS as error:
            raise StateUnavailableError(RETRY_AFTER_SECONDS) from error

    def read_all(self) -> SwitchState:
        """Every switch ever set, at one revision."""
        try:
            with self._engine.connect() as connection:
                # The revision first: a change in between makes the state newer than it says, never older.
                revision = _whole_revision(connection)
                rows = connection.execute(select(company_switch)).all()
        except DATABASE_ERRORS as error:
            raise StateUnavailableError(RETRY_AFTER_SECONDS) from error
        found = (Switch(row.company_id, row.enabled, row.revision, _utc(row.changed_at)) for row in rows)
        return SwitchState(revision, {switch.company_id: switch for switch in found})

    def set_enabled(
        self, *, request_id: str, company_id: str, enabled: bool, expected_revision: int, at: datetime
    ) -> Switch:
        """Switches one company and records it. A repetition of `request_id` changes nothing and answers the same.

        Raises RevisionMismatchError (with the present revision), RequestIdReusedError (the id names another change).
        """
        wanted = Switch(company_id, enabled, expected_revision + 1, at)
        try:
            return self._change(request_id, wanted)
        except DATABASE_ERRORS as error:
            raise StateUnavailableError(RETRY_AFTER_SECONDS) from error

    def _change(self, request_id: str, wanted: Switch) -> Switch:
        with write_transaction(self._engine) as connection:
            # One change at a time, over all workers and replicas (SQLite: the transaction alone sees to that).
            connection.execute(select(state_revision).where(state_revision.c.name == "switches").with_for_update())
            before = connection.execute(
                select(audit_record).where(audit_record.c.request_id == request_id)
            ).one_or_none()
            if before is not None:
                if (before.company_id, before.enabled, before.revision) != (
                    wanted.company_id,
                    wanted.enabled,
                    wanted.revision,
                ):
                    raise RequestIdReusedError
                return Switch(before.company_id, before.enabled, before.revision, _utc(before.recorded_at))
            _write_switch(connection, wanted)
            connection.execute(
                insert(audit_record).values(
                    recorded_at=wanted.changed_at,
                    action="SET_ENABLED",
                    request_id=request_id,
                    company_id=wanted.company_id,
                    enabled=wanted.enabled,
                    revision=wanted.revision,
                )
            )
            connection.execute(
                update(state_revision)
                .where(state_revision.c.name == "switches")
                .values(revision=state_revision.c.revision + 1)
            )
        return wanted


def _write_switch(connection: Connection, wanted: Switch) -> None:
    values = {"enabled": wanted.enabled, "revision": wanted.revision, "changed_at": wanted.changed_at}
    of_company = company_switch.c.company_id == wanted.company_id
    current = connection.execute(select(company_switch.c.revision).where(of_company)).scalar_one_or_none() or 0
    if current != wanted.revision - 1:
        raise RevisionMismatchError(current)
    if current == 0:
        connection.execute(insert(company_switch).values(company_id=wanted.company_id, **values))
        return
    connection.execute(update(company_switch).where(of_company).values(**values))


def _whole_revision(connection: Connection) -> int:
    value = connection.execute(
        select(state_revision.c.revision).where(state_revision.c.name == "switches")
    ).scalar_one()
    return int(value)


def _utc(value: datetime) -> datetime:
    """SQLite keeps no zone; everything is written in UTC."""
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
