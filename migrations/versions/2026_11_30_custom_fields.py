"""Custom fields: their definitions, the edition of all of them, and the column of values of each kind that has them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.base import Utc, json_type, long_text, text_type

revision: str = "2026_11_30_custom_fields"
down_revision: str | None = "2026_11_30_pipelines"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "field_book",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("edition", text_type(64), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_field_book_only_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_field_book")),
    )
    op.create_table(
        "custom_field",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("for_module", text_type(40), nullable=False),
        sa.Column("key", text_type(40), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "TEXT",
                "LONG_TEXT",
                "NUMBER",
                "MONEY",
                "DATE",
                "MOMENT",
                "YES_NO",
                "SINGLE_CHOICE",
                "MULTIPLE_CHOICE",
                "PHONE",
                "EMAIL",
                "LINK",
                "PERSON",
                "REFERENCE",
                name="custom_kind",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("label_en", text_type(200), nullable=False),
        sa.Column("label_zh", text_type(200), nullable=True),
        sa.Column("help_en", long_text(), nullable=True),
        sa.Column("help_zh", long_text(), nullable=True),
        sa.Column("is_required", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("dictionary", text_type(40), nullable=True),
        sa.Column("target", text_type(40), nullable=True),
        sa.Column("is_searchable", sa.Boolean(), nullable=False),
        sa.Column("searchable_at", Utc(), nullable=True),
        sa.Column("retired_at", Utc(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.Column("deleted_at", Utc(), nullable=True),
        sa.Column("deleted_by_id", sa.Integer(), nullable=True),
        sa.Column("delete_batch_id", text_type(40), nullable=True),
        sa.Column("label_en_key", text_type(1000), server_default=sa.text("('')"), nullable=False),
        sa.Column("label_zh_key", text_type(1000), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_custom_field_created_by_id")),
        sa.ForeignKeyConstraint(["deleted_by_id"], ["app_user.id"], name=op.f("fk_custom_field_deleted_by_id")),
        sa.ForeignKeyConstraint(["updated_by_id"], ["app_user.id"], name=op.f("fk_custom_field_updated_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custom_field")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_custom_field_delete_batch_id"), "custom_field", ["delete_batch_id"], unique=False)
    op.create_index(
        "ix_custom_field_label_en_key",
        "custom_field",
        ["label_en_key", "id"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "uq_custom_field_key",
        "custom_field",
        ["for_module", "key"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.add_column("contact", sa.Column("custom", json_type(), nullable=True))
    op.add_column("customer", sa.Column("custom", json_type(), nullable=True))
    op.add_column("follow_up", sa.Column("custom", json_type(), nullable=True))
    op.add_column("opportunity", sa.Column("custom", json_type(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
