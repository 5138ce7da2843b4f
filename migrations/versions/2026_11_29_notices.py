"""The tables notice, notice_preference."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.base import Utc, text_type

revision: str = "2026_11_29_notices"
down_revision: str | None = "2026_11_29_jobs"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("receiver_id", sa.Integer(), nullable=False),
        sa.Column("kind", text_type(40), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("entity", text_type(40), nullable=True),
        sa.Column("record_id", sa.Integer(), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("once_key", text_type(100), nullable=True),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("in_panel", sa.Boolean(), nullable=False),
        sa.Column("read_at", Utc(), nullable=True),
        sa.Column("mail_due_at", Utc(), nullable=True),
        sa.Column("mail_tries", sa.Integer(), nullable=False),
        sa.Column("mailed_at", Utc(), nullable=True),
        sa.Column("mail_error", text_type(200), nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["app_user.id"], name=op.f("fk_notice_actor_id")),
        sa.ForeignKeyConstraint(
            ["receiver_id"], ["app_user.id"], name=op.f("fk_notice_receiver_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_notice_at", "notice", ["at"], unique=False)
    op.create_index(
        "ix_notice_mail",
        "notice",
        ["mail_due_at", "receiver_id"],
        unique=False,
        sqlite_where=sa.text("mail_due_at IS NOT NULL"),
        postgresql_where=sa.text("mail_due_at IS NOT NULL"),
    )
    op.create_index("ix_notice_receiver", "notice", ["receiver_id", "id"], unique=False)
    op.create_index(
        "ix_notice_unread",
        "notice",
        ["receiver_id"],
        unique=False,
        sqlite_where=sa.text("read_at IS NULL AND in_panel"),
        postgresql_where=sa.text("read_at IS NULL AND in_panel"),
    )
    op.create_index("uq_notice_once", "notice", ["receiver_id", "once_key"], unique=True)
    op.create_table(
        "notice_preference",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("choices", sa.JSON(), nullable=False),
        sa.Column("digest_hour", sa.Integer(), nullable=False),
        sa.CheckConstraint("digest_hour BETWEEN 0 AND 23", name=op.f("ck_notice_preference_digest_hour")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_notice_preference_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_notice_preference")),
    )


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
