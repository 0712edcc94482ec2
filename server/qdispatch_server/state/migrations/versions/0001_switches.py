"""Company switches, their audit, the current model, and the revision that workers poll."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the first tables."""
    op.create_table(
        "company_switch",
        sa.Column("company_id", sa.String(128), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("company_id", name=op.f("pk_company_switch")),
        sa.CheckConstraint("revision >= 1", name=op.f("ck_company_switch_revision_positive")),
    )
    op.create_table(
        "audit_record",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("request_id", sa.String(128), nullable=False),
        sa.Column("company_id", sa.String(128), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_record")),
        sa.UniqueConstraint("request_id", name=op.f("uq_audit_record_request_id")),
    )
    op.create_index(op.f("ix_audit_record_company_id"), "audit_record", ["company_id"])
    op.create_table(
        "model_current",
        sa.Column("slot", sa.String(64), nullable=False),
        sa.Column("model_version", sa.String(128), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("slot", name=op.f("pk_model_current")),
    )
    state_revision = op.create_table(
        "state_revision",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_state_revision")),
    )
    op.bulk_insert(state_revision, [{"name": "switches", "revision": 0}])


def downgrade() -> None:
    """Drops everything this revision created."""
    for table in ("state_revision", "model_current", "audit_record", "company_switch"):
        op.drop_table(table)
