"""Values of custom fields become those of another kind beside the requests."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.base import Utc, json_type

revision: str = "2026_11_30_custom_conversion"
down_revision: str | None = "2026_11_30_custom_search"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("custom_field", sa.Column("converting_at", Utc(), nullable=True))
    op.create_table(
        "unconverted_value",
        sa.Column("field_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("record_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("becomes", json_type(), nullable=False),
        sa.PrimaryKeyConstraint("field_id", "record_id", name=op.f("pk_unconverted_value")),
    )


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
