"""The table upload."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.base import Utc, text_type

revision: str = "2026_11_30_uploads"
down_revision: str | None = "2026_11_29_pending_pieces"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "upload",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("name", text_type(200), nullable=False),
        sa.Column("stored", text_type(60), nullable=False),
        sa.Column("hash", text_type(64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["app_user.id"], name=op.f("fk_upload_owner_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_upload_created", "upload", ["created_at"], unique=False)
    op.create_index("ix_upload_owner", "upload", ["owner_id"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
