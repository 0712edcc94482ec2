"""The tables, in SQLAlchemy Core. The migrations create them; a test compares the two."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, DateTime, Integer, MetaData, String, Table

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

company_switch = Table(
    "company_switch",
    metadata,
    Column("company_id", String(128), primary_key=True),
    Column("enabled", Boolean, nullable=False),
    Column("revision", BigInteger, CheckConstraint("revision >= 1", name="revision_positive"), nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
)

audit_record = Table(
    "audit_record",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("action", String(64), nullable=False),
    Column("request_id", String(128), nullable=False, unique=True),
    Column("company_id", String(128), nullable=False, index=True),
    Column("enabled", Boolean, nullable=False),
    Column("revision", BigInteger, nullable=False),
)

model_current = Table(
    "model_current",
    metadata,
    Column("slot", String(64), primary_key=True),
    Column("model_version", String(128), nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
)

state_revision = Table(
    "state_revision",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("revision", BigInteger, nullable=False),
)
