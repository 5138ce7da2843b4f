"""Titles: the one value that shows a record to users, in their language where the record has it."""

from typing import Any

from sqlalchemy import func

from models import Base

from ..runtime.viewer import Value, Viewer
from .clauses import value


def display_column(model: type[Base]) -> str:
    """The key of the column that shows a record to users: `name` or `label_en`, else the model's `named_by`."""
    named = (key for key in ("name", "label_en") if key in model.__table__.c)
    return next(named, getattr(model, "named_by", "id"))


def title_of(viewer: Viewer, model: type[Base], e: Any) -> Value:
    """The title of a record: its Chinese name for a Chinese reader where there is one, else the display column."""
    title = value(viewer, model, e, display_column(model))
    zh = _CHINESE.get(display_column(model), "")
    if zh not in model.__table__.c or not viewer.language.startswith("zh"):
        return title
    return func.coalesce(func.nullif(value(viewer, model, e, zh), ""), title)


_CHINESE = {"name": "name_zh", "label_en": "label_zh"}
