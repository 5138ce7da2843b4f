"""The tables word_merge, word_move."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.base import Utc, text_type

revision: str = "2026_11_30_word_merges"
down_revision: str | None = "2026_11_30_import_keys"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "word_merge",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("winner_id", sa.Integer(), nullable=False),
        sa.Column("loser_id", sa.Integer(), nullable=False),
        sa.Column("aliases", sa.JSON(), nullable=False),
        sa.Column("archived_at", Utc(), nullable=True),
        sa.Column("moved", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.Column("done_at", Utc(), nullable=True),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("by_name", text_type(200), nullable=False),
        sa.Column("reason", text_type(200), nullable=True),
        sa.Column("undone_at", Utc(), nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["app_user.id"], name=op.f("fk_word_merge_by_id")),
        sa.ForeignKeyConstraint(
            ["loser_id"], ["dictionary_item.id"], name=op.f("fk_word_merge_loser_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["winner_id"], ["dictionary_item.id"], name=op.f("fk_word_merge_winner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_word_merge")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_word_merge_loser", "word_merge", ["loser_id", "id"], unique=False)
    op.create_index("ix_word_merge_winner", "word_merge", ["winner_id", "id"], unique=False)
    op.create_table(
        "word_move",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("merge_id", sa.Integer(), nullable=False),
        sa.Column("holder", text_type(40), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("key", text_type(40), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "MOVED", "UNDONE", "KEPT", name="moved_state", native_enum=False, create_constraint=True, length=20
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["merge_id"], ["word_merge.id"], name=op.f("fk_word_move_merge_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_word_move")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_word_move_merge", "word_move", ["merge_id", "state", "id"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
