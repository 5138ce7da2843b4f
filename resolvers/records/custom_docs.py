"""Search docs follow the definitions of custom fields and the labels of their words, record by record beside the requests."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Contact, Customer, CustomField
from models.custom_field import Custom
from models.database.bypass import Because, bypass_policy
from models.search import renew

from ..runtime.scope import Scope

_COVERED: dict[str, type[Customer | Contact]] = {model.module: model for model in (Customer, Contact)}


def renew_later(scope: Scope, field: CustomField | Custom, after: timedelta = timedelta()) -> None:
    """Have the docs of all records that hold a value of the field written anew, in the open transaction.

    Of kinds of records without docs the values themselves are searched.  `after`: how long the job waits.
    """
    module = field.for_module if isinstance(field, CustomField) else field.module
    if module in _COVERED:
        what, place = {"module": module, "key": field.key}, f"search:{module}:{field.key}"
        scope.later("renew_search_docs", what, order_key=place, due_at=scope.now() + after)


def renew_next(db: Session, module: str, key: str, after: int, size: int) -> list[int]:
    """Write the docs of the next records that hold a value of the field; returns their ids."""
    model: Any = _COVERED[module]
    c = model.__table__.c
    held = select(c.id).where(c.id > after, c["custom"][key].as_string().is_not(None)).order_by(c.id).limit(size)
    ids = list(db.execute(held, execution_options=bypass_policy(Because.FILLS_INDEX)).scalars())
    if ids:
        renew(db, model, ids)
    return ids
