"""Drafts of the policy; what a revision came from and what its review said; two people for what widens it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

import models.base

revision: str = "2026_11_25_policy_drafts"
down_revision: str | None = "2026_11_25_owned_stages"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "policy_draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("base", sa.Integer(), nullable=False),
        sa.Column("text", models.base.long_text(), nullable=False),
        sa.Column("at", models.base.Utc(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["app_user.id"], name=op.f("fk_policy_draft_author_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_draft")),
        sa.UniqueConstraint("author_id", name=op.f("uq_policy_draft_author_id")),
    )
    op.add_column("policy_revision", sa.Column("parent", sa.Integer(), nullable=True))
    op.add_column("policy_revision", sa.Column("back_to", sa.Integer(), nullable=True))
    op.add_column("policy_revision", sa.Column("review", sa.JSON(), nullable=True))
    op.add_column("organisation", sa.Column("two_for_policy", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
