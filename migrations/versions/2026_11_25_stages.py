"""Two indexes: customers of one stage, newest first, and the attempts that were refused."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "2026_11_25_stages"
down_revision: str | None = "2026_11_25_search"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    live, denied = sa.text("deleted_at IS NULL"), sa.text("outcome = 'DENIED'")
    op.create_index(
        "ix_customer_stage",
        "customer",
        ["stage", "created_at", "id"],
        sqlite_where=live,
        postgresql_where=live,
    )
    op.create_index("ix_audit_entry_denied", "audit_entry", ["id"], sqlite_where=denied, postgresql_where=denied)


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
