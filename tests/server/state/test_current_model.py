from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Engine, select

from qdispatch_server.state.current_model import CurrentModelStore
from qdispatch_server.state.tables import model_current

T0 = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def test_the_revision_grows_only_when_the_version_changes(engine: Engine) -> None:
    store = CurrentModelStore(engine)
    assert store.read() is None
    for version, revision in (("v1", 1), ("v1", 1), ("v2", 2), ("v1", 3)):
        store.record(version, T0)
        assert store.read() == version
        with engine.connect() as connection:
            assert connection.execute(select(model_current.c.revision)).scalar_one() == revision


def test_slots_do_not_see_each_other(engine: Engine) -> None:
    CurrentModelStore(engine, "one").record("v1", T0)
    assert CurrentModelStore(engine, "two").read() is None
