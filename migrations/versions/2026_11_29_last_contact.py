"""The last and the next contact of customers, which follow-ups count, and the organisation's rule about that."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from models.base import Utc, text_type
from models.counting import copy_key

revision: str = "2026_11_29_last_contact"
down_revision: str | None = "2026_11_29_notices"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

LIVE = "deleted_at IS NULL"
PLANNED = f"{LIVE} AND next_follow_up_at IS NOT NULL"
CHUNK = 5_000
COUNTED = ("call", "visit", "email", "wechat", "meeting", "note")
LAST_AT = """
UPDATE customer SET last_follow_up_at = (
    SELECT f.happened_at FROM follow_up f
    WHERE f.customer_id = customer.id AND f.deleted_at IS NULL ORDER BY f.happened_at DESC, f.id DESC LIMIT 1)
"""
LAST_BY = """
UPDATE customer SET last_follow_up_by_id = (
    SELECT f.owner_id FROM follow_up f
    WHERE f.customer_id = customer.id AND f.deleted_at IS NULL ORDER BY f.happened_at DESC, f.id DESC LIMIT 1)
WHERE last_follow_up_at IS NOT NULL
"""


def upgrade() -> None:
    op.add_column("customer", sa.Column("last_follow_up_at", Utc(), nullable=True))
    by = sa.ForeignKey("app_user.id", name="fk_customer_last_follow_up_by_id")
    op.add_column(
        "customer", sa.Column("last_follow_up_by_id", sa.Integer(), by, nullable=True), inline_references=True
    )
    op.add_column("customer", sa.Column("next_follow_up_at", Utc(), nullable=True))
    op.add_column("follow_up", sa.Column("counts", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("follow_up", sa.Column("content_key", text_type(32), nullable=True))
    for kind in COUNTED:
        column = sa.Column(f"{kind}_counts", sa.Boolean(), nullable=False, server_default=sa.true())
        op.add_column("organisation", column)
    for name, default in (("follow_up_characters", "2"), ("follow_up_copy_days", "30")):
        op.add_column("organisation", sa.Column(name, sa.Integer(), nullable=False, server_default=default))
    fill_copy_keys()
    op.create_index("ix_follow_up_copy", "follow_up", ["created_by_id", "content_key", "created_at"])
    op.execute(LAST_AT)
    op.execute(LAST_BY)
    for name, columns, where in (
        ("last_follow_up", ["last_follow_up_at", "id"], LIVE),
        ("owner_last_follow_up", ["owner_id", "last_follow_up_at", "id"], LIVE),
        ("next_follow_up", ["next_follow_up_at", "id"], PLANNED),
        ("owner_next_follow_up", ["owner_id", "next_follow_up_at", "id"], PLANNED),
    ):
        condition = sa.text(where)
        op.create_index(f"ix_customer_{name}", "customer", columns, sqlite_where=condition, postgresql_where=condition)


def fill_copy_keys() -> None:
    """Fill the keys of the texts that are there, some thousand rows at a time."""
    t = sa.table("follow_up", sa.column("id"), sa.column("content"), sa.column("content_key"))
    filled = sa.update(t).where(t.c.id == sa.bindparam("id_")).values(content_key=sa.bindparam("key_"))
    connection, last = op.get_bind(), 0
    while rows := connection.execute(
        sa.select(t.c.id, t.c.content).where(t.c.id > last).order_by(t.c.id).limit(CHUNK)
    ).all():
        last = rows[-1].id
        connection.execute(filled, [{"id_": id, "key_": copy_key(text)} for id, text in rows])


def downgrade() -> None:
    raise NotImplementedError("go back by restoring a backup")
