"""Sessions in which one user views Millpond as another."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "2026_11_25_looking"
down_revision: str | None = "2026_11_25_policy_drafts"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("sign_in_session", sa.Column("looker_id", sa.Integer(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
