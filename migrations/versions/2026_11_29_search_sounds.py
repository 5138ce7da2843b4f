"""The search index finds names by pinyin and in traditional characters, and customers by former names and numbers.

`2026_11_30_custom_search` fills it, because docs are made of columns that come with later steps.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.base import long_text
from models.search_pieces import Pieces
from models.search_rules import clearing_rules, index_rules

revision: str = "2026_11_29_search_sounds"
down_revision: str | None = "2026_11_29_saved_views"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Put a new table in place of the docs, which are copies of the records."""
    connection = op.get_bind()
    for line in clearing_rules(connection.dialect.name):
        connection.exec_driver_sql(line)
    op.drop_table("search_doc")
    op.create_table(
        "search_doc",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=True),
        *(sa.Column(name, long_text(), nullable=False) for name in ("number", "name", "sounds", "phones", "addresses")),
        sa.Column("pieces", Pieces(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_doc")),
    )
    for line in index_rules(connection.dialect.name):
        connection.exec_driver_sql(line)


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
