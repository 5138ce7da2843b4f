"""The columns import_batch.result, import_batch.result_at, import_batch.returned."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.base import Utc, text_type

revision: str = "2026_11_30_import_results"
down_revision: str | None = "2026_11_30_uploads"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("import_batch", sa.Column("result", text_type(60), nullable=True))
    op.add_column("import_batch", sa.Column("result_at", Utc(), nullable=True))
    op.add_column("import_batch", sa.Column("returned", text_type(60), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
