"""The columns organisation.follow_up_days_back, organisation.follow_up_days_ahead."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "2026_11_29_follow_up_days"
down_revision: str | None = "2026_11_29_unique_ids"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("organisation", sa.Column("follow_up_days_back", sa.Integer(), nullable=False, server_default="3650"))
    op.add_column("organisation", sa.Column("follow_up_days_ahead", sa.Integer(), nullable=False, server_default="1"))


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
