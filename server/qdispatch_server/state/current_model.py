"""Which model version answers: SQL alone says it, with a revision that grows when it changes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, insert, select, update
from sqlalchemy.exc import IntegrityError

from qdispatch_server.errors import StateUnavailableError
from qdispatch_server.state.database import write_transaction
from qdispatch_server.state.switches import DATABASE_ERRORS, RETRY_AFTER_SECONDS
from qdispatch_server.state.tables import model_current

DEFAULT_SLOT = "default"


class CurrentModelStore:
    """Reads and records the current version of one slot."""

    def __init__(self, engine: Engine, slot: str = DEFAULT_SLOT) -> None:
        self._engine = engine
        self._slot = slot

    def read(self) -> str | None:
        """The current version, or None when none was ever recorded. Raises StateUnavailableError."""
        try:
            with self._engine.connect() as connection:
                wanted = select(model_current.c.model_version).where(model_current.c.slot == self._slot)
                version: str | None = connection.execute(wanted).scalar_one_or_none()
                return version
        except DATABASE_ERRORS as error:
            raise StateUnavailableError(RETRY_AFTER_SECONDS) from error

    def record(self, model_version: str, at: datetime) -> None:
        """Makes `model_version` the current one; the same again changes nothing. Raises StateUnavailableError."""
        try:
            try:
                self._record(model_version, at)
            except IntegrityError:  # another worker recorded the first version in between
                self._record(model_version, at)
        except DATABASE_ERRORS as error:
            raise StateUnavailableError(RETRY_AFTER_SECONDS) from error

    def _record(self, model_version: str, at: datetime) -> None:
        of_slot = model_current.c.slot == self._slot
        with write_transaction(self._engine) as connection:
            row = connection.execute(select(model_current).where(of_slot)).one_or_none()
            if row is None:
                first = {"slot": self._slot, "model_version": model_version, "revision": 1, "changed_at": at}
                connection.execute(insert(model_current).values(first))
            elif row.model_version != model_version:
                connection.execute(
                    update(model_current)
                    .where(of_slot)
                    .values(model_version=model_version, revision=row.revision + 1, changed_at=at)
                )
