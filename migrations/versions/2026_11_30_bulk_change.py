"""Bulk changes, and what has become of each record of one."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.base import Utc, text_type

revision: str = "2026_11_30_bulk_change"
down_revision: str | None = "2026_11_30_approval"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "bulk_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("entity", text_type(40), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "CHANGE", "TRANSFER", "UNDO", name="bulk_kind", native_enum=False, create_constraint=True, length=20
            ),
            nullable=False,
        ),
        sa.Column("batch_id", text_type(40), nullable=False),
        sa.Column("undoes", text_type(40), nullable=True),
        sa.Column("given", sa.JSON(), nullable=False),
        sa.Column("reason", text_type(200), nullable=True),
        sa.Column("listing", sa.JSON(), nullable=True),
        sa.Column("said", text_type(1000), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "FINDING",
                "RUNNING",
                "DONE",
                "STOPPED",
                "FAILED",
                name="bulk_state",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["app_user.id"], name=op.f("fk_bulk_change_owner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_change")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_bulk_change_ended", "bulk_change", ["ended_at"], unique=False)
    op.create_index("ix_bulk_change_owner", "bulk_change", ["owner_id", "id"], unique=False)
    op.create_index("uq_bulk_change_batch", "bulk_change", ["batch_id"], unique=True)
    op.create_index("uq_bulk_change_undoes", "bulk_change", ["undoes"], unique=True)
    op.create_table(
        "bulk_item",
        sa.Column("change_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("entity", text_type(40), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "OPEN",
                "DONE",
                "SAME",
                "REFUSED",
                "KEPT",
                name="item_state",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("problem", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["change_id"], ["bulk_change.id"], name=op.f("fk_bulk_item_change_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("change_id", "number", name=op.f("pk_bulk_item")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_bulk_item_state", "bulk_item", ["change_id", "state", "number"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
