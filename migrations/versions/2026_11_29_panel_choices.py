"""The table panel_preference; the column dictionary_item.tone."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "2026_11_29_panel_choices"
down_revision: str | None = "2026_11_29_sort_keys"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "panel_preference",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_panel_preference_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_panel_preference")),
    )
    op.add_column(
        "dictionary_item",
        sa.Column(
            "tone",
            sa.String(20),
            sa.CheckConstraint(
                "tone IN ('GREY', 'BLUE', 'TEAL', 'GREEN', 'AMBER', 'RED', 'VIOLET')",
                name=op.f("ck_dictionary_item_tone"),
            ),
            nullable=True,
        ),
    )


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
