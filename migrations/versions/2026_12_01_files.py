"""The tables attachment and sensitive_read; values of the operation log can be blanked."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.audit.append_only import renewed_statements
from models.base import Utc, text_type

revision: str = "2026_12_01_files"
down_revision: str | None = "2026_11_30_custom_conversion"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "attachment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entity", text_type(40), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("name", text_type(200), nullable=False),
        sa.Column("media", text_type(100), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("hash", text_type(64), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("removed_at", Utc(), nullable=True),
        sa.Column("removed_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_attachment_created_by_id")),
        sa.ForeignKeyConstraint(["removed_by_id"], ["app_user.id"], name=op.f("fk_attachment_removed_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_attachment_hash", "attachment", ["hash"], unique=False)
    op.create_index("ix_attachment_record", "attachment", ["entity", "record_id", "id"], unique=False)
    op.create_index("ix_attachment_removed", "attachment", ["removed_at"], unique=False)
    op.create_table(
        "sensitive_read",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("reader_id", sa.Integer(), nullable=False),
        sa.Column("door", text_type(40), nullable=False),
        sa.Column("entity", text_type(40), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["reader_id"], ["app_user.id"], name=op.f("fk_sensitive_read_reader_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sensitive_read")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_sensitive_read_at", "sensitive_read", ["at"], unique=False)
    op.create_index("ix_sensitive_read_reader", "sensitive_read", ["reader_id", "id"], unique=False)
    op.create_index("ix_sensitive_read_record", "sensitive_read", ["entity", "record_id", "id"], unique=False)
    connection = op.get_bind()
    for line in renewed_statements(connection.dialect.name):
        connection.exec_driver_sql(line)


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
