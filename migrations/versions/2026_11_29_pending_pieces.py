"""The index of pieces collects new entries in a short list, which it takes up many at a time."""

from collections.abc import Sequence

from alembic import op

revision: str = "2026_11_29_pending_pieces"
down_revision: str | Sequence[str] | None = "2026_11_29_imports"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER INDEX ix_search_doc_pieces SET (fastupdate = on, gin_pending_list_limit = 256)")


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
