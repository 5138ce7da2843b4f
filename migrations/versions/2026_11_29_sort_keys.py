"""Sort keys of names and numbers, numbers that are compared without case and width, the largest jump of numbers."""

from collections.abc import Callable, Sequence

import sqlalchemy as sa
from alembic import op

from models.base import text_type
from models.numbering import Pattern
from models.text import name_key, natural_key, number_key

revision: str = "2026_11_29_sort_keys"
down_revision: str | None = "2026_11_29_trust"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

NAMES = {
    "app_user": ("name",),
    "contact": ("name",),
    "customer": ("name",),
    "department": ("name",),
    "dictionary": ("name", "name_zh"),
    "dictionary_item": ("label_en", "label_zh"),
    "opportunity": ("name",),
    "pool": ("name",),
    "role": ("name", "name_zh"),
}
CHUNK = 5_000


def upgrade() -> None:
    for table, names in NAMES.items():
        for name in names:
            if name.endswith("_zh"):
                op.add_column(table, sa.Column(f"{name}_key", text_type(1000), nullable=True))
            else:
                op.add_column(
                    table, sa.Column(f"{name}_key", text_type(1000), nullable=False, server_default=sa.text("''"))
                )
    op.add_column("customer", sa.Column("number_key", text_type(120), nullable=True))
    op.add_column("customer", sa.Column("number_order", text_type(240), nullable=False, server_default=sa.text("''")))
    op.add_column("tombstone", sa.Column("number_key", text_type(120), nullable=True))
    at_least = sa.CheckConstraint("largest_jump >= 0", name=op.f("ck_number_rule_largest_jump"))
    op.add_column(
        "number_rule", sa.Column("largest_jump", sa.Integer(), at_least, nullable=False, server_default="10000")
    )
    fill()
    for table, names in NAMES.items():
        index(table, f"{names[0]}_key")
    index("customer", "number_order")
    op.create_index("uq_customer_number_key", "customer", ["number_key"], unique=True)
    op.create_index("ix_tombstone_number_key", "tombstone", ["for_module", "number_key"], unique=False)


def index(table: str, key: str) -> None:
    live = sa.text("deleted_at IS NULL")
    op.create_index(f"ix_{table}_{key}", table, [key, "id"], sqlite_where=live, postgresql_where=live)


def fill() -> None:
    """Fill the keys of the rows that are there."""
    for table, names in NAMES.items():
        for name in names:
            fill_column(table, name, f"{name}_key", lambda _, text: name_key(text))
    order, given = number_order(), set[str]()

    def once(id: int, number: str) -> str:
        """The key of a number; of a second number with the same letters one that is not typed."""
        key = number_key(number)
        key = f"{key}\x1f{id}" if key in given else key
        given.add(key)
        return key

    fill_column("customer", "number", "number_order", lambda _, text: order(text))
    fill_column("customer", "number", "number_key", once)
    fill_column("tombstone", "number", "number_key", lambda _, text: number_key(text))


def number_order() -> Callable[[str], str]:
    """The sort key of numbers, by the pattern that is in force."""
    rule = sa.text("SELECT pattern FROM number_rule WHERE for_module = 'customer' AND deleted_at IS NULL")
    pattern = op.get_bind().execute(rule).scalar()
    return Pattern(pattern).order if pattern else natural_key


def fill_column(table: str, source: str, key: str, made: Callable[[int, str], str]) -> None:
    """Fill a key, some thousand rows at a time."""
    connection, t = op.get_bind(), sa.table(table, sa.column("id"), sa.column(source), sa.column(key))
    filled = sa.update(t).where(t.c.id == sa.bindparam("id_")).values({key: sa.bindparam("key_")})
    last = 0
    while rows := connection.execute(
        sa.select(t.c.id, t.c[source]).where(t.c.id > last).order_by(t.c.id).limit(CHUNK)
    ).all():
        last = rows[-1].id
        if new := [{"id_": id, "key_": made(id, text)} for id, text in rows if text is not None]:
            connection.execute(filled, new)


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
