"""The tables export, export_profile; the column organisation.export_rows."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.base import Utc, text_type

revision: str = "2026_11_29_exports"
down_revision: str | None = "2026_11_29_pool_index"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "export",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("entity", text_type(40), nullable=False),
        sa.Column("title", text_type(100), nullable=False),
        sa.Column(
            "range",
            sa.Enum(
                "SELECTION", "FILTER", "ALL", name="export_range", native_enum=False, create_constraint=True, length=20
            ),
            nullable=False,
        ),
        sa.Column("listing", sa.JSON(), nullable=False),
        sa.Column("said", text_type(1000), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column(
            "format",
            sa.Enum("XLSX", "CSV", name="export_format", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column("language", text_type(8), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "WAITING",
                "RUNNING",
                "DONE",
                "FAILED",
                "CANCELLED",
                "EXPIRED",
                name="export_state",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("written", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("file", text_type(60), nullable=False),
        sa.Column("found", text_type(60), nullable=True),
        sa.Column("part", text_type(60), nullable=True),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.Column("downloads", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.Column("expires_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["app_user.id"], name=op.f("fk_export_owner_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_export_expires", "export", ["expires_at"], unique=False)
    op.create_index("ix_export_job", "export", ["job_id"], unique=False)
    op.create_index("ix_export_owner", "export", ["owner_id", "id"], unique=False)
    op.create_table(
        "export_profile",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("entity", text_type(40), nullable=False),
        sa.Column("name", text_type(60), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.CheckConstraint("name <> ''", name=op.f("ck_export_profile_name")),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["app_user.id"], name=op.f("fk_export_profile_owner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export_profile")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_export_profile_entity", "export_profile", ["entity", "shared"], unique=False)
    op.create_index("uq_export_profile_name", "export_profile", ["owner_id", "entity", "name"], unique=True)
    op.add_column("organisation", sa.Column("export_rows", sa.Integer(), nullable=True))
    op.execute("DELETE FROM policy_word WHERE word = '.export'")  # its new lines are offered to installations that run


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
