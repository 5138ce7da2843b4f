"""The table not_duplicate."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.base import Utc, text_type

revision: str = "2026_11_29_not_duplicate"
down_revision: str | None = "2026_11_29_duplicates"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "not_duplicate",
        sa.Column("first_id", sa.Integer(), nullable=False),
        sa.Column("second_id", sa.Integer(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("reason", text_type(200), nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["app_user.id"], name=op.f("fk_not_duplicate_by_id")),
        sa.ForeignKeyConstraint(
            ["first_id"], ["customer.id"], name=op.f("fk_not_duplicate_first_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["second_id"], ["customer.id"], name=op.f("fk_not_duplicate_second_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("first_id", "second_id", name=op.f("pk_not_duplicate")),
    )
    op.create_index("ix_not_duplicate_second", "not_duplicate", ["second_id"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
