"""The index of pools holds customers of pools alone."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "2026_11_29_pool_index"
down_revision: str | None = "2026_11_29_plans"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_COLUMNS = ["pool_id", "pooled_at", "id"]
_LIVE = sa.text("deleted_at IS NULL")
_IN_POOL = sa.text("deleted_at IS NULL AND pool_id IS NOT NULL")


def upgrade() -> None:
    op.drop_index("ix_customer_pool", table_name="customer")
    op.create_index("ix_customer_pool", "customer", _COLUMNS, sqlite_where=_IN_POOL, postgresql_where=_IN_POOL)


def downgrade() -> None:
    op.drop_index("ix_customer_pool", table_name="customer")
    op.create_index("ix_customer_pool", "customer", _COLUMNS, sqlite_where=_LIVE, postgresql_where=_LIVE)
