"""Approval of new customers: the setting of the organisation, and what was decided about a customer."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.base import Utc, text_type

revision: str = "2026_11_30_approval"
down_revision: str | None = "2026_11_30_word_merges"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column(
        "customer",
        sa.Column(
            "approval",
            sa.String(20),
            sa.CheckConstraint("approval IN ('PENDING', 'REJECTED', 'APPROVED')", name=op.f("ck_customer_approval")),
            nullable=True,
        ),
    )
    op.add_column("customer", sa.Column("approval_reason", text_type(200), nullable=True))
    op.add_column("customer", sa.Column("approval_at", Utc(), nullable=True))
    op.add_column(
        "customer",
        sa.Column(
            "approval_by_id",
            sa.Integer(),
            sa.ForeignKey("app_user.id", name="fk_customer_approval_by_id"),
            nullable=True,
        ),
        inline_references=True,
    )
    op.create_index(
        "ix_customer_pending",
        "customer",
        ["created_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL AND approval = 'PENDING'"),
        postgresql_where=sa.text("deleted_at IS NULL AND approval = 'PENDING'"),
    )
    op.add_column(
        "organisation", sa.Column("approve_customers", sa.Boolean(), nullable=False, server_default=sa.false())
    )


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
