"""Alembic's entry: runs the migrations on the connection that `millpond.migrate` hands over."""

from typing import Any

from alembic import context
from sqlalchemy import Enum, String, Text

from models import Base
from models.base import Money, Utc


def render_item(kind: str, item: Any, autogen_context: Any) -> str | bool:
    """Write our own column types by their names, so that a migration reads like the models."""
    if kind != "type" or not isinstance(item, Utc | Money | String) or isinstance(item, Enum):
        return False
    autogen_context.imports.add("from models.base import Money, Utc, long_text, text_type")
    if isinstance(item, Utc | Money):
        return f"{type(item).__name__}()"
    return "long_text()" if isinstance(item, Text) else f"text_type({item.length})"


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_type=True,
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
