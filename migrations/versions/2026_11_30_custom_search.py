"""Search docs hold the texts of custom fields."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.base import long_text
from resolvers.reading.search_index import rebuild

revision: str = "2026_11_30_custom_search"
down_revision: str | None = "2026_11_30_custom_fields"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_RECORDS = "(SELECT count(*) FROM customer) + (SELECT count(*) FROM contact)"
_CUSTOM = "EXISTS (SELECT 1 FROM customer WHERE custom IS NOT NULL) OR EXISTS (SELECT 1 FROM contact WHERE custom IS NOT NULL)"


def upgrade() -> None:
    """Add the column, and fill the index where that was left to this step, or where records have such fields."""
    op.add_column("search_doc", sa.Column("customs", long_text(), server_default=sa.text("''"), nullable=False))
    connection = op.get_bind()
    is_short = f"SELECT (SELECT count(*) FROM search_doc) <> {_RECORDS} OR {_CUSTOM}"  # noqa: S608  our own names
    if connection.exec_driver_sql(is_short).scalar():
        rebuild(connection)


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
