"""The table share_request; the columns share.contacts, share.opportunities, share.follow_ups, share.plans, share.may_reshare, share.passed_on_from_id, share.notice_at; the indexes ix_share_granter, ix_share_notice, ix_share_passed_on_from_id."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.base import Utc, text_type

revision: str = "2026_12_01_shares"
down_revision: str | None = "2026_12_01_files"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "share_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("asked_by_id", sa.Integer(), nullable=False),
        sa.Column(
            "level",
            sa.Enum("VIEW", "EDIT", name="share_level", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column("reason", text_type(200), nullable=False),
        sa.Column("asked_at", Utc(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "WAITING",
                "GRANTED",
                "DECLINED",
                name="request_state",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("answered_by_id", sa.Integer(), nullable=True),
        sa.Column("answered_at", Utc(), nullable=True),
        sa.Column("answer", text_type(200), nullable=True),
        sa.ForeignKeyConstraint(["answered_by_id"], ["app_user.id"], name=op.f("fk_share_request_answered_by_id")),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["app_user.id"], name=op.f("fk_share_request_asked_by_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_share_request_customer_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_share_request")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_share_request_asked_by_id"), "share_request", ["asked_by_id"], unique=False)
    op.create_index("ix_share_request_customer", "share_request", ["customer_id", "state"], unique=False)
    op.add_column("share", sa.Column("contacts", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("share", sa.Column("opportunities", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("share", sa.Column("follow_ups", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("share", sa.Column("plans", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("share", sa.Column("may_reshare", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("share", sa.Column("passed_on_from_id", sa.Integer(), nullable=True))
    op.add_column("share", sa.Column("notice_at", Utc(), nullable=True))
    op.create_index("ix_share_granter", "share", ["granted_by_id"], unique=False)
    op.create_index(
        "ix_share_notice",
        "share",
        ["notice_at"],
        unique=False,
        sqlite_where=sa.text("notice_at IS NOT NULL"),
        postgresql_where=sa.text("notice_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_share_passed_on_from_id"), "share", ["passed_on_from_id"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
