"""An index: the customers of one person in one stage, the newest first."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "2026_11_25_owned_stages"
down_revision: str | None = "2026_11_25_waiting"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    live = sa.text("deleted_at IS NULL")
    op.create_index(
        "ix_customer_owner_stage",
        "customer",
        ["owner_id", "stage", "created_at", "id"],
        sqlite_where=live,
        postgresql_where=live,
    )


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
