"""The tables import_batch, import_mapping, import_row."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.base import Utc, text_type

revision: str = "2026_11_29_imports"
down_revision: str | None = "2026_11_29_exports"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "import_batch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("target", text_type(40), nullable=False),
        sa.Column("file_name", text_type(200), nullable=False),
        sa.Column("file", text_type(60), nullable=False),
        sa.Column("file_hash", text_type(64), nullable=False),
        sa.Column("signature", text_type(32), nullable=True),
        sa.Column("choices", sa.JSON(), nullable=False),
        sa.Column("overview", sa.JSON(), nullable=True),
        sa.Column("mapping", sa.JSON(), nullable=True),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column(
            "mode",
            sa.Enum(
                "INSERT", "UPDATE", "UPSERT", name="import_mode", native_enum=False, create_constraint=True, length=20
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "UPLOADED",
                "READ",
                "MAPPED",
                "CHECKED",
                "APPLYING",
                "DONE",
                "PARTLY",
                "CANCELLED",
                "UNDOING",
                "UNDONE",
                "FAILED",
                name="import_state",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("error_code", text_type(40), nullable=True),
        sa.Column("error", text_type(400), nullable=True),
        sa.Column("error_zh", text_type(400), nullable=True),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("confirmed_at", Utc(), nullable=True),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.CheckConstraint("rows >= 0", name=op.f("ck_import_batch_rows")),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["app_user.id"], name=op.f("fk_import_batch_owner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_batch")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_import_batch_ended", "import_batch", ["ended_at"], unique=False)
    op.create_index("ix_import_batch_file", "import_batch", ["file_hash"], unique=False)
    op.create_index("ix_import_batch_owner", "import_batch", ["owner_id", "id"], unique=False)
    op.create_table(
        "import_mapping",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("target", text_type(40), nullable=False),
        sa.Column("signature", text_type(32), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("used_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["app_user.id"], name=op.f("fk_import_mapping_owner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_mapping")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_import_mapping_signature", "import_mapping", ["target", "signature", "used_at"], unique=False)
    op.create_index("uq_import_mapping", "import_mapping", ["owner_id", "target", "signature"], unique=True)
    op.create_table(
        "import_row",
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "STAGED",
                "GOOD",
                "BAD",
                "SKIPPED",
                "CREATED",
                "UPDATED",
                "SAME",
                "FAILED",
                "UNDONE",
                "KEPT",
                name="row_state",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("cells", sa.JSON(), nullable=False),
        sa.Column("edits", sa.JSON(), nullable=True),
        sa.Column("problems", sa.JSON(), nullable=True),
        sa.Column("record_id", sa.Integer(), nullable=True),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["import_batch.id"], name=op.f("fk_import_row_batch_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("batch_id", "number", name=op.f("pk_import_row")),
    )
    op.create_index("ix_import_row_state", "import_row", ["batch_id", "state", "number"], unique=False)
    op.execute("DELETE FROM policy_word WHERE word = '.import'")  # its new lines are offered to installations that run


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
