"""Duplicates inside a file: keys of rows, the row of which one is a duplicate, and warnings."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "2026_11_30_import_keys"
down_revision: str | None = "2026_11_30_import_results"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "import_key",
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("key", big, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["import_batch.id"], name=op.f("fk_import_key_batch_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("batch_id", "key", "number", name=op.f("pk_import_key")),
        sqlite_with_rowid=False,
    )
    op.add_column("import_row", sa.Column("warnings", sa.JSON(), nullable=True))
    op.add_column("import_row", sa.Column("same_as", sa.Integer(), nullable=True))
    op.create_index(
        "ix_import_row_same_as",
        "import_row",
        ["batch_id", "same_as"],
        unique=False,
        sqlite_where=sa.text("same_as IS NOT NULL"),
        postgresql_where=sa.text("same_as IS NOT NULL"),
    )


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
