"""What statistics group records by: words, people, teams, pools, months and branches of a dictionary, under policy.

A value that the viewer may not see counts as an empty one, like in a filter: its group tells nothing about it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Integer, String, case, cast, func, literal, literal_column, null, select

from models import Base, Customer, Department, Dictionary, DictionaryItem, Opportunity, Pipeline, Pool, User
from models.pipeline import StageKind

from ..runtime.viewer import Value, Viewer
from .clauses import value
from .months import MonthOfMoment, month_in_words, month_of_day
from .order import order_value, word_label, word_position
from .titles import display_column, title_of

MAX_LEVEL = 10
"""Maximum level of a branch; level 1 are the words that stand below none."""


@dataclass(frozen=True)
class Group:
    """One thing to group by.

    `value` is read from each row.  Then `mapped`, if there is one, makes a table with `key` and `to` of the values that
    stand for others, like the department of an owner; it is joined once the rows are grouped.
    """

    value: Callable[[Viewer, Any], Value]
    target: type[Base] | None = None
    dictionary: str | None = None
    is_month: bool = False
    mapped: Callable[[Viewer, Any], Any] | None = None

    def label(self, viewer: Viewer, key: Value) -> Value:
        """What people read for a group, in their language; NULL where they may not see what it is called."""
        if self.target is not None:
            return _of_record(viewer, self.target, key, title_of)
        if self.dictionary is not None:
            return func.coalesce(word_label(viewer, self.dictionary, key), key)
        return month_in_words(key, viewer.language)

    def order(self, viewer: Viewer, key: Value) -> Value:
        """By what groups are sorted: the place of a word, the name of a record, time."""
        if self.target is not None:
            return _of_record(viewer, self.target, key, _name_key)
        return key if self.dictionary is None else word_position(self.dictionary, key)


def _of_record(
    viewer: Viewer, model: type[Base], id: Value, wanted: Callable[[Viewer, type[Base], Any], Value]
) -> Value:
    table = model.__table__.alias()
    found = select(wanted(viewer, model, table.c)).where(table.c.id == id, viewer.one_by_one.rows(model, table.c))
    return found.correlate_except(table).execution_options(policy=True).scalar_subquery()


def _name_key(viewer: Viewer, model: type[Base], e: Any) -> Value:
    return order_value(viewer, model, e, display_column(model))


# --- values ----------------------------------------------------------------------------------------------


def _column(model: type[Base], key: str) -> Callable[[Viewer, Any], Value]:
    return lambda viewer, e: value(viewer, model, e, key)


def _of_customer(key: str) -> Callable[[Viewer, Any], Value]:
    """The value of a customer, for what is visible through it."""
    return lambda viewer, e: value(viewer, Customer, e.parent.e, key)


def _created(model: type[Base]) -> Callable[[Viewer, Any], Value]:
    return lambda viewer, e: MonthOfMoment(value(viewer, model, e, "created_at"), viewer.person.zone)


def _closing(viewer: Viewer, e: Any) -> Value:
    """The month in which an opportunity was won or lost, or is expected to be closed."""
    state, closed, expected = (value(viewer, Opportunity, e, x) for x in ("state", "closed_on", "expected_close"))
    return month_of_day(case((state.in_([StageKind.WON, StageKind.LOST]), closed), else_=expected))


def _departments(viewer: Viewer, _level: Any) -> Any:
    """Owner -> department, as far as the viewer sees both."""
    user = User.__table__.alias()
    department = value(viewer, User, user.c, "department_id")
    found = select(user.c.id.label("key"), department.label("to")).where(viewer.at_once.rows(User, user.c))
    return found.execution_options(policy=True).cte()


def _branches(dictionary: str) -> Callable[[Viewer, Any], Any]:
    """Word -> the word of this level above it, or itself where it stands higher."""

    def mapped(_viewer: Viewer, level: Any) -> Any:
        item, whole, below = (x.__table__.alias() for x in (DictionaryItem, Dictionary, DictionaryItem))
        one = literal_column("1", Integer)
        top = select(item.c.id, item.c.key, item.c.key.label("to"), one.label("level"))
        top = top.join(whole, whole.c.id == item.c.dictionary_id).where(whole.c.code == literal(dictionary))
        top = top.where(whole.c.deleted_at.is_(None), item.c.deleted_at.is_(None), item.c.parent_id.is_(None))
        tree = top.execution_options(policy=True).cte(recursive=True)
        to = case((tree.c.level < level, below.c.key), else_=tree.c.to)
        further = select(below.c.id, below.c.key, to, tree.c.level + one).join(tree, below.c.parent_id == tree.c.id)
        return tree.union_all(further.where(below.c.deleted_at.is_(None), tree.c.level < _DEEPEST))

    return mapped


_DEEPEST = literal_column("50", Integer)
"""Levels of a dictionary that are followed, should one ever stand below itself."""


def _word(model: type[Base], key: str, dictionary: str) -> Group:
    return Group(_column(model, key), dictionary=dictionary)


def _customers_word(key: str) -> Group:
    return Group(_of_customer(key), dictionary=key)


CUSTOMER_GROUPS: Mapping[str, Group] = {
    "STAGE": _word(Customer, "stage", "stage"),
    "OWNER": Group(_column(Customer, "owner_id"), target=User),
    "DEPARTMENT": Group(_column(Customer, "department_id"), target=Department),
    "POOL": Group(_column(Customer, "pool_id"), target=Pool),
    "CREATED_MONTH": Group(_created(Customer), is_month=True),
    "CATEGORY": _word(Customer, "category", "category"),
    "CATEGORY_BRANCH": Group(_column(Customer, "category"), dictionary="category", mapped=_branches("category")),
    "REGION": _word(Customer, "region", "region"),
    "SOURCE": _word(Customer, "source", "source"),
    "INDUSTRY": _word(Customer, "industry", "industry"),
    "LEVEL": _word(Customer, "level", "level"),
}
OPPORTUNITY_GROUPS: Mapping[str, Group] = {
    "STAGE": _word(Opportunity, "stage", "opportunity_stage"),
    "PIPELINE": Group(_column(Opportunity, "pipeline_id"), target=Pipeline),
    "OWNER": Group(_column(Opportunity, "owner_id"), target=User),
    "DEPARTMENT": Group(_column(Opportunity, "owner_id"), target=Department, mapped=_departments),
    "POOL": Group(_of_customer("pool_id"), target=Pool),
    "CREATED_MONTH": Group(_created(Opportunity), is_month=True),
    "CLOSING_MONTH": Group(_closing, is_month=True),
    "LOST_REASON": _word(Opportunity, "lost_reason", "lost_reason"),
    "CATEGORY": _customers_word("category"),
    "CATEGORY_BRANCH": Group(_of_customer("category"), dictionary="category", mapped=_branches("category")),
    "REGION": _customers_word("region"),
    "SOURCE": _customers_word("source"),
    "INDUSTRY": _customers_word("industry"),
}
GROUP_DOCS: Mapping[str, str] = {
    "STAGE": "By stage, in the order of the stages.",
    "PIPELINE": "By pipeline.",
    "OWNER": "By owner; null in a pool, or without one.",
    "DEPARTMENT": "By the department of the owner.",
    "POOL": "By the pool in which the customer lies; null with an owner.",
    "CREATED_MONTH": "By the month of creation, in the time zone of the organisation.",
    "CLOSING_MONTH": "By the month in which it was won or lost, or is expected to be closed.",
    "LOST_REASON": "By the reason for which it was lost.",
    "CATEGORY": "By the category of the customer.",
    "CATEGORY_BRANCH": "By the branch of the category: its word of `branchLevel` above it.",
    "REGION": "By the region of the customer.",
    "SOURCE": "By the source of the customer.",
    "INDUSTRY": "By the industry of the customer.",
    "LEVEL": "By the level of the customer.",
}


# --- money -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Amounts:
    """The values of one opportunity that are summed; each NULL where the viewer may not see what it is made of."""

    currency: Value
    amount: Value
    chance: Value
    """Per cent by which the amount counts as weighted: its probability while it is open, NULL afterwards."""


def amounts_of(viewer: Viewer, e: Any) -> Amounts:
    """The amounts of an opportunity.  One that is won or lost has no weighted amount."""
    state, currency, amount, probability = (
        value(viewer, Opportunity, e, x) for x in ("state", "currency", "amount", "probability")
    )
    is_open = state.in_([StageKind.OPEN, StageKind.ON_HOLD])
    chance = case((is_open, func.coalesce(probability, 0)), else_=null())
    return Amounts(cast(currency, String), case((currency.is_not(None), amount), else_=None), chance)
