"""What Casbin has judged before a policy revision took effect."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "2026_11_28_policy_proof"
down_revision: str | None = "2026_11_25_looking"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("policy_revision", sa.Column("proof", sa.JSON(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
