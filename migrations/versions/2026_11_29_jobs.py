"""The table job."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.base import Utc, text_type

revision: str = "2026_11_29_jobs"
down_revision: str | None = "2026_11_29_search_sounds"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", text_type(40), nullable=False),
        sa.Column("slot", Utc(), nullable=True),
        sa.Column("order_key", text_type(100), nullable=True),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "WAITING",
                "RUNNING",
                "DONE",
                "FAILED",
                "CANCELLED",
                name="job_state",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("due_at", Utc(), nullable=False),
        sa.Column("worker", text_type(40), nullable=True),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("seen_at", Utc(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("stopping", sa.Boolean(), nullable=False),
        sa.Column("error_code", text_type(40), nullable=True),
        sa.Column("error", text_type(400), nullable=True),
        sa.Column("error_zh", text_type(400), nullable=True),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("started_at", Utc(), nullable=True),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["app_user.id"], name=op.f("fk_job_actor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_job_actor", "job", ["actor_id", "id"], unique=False)
    op.create_index("ix_job_ended", "job", ["ended_at"], unique=False)
    op.create_index(
        "ix_job_open",
        "job",
        ["due_at", "id"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_job_order_key",
        "job",
        ["order_key", "id"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "uq_job_running_key",
        "job",
        ["order_key"],
        unique=True,
        sqlite_where=sa.text("state = 'RUNNING'"),
        postgresql_where=sa.text("state = 'RUNNING'"),
    )
    op.create_index("uq_job_slot", "job", ["kind", "slot"], unique=True)


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
