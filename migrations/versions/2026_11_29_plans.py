"""The tables comment, plan."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.base import Utc, long_text, text_type

revision: str = "2026_11_29_plans"
down_revision: str | None = "2026_11_29_assignment"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "comment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("follow_up_id", sa.Integer(), nullable=False),
        sa.Column("value", long_text(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["app_user.id"], name=op.f("fk_comment_author_id")),
        sa.ForeignKeyConstraint(
            ["follow_up_id"], ["follow_up.id"], name=op.f("fk_comment_follow_up_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comment")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_comment_follow_up", "comment", ["follow_up_id", "id"], unique=False)
    op.create_table(
        "plan",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=True),
        sa.Column("opportunity_id", sa.Integer(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "CALL",
                "VISIT",
                "EMAIL",
                "WECHAT",
                "MEETING",
                "NOTE",
                name="follow_up_kind",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("content", long_text(), nullable=True),
        sa.Column("due_at", Utc(), nullable=False),
        sa.Column("remind_minutes", sa.Integer(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "OPEN",
                "DONE",
                "CANCELLED",
                "RELEASED",
                name="plan_state",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.Column("cancel_reason", text_type(200), nullable=True),
        sa.Column("result_id", sa.Integer(), nullable=True),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("handed_over_by_id", sa.Integer(), nullable=True),
        sa.Column("remind_at", Utc(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.Column("deleted_at", Utc(), nullable=True),
        sa.Column("deleted_by_id", sa.Integer(), nullable=True),
        sa.Column("delete_batch_id", text_type(40), nullable=True),
        sa.CheckConstraint("(state = 'OPEN') = (ended_at IS NULL)", name=op.f("ck_plan_open_or_ended")),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_plan_contact_id")),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_plan_created_by_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_plan_customer_id")),
        sa.ForeignKeyConstraint(["deleted_by_id"], ["app_user.id"], name=op.f("fk_plan_deleted_by_id")),
        sa.ForeignKeyConstraint(["handed_over_by_id"], ["app_user.id"], name=op.f("fk_plan_handed_over_by_id")),
        sa.ForeignKeyConstraint(["opportunity_id"], ["opportunity.id"], name=op.f("fk_plan_opportunity_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["app_user.id"], name=op.f("fk_plan_owner_id")),
        sa.ForeignKeyConstraint(["result_id"], ["follow_up.id"], name=op.f("fk_plan_result_id")),
        sa.ForeignKeyConstraint(["updated_by_id"], ["app_user.id"], name=op.f("fk_plan_updated_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_plan_contact_id"), "plan", ["contact_id"], unique=False)
    op.create_index("ix_plan_customer", "plan", ["customer_id", "due_at", "id"], unique=False)
    op.create_index(op.f("ix_plan_delete_batch_id"), "plan", ["delete_batch_id"], unique=False)
    op.create_index(
        "ix_plan_open",
        "plan",
        ["owner_id", "due_at", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'OPEN' AND deleted_at IS NULL"),
        postgresql_where=sa.text("state = 'OPEN' AND deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_plan_opportunity_id"), "plan", ["opportunity_id"], unique=False)
    op.create_index(
        "ix_plan_remind",
        "plan",
        ["remind_at", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'OPEN' AND deleted_at IS NULL"),
        postgresql_where=sa.text("state = 'OPEN' AND deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_plan_result_id"), "plan", ["result_id"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
