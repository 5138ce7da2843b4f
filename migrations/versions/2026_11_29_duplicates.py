"""Keys by which duplicates are found, rules of what is one, and registration numbers of customers."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.base import Utc, text_type
from resolvers.duplicates.key_index import rebuild

revision: str = "2026_11_29_duplicates"
down_revision: str | None = "2026_11_29_merge"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "dup_key",
        sa.Column("key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("doc_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("key", "doc_id", name=op.f("pk_dup_key")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_dup_key_doc_id", "dup_key", ["doc_id"], unique=False)
    op.create_table(
        "duplicate_rule",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("for_module", text_type(40), nullable=False),
        sa.Column(
            "evidence",
            sa.Enum(
                "REGISTRATION",
                "EMAIL",
                "NAME",
                "SOUND",
                "TYPING_ERROR",
                "PHONE_AND_NAME",
                "SIMILAR_NAME",
                "PHONE",
                "DOMAIN",
                "NAME_ELSEWHERE",
                name="evidence",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column(
            "verdict",
            sa.Enum(
                "NOTHING",
                "POSSIBLE",
                "CERTAIN",
                "REFUSED",
                name="verdict",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.Column("deleted_at", Utc(), nullable=True),
        sa.Column("deleted_by_id", sa.Integer(), nullable=True),
        sa.Column("delete_batch_id", text_type(40), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_duplicate_rule_created_by_id")),
        sa.ForeignKeyConstraint(["deleted_by_id"], ["app_user.id"], name=op.f("fk_duplicate_rule_deleted_by_id")),
        sa.ForeignKeyConstraint(["updated_by_id"], ["app_user.id"], name=op.f("fk_duplicate_rule_updated_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duplicate_rule")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_duplicate_rule_delete_batch_id"), "duplicate_rule", ["delete_batch_id"], unique=False)
    op.create_index(
        "uq_duplicate_rule",
        "duplicate_rule",
        ["for_module", "evidence"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.add_column("customer", sa.Column("registration_number", text_type(40), nullable=True))
    rebuild(op.get_bind())


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
