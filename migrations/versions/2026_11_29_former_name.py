"""Former names and numbers of customers."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.base import Utc, text_type

revision: str = "2026_11_29_former_name"
down_revision: str | None = "2026_11_29_panel_choices"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "former_name",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("NAME", "NUMBER", name="name_kind", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column("value", text_type(200), nullable=False),
        sa.Column("value_key", text_type(1000), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_former_name_customer_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_former_name")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_former_name_customer", "former_name", ["customer_id", "kind", "value_key"], unique=False)
    op.create_index("ix_former_name_key", "former_name", ["value_key"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
