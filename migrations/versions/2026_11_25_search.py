"""The search index: a doc for each customer and contact.  `2026_11_29_search_sounds` fills it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

import millpond.migration_exclusions  # noqa: F401  tells autogeneration to leave the index alone
from models.base import long_text

revision: str = "2026_11_25_search"
down_revision: str | None = "2026_11_24_foundation"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "search_doc",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=True),
        sa.Column("number", long_text(), nullable=False),
        sa.Column("name", long_text(), nullable=False),
        sa.Column("phones", long_text(), nullable=False),
        sa.Column("addresses", long_text(), nullable=False),
        sa.Column("pieces", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_doc")),
    )


def downgrade() -> None:
    """There is nothing before the foundation: go back by restoring a backup."""
    raise NotImplementedError
