"""Release rules, the business calendar, and the release dates of customers."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.base import Utc, text_type

revision: str = "2026_11_29_release_rules"
down_revision: str | None = "2026_11_29_last_contact"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "release_book",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("edition", text_type(64), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_release_book_only_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release_book")),
    )
    op.create_table(
        "calendar_day",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("working", sa.Boolean(), nullable=False),
        sa.Column("name", text_type(200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.Column("deleted_at", Utc(), nullable=True),
        sa.Column("deleted_by_id", sa.Integer(), nullable=True),
        sa.Column("delete_batch_id", text_type(40), nullable=True),
        sa.Column("name_key", text_type(1000), server_default=sa.text("('')"), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_calendar_day_created_by_id")),
        sa.ForeignKeyConstraint(["deleted_by_id"], ["app_user.id"], name=op.f("fk_calendar_day_deleted_by_id")),
        sa.ForeignKeyConstraint(["updated_by_id"], ["app_user.id"], name=op.f("fk_calendar_day_updated_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_day")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_calendar_day_delete_batch_id"), "calendar_day", ["delete_batch_id"], unique=False)
    op.create_index(
        "ix_calendar_day_name_key",
        "calendar_day",
        ["name_key", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_calendar_day",
        "calendar_day",
        ["day"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "release_rule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("name", text_type(200), nullable=False),
        sa.Column(
            "lapse",
            sa.Enum(
                "NO_FOLLOW_UP",
                "NO_OPPORTUNITY",
                "NO_DEAL",
                name="lapse",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("business_days", sa.Boolean(), nullable=False),
        sa.Column("everybody", sa.Boolean(), nullable=False),
        sa.Column("levels", sa.JSON(), nullable=False),
        sa.Column("categories", sa.JSON(), nullable=False),
        sa.Column("stages", sa.JSON(), nullable=False),
        sa.Column("regions", sa.JSON(), nullable=False),
        sa.Column("industries", sa.JSON(), nullable=False),
        sa.Column("sources", sa.JSON(), nullable=False),
        sa.Column("spared_levels", sa.JSON(), nullable=False),
        sa.Column("spared_categories", sa.JSON(), nullable=False),
        sa.Column("spared_stages", sa.JSON(), nullable=False),
        sa.Column("spares_opportunities", sa.Boolean(), nullable=False),
        sa.Column("spares_deals", sa.Boolean(), nullable=False),
        sa.Column("spares_plans", sa.Boolean(), nullable=False),
        sa.Column("starts_at", Utc(), nullable=True),
        sa.Column("remind_days", sa.Integer(), nullable=True),
        sa.Column("remind_again_days", sa.Integer(), nullable=True),
        sa.Column("max_extensions", sa.Integer(), nullable=False),
        sa.Column("extension_days", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("rehearsed_by_id", sa.Integer(), nullable=True),
        sa.Column("rehearsed_at", Utc(), nullable=True),
        sa.Column("rehearsed_terms", text_type(64), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.Column("deleted_at", Utc(), nullable=True),
        sa.Column("deleted_by_id", sa.Integer(), nullable=True),
        sa.Column("delete_batch_id", text_type(40), nullable=True),
        sa.Column("name_key", text_type(1000), server_default=sa.text("('')"), nullable=False),
        sa.CheckConstraint("days > 0", name=op.f("ck_release_rule_days")),
        sa.CheckConstraint("extension_days > 0", name=op.f("ck_release_rule_extension_days")),
        sa.CheckConstraint(
            "remind_again_days IS NULL OR remind_again_days > 0", name=op.f("ck_release_rule_remind_again_days")
        ),
        sa.CheckConstraint("remind_days IS NULL OR remind_days > 0", name=op.f("ck_release_rule_remind_days")),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_release_rule_created_by_id")),
        sa.ForeignKeyConstraint(["deleted_by_id"], ["app_user.id"], name=op.f("fk_release_rule_deleted_by_id")),
        sa.ForeignKeyConstraint(["pool_id"], ["pool.id"], name=op.f("fk_release_rule_pool_id")),
        sa.ForeignKeyConstraint(["rehearsed_by_id"], ["app_user.id"], name=op.f("fk_release_rule_rehearsed_by_id")),
        sa.ForeignKeyConstraint(["updated_by_id"], ["app_user.id"], name=op.f("fk_release_rule_updated_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release_rule")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_release_rule_delete_batch_id"), "release_rule", ["delete_batch_id"], unique=False)
    op.create_index(
        "ix_release_rule_name_key",
        "release_rule",
        ["name_key", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_release_rule_pool",
        "release_rule",
        ["pool_id", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "release_reminder",
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("due_at", Utc(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_release_reminder_customer_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("customer_id", "due_at", "days", name=op.f("pk_release_reminder")),
    )
    op.create_index(op.f("ix_release_reminder_at"), "release_reminder", ["at"], unique=False)
    op.add_column("customer", sa.Column("exempt_until", Utc(), nullable=True))
    op.add_column("customer", sa.Column("extended_until", Utc(), nullable=True))
    op.add_column("customer", sa.Column("extensions", sa.Integer(), nullable=False, server_default="0"))
    op.add_column(
        "customer", sa.Column("has_open_opportunity", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("customer", sa.Column("last_opportunity_at", Utc(), nullable=True))
    op.add_column("customer", sa.Column("last_deal_at", Utc(), nullable=True))
    op.add_column("customer", sa.Column("release_due_at", Utc(), nullable=True))
    op.add_column(
        "customer",
        sa.Column(
            "release_rule_id",
            sa.Integer(),
            sa.ForeignKey("release_rule.id", name="fk_customer_release_rule_id"),
            nullable=True,
        ),
        inline_references=True,
    )
    op.add_column("opportunity", sa.Column("stage_changed_at", Utc(), nullable=True))
    _fill()
    op.create_index(
        "ix_customer_owner_release",
        "customer",
        ["owner_id", "release_due_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL AND release_due_at IS NOT NULL"),
        postgresql_where=sa.text("deleted_at IS NULL AND release_due_at IS NOT NULL"),
    )
    op.create_index(
        "ix_customer_release",
        "customer",
        ["release_due_at", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL AND release_due_at IS NOT NULL"),
        postgresql_where=sa.text("deleted_at IS NULL AND release_due_at IS NOT NULL"),
    )


def _fill() -> None:
    """What is known of opportunities: which are open, and when one was changed or won last, at the latest."""
    op.execute("UPDATE opportunity SET stage_changed_at = updated_at")
    live = "FROM opportunity o WHERE o.customer_id = customer.id AND o.deleted_at IS NULL"
    op.execute(
        f"UPDATE customer SET has_open_opportunity = EXISTS (SELECT 1 {live}"  # noqa: S608  no values from outside
        " AND (o.stage IS NULL OR o.stage NOT IN ('won', 'lost'))),"
        " last_opportunity_at = (SELECT max(o.updated_at) FROM opportunity o WHERE o.customer_id = customer.id),"
        f" last_deal_at = (SELECT max(o.updated_at) {live} AND o.stage = 'won')"
        " WHERE id IN (SELECT customer_id FROM opportunity)"
    )


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
