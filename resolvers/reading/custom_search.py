"""The custom fields that the search box looks into, and their texts where no search doc holds them."""

from typing import Any

from sqlalchemy import Select, func, select

from models import Base, Dictionary, DictionaryItem
from models.custom_field import CHOICES, Custom
from models.search_customs import SEARCHED_KINDS

from ..runtime.custom_fields import visible_fields
from ..runtime.viewer import Value, Viewer
from .elements import Element, HasElement


def searched_fields(viewer: Viewer, model: type[Base]) -> list[Custom]:
    """The fields that the search box looks into, among those that the viewer may see in some record."""
    return [x for x in visible_fields(viewer.policy, viewer.person, model) if x.kind in SEARCHED_KINDS]


def custom_texts(viewer: Viewer, model: type[Base], e: Any) -> list[Value]:
    """Their texts in a record, each NULL where the viewer may not see it: of a choice the labels, a line for each."""
    return [
        _labels(viewer, model, e, custom)
        if custom.kind in CHOICES
        else viewer.custom(model, e, custom.word, as_text=True)
        for custom in searched_fields(viewer, model)
    ]


def _labels(viewer: Viewer, model: type[Base], e: Any, custom: Custom) -> Value:
    held = viewer.custom(model, e, custom.word)
    item, whole = DictionaryItem.__table__.alias(), Dictionary.__table__.alias()
    both = item.c.label_en + "\n" + func.coalesce(item.c.label_zh, "")
    of_field = item.c.dictionary_id == whole.c.id, whole.c.code == custom.dictionary, whole.c.deleted_at.is_(None)
    is_held = HasElement(held, Element(held) == item.c.key) if custom.is_list else item.c.key == held
    found: Select[Any] = select(func.aggregate_strings(both, "\n")).select_from(item).join(whole, of_field[0])
    found = found.where(*of_field[1:], item.c.deleted_at.is_(None), is_held).correlate_except(item, whole)
    return found.execution_options(policy=True).scalar_subquery()
