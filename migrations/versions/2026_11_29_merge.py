"""Merges of customers, what became of merged records, and the end of an ownership by a merge."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.base import Utc, text_type

revision: str = "2026_11_29_merge"
down_revision: str | None = "2026_11_29_former_name"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

BEFORE = "'RELEASE', 'TRANSFER', 'DELETE'"
"""How an ownership could end."""


def upgrade() -> None:
    op.create_table(
        "merge_record",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("winner_id", sa.Integer(), nullable=False),
        sa.Column("loser_ids", sa.JSON(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("by_name", text_type(200), nullable=False),
        sa.Column("reason", text_type(200), nullable=True),
        sa.Column("undone_at", Utc(), nullable=True),
        sa.Column("undone_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["app_user.id"], name=op.f("fk_merge_record_by_id")),
        sa.ForeignKeyConstraint(["undone_by_id"], ["app_user.id"], name=op.f("fk_merge_record_undone_by_id")),
        sa.ForeignKeyConstraint(
            ["winner_id"], ["customer.id"], name=op.f("fk_merge_record_winner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merge_record")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_merge_record_winner", "merge_record", ["winner_id", "id"], unique=False)
    op.add_column(
        "contact",
        sa.Column(
            "merged_into_id", sa.Integer(), sa.ForeignKey("contact.id", name="fk_contact_merged_into_id"), nullable=True
        ),
        inline_references=True,
    )
    op.create_index(
        "ix_contact_merged",
        "contact",
        ["merged_into_id"],
        unique=False,
        sqlite_where=sa.text("merged_into_id IS NOT NULL"),
        postgresql_where=sa.text("merged_into_id IS NOT NULL"),
    )
    op.add_column(
        "customer",
        sa.Column(
            "merged_into_id",
            sa.Integer(),
            sa.ForeignKey("customer.id", name="fk_customer_merged_into_id"),
            nullable=True,
        ),
        inline_references=True,
    )
    op.create_index(
        "ix_customer_merged",
        "customer",
        ["merged_into_id"],
        unique=False,
        sqlite_where=sa.text("merged_into_id IS NOT NULL"),
        postgresql_where=sa.text("merged_into_id IS NOT NULL"),
    )
    _let_ownership_end_by_merge(op.get_bind())
    # No use case asked for the right until now: it is offered to installations that are there.
    op.execute("DELETE FROM policy_word WHERE word = '.merge'")


def _let_ownership_end_by_merge(connection: sa.Connection) -> None:
    """Add a member to the choice `ended`.  On SQLite the text of the table's definition changes, and no row."""
    if connection.dialect.name != "sqlite":
        op.drop_constraint(op.f("ck_ownership_period_ended"), "ownership_period", type_="check")
        op.create_check_constraint(
            op.f("ck_ownership_period_ended"), "ownership_period", f"ended IN ({BEFORE}, 'MERGE')"
        )
        return
    (version,) = connection.exec_driver_sql("PRAGMA schema_version").one()
    connection.exec_driver_sql("PRAGMA writable_schema=ON")
    connection.exec_driver_sql(
        "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = 'ownership_period'",
        (f"({BEFORE})", f"({BEFORE}, 'MERGE')"),
    )
    connection.exec_driver_sql(f"PRAGMA schema_version={version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema=RESET")


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
