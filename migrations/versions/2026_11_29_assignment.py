"""Claim conditions, automatic assignment, retention, and the pages of pooled customers that users opened."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.base import Utc, long_text, text_type

revision: str = "2026_11_29_assignment"
down_revision: str | None = "2026_11_29_release_rules"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_ARRIVALS = """
UPDATE ownership_period SET pooled_at = coalesce(
    (SELECT max(before.ended_at) FROM ownership_period AS before
     WHERE before.customer_id = ownership_period.customer_id AND before.id < ownership_period.id),
    (SELECT customer.created_at FROM customer WHERE customer.id = ownership_period.customer_id))
WHERE pool_id IS NOT NULL
"""
"""A customer had come into the pool when its former owner gave it up, or when it was created.  Moves are left out."""


def upgrade() -> None:
    op.create_table(
        "assignment_rule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column(
            "strategy",
            sa.Enum(
                "ROUND_ROBIN",
                "WEIGHTED",
                "LEAST_LOADED",
                "CAPACITY_LEFT",
                name="strategy",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.Column("deleted_at", Utc(), nullable=True),
        sa.Column("deleted_by_id", sa.Integer(), nullable=True),
        sa.Column("delete_batch_id", text_type(40), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_assignment_rule_created_by_id")),
        sa.ForeignKeyConstraint(["deleted_by_id"], ["app_user.id"], name=op.f("fk_assignment_rule_deleted_by_id")),
        sa.ForeignKeyConstraint(["pool_id"], ["pool.id"], name=op.f("fk_assignment_rule_pool_id")),
        sa.ForeignKeyConstraint(["updated_by_id"], ["app_user.id"], name=op.f("fk_assignment_rule_updated_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment_rule")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_assignment_rule_delete_batch_id"), "assignment_rule", ["delete_batch_id"], unique=False)
    op.create_index(
        "uq_assignment_rule_live",
        "assignment_rule",
        ["pool_id"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "assignment_share",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("condition", long_text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.Column("deleted_at", Utc(), nullable=True),
        sa.Column("deleted_by_id", sa.Integer(), nullable=True),
        sa.Column("delete_batch_id", text_type(40), nullable=True),
        sa.CheckConstraint("weight >= 0 AND weight <= 1000", name=op.f("ck_assignment_share_weight")),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_assignment_share_created_by_id")),
        sa.ForeignKeyConstraint(["deleted_by_id"], ["app_user.id"], name=op.f("fk_assignment_share_deleted_by_id")),
        sa.ForeignKeyConstraint(["pool_id"], ["pool.id"], name=op.f("fk_assignment_share_pool_id")),
        sa.ForeignKeyConstraint(["updated_by_id"], ["app_user.id"], name=op.f("fk_assignment_share_updated_by_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_assignment_share_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment_share")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_assignment_share_delete_batch_id"), "assignment_share", ["delete_batch_id"], unique=False)
    op.create_index(op.f("ix_assignment_share_user_id"), "assignment_share", ["user_id"], unique=False)
    op.create_index(
        "uq_assignment_share_live",
        "assignment_share",
        ["pool_id", "user_id"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "assignment_state",
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("members", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["pool_id"], ["pool.id"], name=op.f("fk_assignment_state_pool_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pool_id", name=op.f("pk_assignment_state")),
    )
    op.create_table(
        "claim_condition",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("name", text_type(200), nullable=False),
        sa.Column(
            "effect",
            sa.Enum("OPENS", "RESERVES", name="effect", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column(
            "covers",
            sa.Enum("BOTH", "CLAIM", "ASSIGN", name="covers", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column(
            "grantee_kind",
            sa.Enum(
                "USER", "DEPARTMENT", "ROLE", name="grantee_kind", native_enum=False, create_constraint=True, length=20
            ),
            nullable=True,
        ),
        sa.Column("grantee_id", sa.Integer(), nullable=True),
        sa.Column("condition", long_text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.Column("deleted_at", Utc(), nullable=True),
        sa.Column("deleted_by_id", sa.Integer(), nullable=True),
        sa.Column("delete_batch_id", text_type(40), nullable=True),
        sa.Column("name_key", text_type(1000), server_default=sa.text("('')"), nullable=False),
        sa.CheckConstraint(
            "(grantee_kind IS NULL) = (grantee_id IS NULL)", name=op.f("ck_claim_condition_grantee_whole")
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_claim_condition_created_by_id")),
        sa.ForeignKeyConstraint(["deleted_by_id"], ["app_user.id"], name=op.f("fk_claim_condition_deleted_by_id")),
        sa.ForeignKeyConstraint(["pool_id"], ["pool.id"], name=op.f("fk_claim_condition_pool_id")),
        sa.ForeignKeyConstraint(["updated_by_id"], ["app_user.id"], name=op.f("fk_claim_condition_updated_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_condition")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_claim_condition_delete_batch_id"), "claim_condition", ["delete_batch_id"], unique=False)
    op.create_index(
        "ix_claim_condition_grantee",
        "claim_condition",
        ["grantee_kind", "grantee_id"],
        unique=False,
        sqlite_where=sa.text("grantee_id IS NOT NULL"),
        postgresql_where=sa.text("grantee_id IS NOT NULL"),
    )
    op.create_index(
        "ix_claim_condition_name_key",
        "claim_condition",
        ["name_key", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "ix_claim_condition_pool",
        "claim_condition",
        ["pool_id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_claim_condition_name",
        "claim_condition",
        ["pool_id", "name"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "retention_state",
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("told_until", Utc(), nullable=True),
        sa.Column("told_id", sa.Integer(), nullable=False),
        sa.Column("reminded_until", Utc(), nullable=True),
        sa.Column("reminded_id", sa.Integer(), nullable=False),
        sa.Column("tried_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["pool_id"], ["pool.id"], name=op.f("fk_retention_state_pool_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("pool_id", name=op.f("pk_retention_state")),
    )
    op.create_table(
        "assignment_decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column(
            "strategy",
            sa.Enum(
                "ROUND_ROBIN",
                "WEIGHTED",
                "LEAST_LOADED",
                "CAPACITY_LEFT",
                name="strategy",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("chosen_id", sa.Integer(), nullable=True),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("candidates", sa.JSON(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["app_user.id"], name=op.f("fk_assignment_decision_actor_id")),
        sa.ForeignKeyConstraint(["chosen_id"], ["app_user.id"], name=op.f("fk_assignment_decision_chosen_id")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_assignment_decision_customer_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["pool_id"], ["pool.id"], name=op.f("fk_assignment_decision_pool_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment_decision")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_assignment_decision_customer", "assignment_decision", ["customer_id", "id"], unique=False)
    op.create_index("ix_assignment_decision_pool", "assignment_decision", ["pool_id", "at"], unique=False)
    op.create_table(
        "pool_view",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("until", Utc(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_pool_view_customer_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["pool_id"], ["pool.id"], name=op.f("fk_pool_view_pool_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_pool_view_user_id")),
        sa.PrimaryKeyConstraint("user_id", "day", "customer_id", name=op.f("pk_pool_view")),
    )
    op.create_index("ix_pool_view_count", "pool_view", ["pool_id", "user_id", "day"], unique=False)
    op.create_index("ix_pool_view_customer", "pool_view", ["customer_id"], unique=False)
    op.add_column("ownership_period", sa.Column("pooled_at", Utc(), nullable=True))
    op.execute(_ARRIVALS)
    op.create_index("ix_ownership_period_pool", "ownership_period", ["pool_id", "started_at"], unique=False)
    op.create_index("ix_ownership_period_pooled", "ownership_period", ["pool_id", "pooled_at"], unique=False)
    op.add_column(
        "claim_rule",
        sa.Column(
            "daily_view_limit",
            sa.Integer(),
            sa.CheckConstraint(
                "daily_view_limit IS NULL OR daily_view_limit >= 0", name=op.f("ck_claim_rule_daily_view_limit")
            ),
            nullable=True,
        ),
    )
    op.add_column(
        "pool",
        sa.Column(
            "on_expire",
            sa.String(20),
            sa.CheckConstraint(
                "on_expire IN ('NOTIFY', 'MOVE_TO_POOL', 'AUTO_ASSIGN', 'ARCHIVE', 'RECYCLE_BIN')",
                name=op.f("ck_pool_on_expire"),
            ),
            nullable=False,
            server_default="NOTIFY",
        ),
    )
    op.add_column(
        "pool",
        sa.Column(
            "expire_pool_id", sa.Integer(), sa.ForeignKey("pool.id", name="fk_pool_expire_pool_id"), nullable=True
        ),
        inline_references=True,
    )
    op.add_column(
        "pool",
        sa.Column(
            "notice_days",
            sa.Integer(),
            sa.CheckConstraint("notice_days IS NULL OR notice_days > 0", name=op.f("ck_pool_notice_days")),
            nullable=True,
        ),
    )
    op.add_column("pool", sa.Column("is_archive", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
