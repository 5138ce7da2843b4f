"""An index: the customers of all pools, by how long they wait."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "2026_11_25_waiting"
down_revision: str | None = "2026_11_25_stages"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    waiting = sa.text("deleted_at IS NULL AND pooled_at IS NOT NULL")
    op.create_index(
        "ix_customer_pooled", "customer", ["pooled_at", "id"], sqlite_where=waiting, postgresql_where=waiting
    )


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
