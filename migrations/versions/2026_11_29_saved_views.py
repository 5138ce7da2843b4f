"""The tables saved_view, saved_view_share."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.base import Utc, text_type

revision: str = "2026_11_29_saved_views"
down_revision: str | None = "2026_11_29_not_duplicate"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "saved_view",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("entity", text_type(40), nullable=False),
        sa.Column("name", text_type(60), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("for_everyone", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.CheckConstraint("name <> ''", name=op.f("ck_saved_view_name")),
        sa.ForeignKeyConstraint(["owner_id"], ["app_user.id"], name=op.f("fk_saved_view_owner_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_saved_view_entity", "saved_view", ["entity", "for_everyone"], unique=False)
    op.create_index("uq_saved_view_name", "saved_view", ["owner_id", "entity", "name"], unique=True)
    op.create_table(
        "saved_view_share",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("view_id", sa.Integer(), nullable=False),
        sa.Column(
            "grantee_kind",
            sa.Enum(
                "USER", "DEPARTMENT", "ROLE", name="grantee_kind", native_enum=False, create_constraint=True, length=20
            ),
            nullable=False,
        ),
        sa.Column("grantee_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["view_id"], ["saved_view.id"], name=op.f("fk_saved_view_share_view_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view_share")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_saved_view_share_view_id"), "saved_view_share", ["view_id"], unique=False)
    op.create_index("uq_saved_view_share", "saved_view_share", ["grantee_kind", "grantee_id", "view_id"], unique=True)


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
