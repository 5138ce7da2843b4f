"""The field `allowed` of every record: several rights in one field of the one statement, with reasons in words."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import strawberry
from graphql import FieldNode
from sqlalchemy import Text, case, literal, literal_column

from models import ENTITIES, Base, Customer
from models.actions import right_in_words
from models.customer import locked
from models.errors import Forbidden
from models.names import in_sentence
from policies.objects import RIGHTS, is_done_to
from resolvers.reading.clauses import in_bin
from resolvers.runtime.viewer import Clause

from ..closed_lists import Action, action_of
from ..plan.dialect import Value, name_literal, object_of
from ..plan.shape import SHAPES, Computed, Expressions
from . import make

_OUT_OF_BIN = ("restore", "purge", "view")
"""What is done to records in the bin."""
_PAST_LOCKS = ("unlock", "lock")
"""What a lock does not stand against."""


@strawberry.type(description="Whether you may do something to a record.")
class Allowed:
    action: make.enum_of(Action)  # type: ignore[valid-type]  # made from a closed list
    """What is asked about."""
    allowed: bool
    """Whether you may do it to this record now."""
    reason: str | None = strawberry.field(description="Why you may not, in your language; null where you may.")


def add() -> None:
    """Add the field to the derived shapes."""
    for model in ENTITIES:
        SHAPES[model]["allowed"] = Computed(
            partial(_allowed, model),
            list[Allowed],
            "Whether you may do these things to the record; without `actions` all that are done to its kind.",
            {"actions": list[make.enum_of(Action)] | None},  # type: ignore[misc]  # made from a closed list
        )


def _allowed(
    model: type[Base], compiler: Expressions, e: Any, arguments: Mapping[str, Any], nodes: Sequence[FieldNode]
) -> Value:
    given = arguments.get("actions")
    of_kind = [x.name for x in RIGHTS if x.name != "create" and is_done_to(x, model.module)]
    actions = of_kind if given is None else list(dict.fromkeys(action_of(x) for x in given))
    fields = compiler.operation.subfields("Allowed", nodes)
    return compiler.dialect.list(*(_item(model, compiler, e, action, fields) for action in actions))


def _item(model: type[Base], compiler: Expressions, e: Any, action: str, fields: Mapping[str, Any]) -> Value:
    may: Clause = compiler.viewer.where(action, model, e)
    values: dict[str, Callable[[], Value]] = {
        "__typename": lambda: name_literal("Allowed"),
        "action": lambda: name_literal(Action(action).name),
        "allowed": lambda: compiler.dialect.boolean(may),
        "reason": lambda: case(
            (may, literal_column("NULL", Text)),
            *_reasons(model, compiler, e, action),
            else_=_text(compiler, model, action),
        ),
    }
    return object_of(compiler.dialect, [(alias, values[group[0].name.value]()) for alias, group in fields.items()])


def _reasons(model: type[Base], compiler: Expressions, e: Any, action: str) -> Iterator[tuple[Clause, Value]]:
    """(condition, sentence) for what stands against any right, the first that holds."""
    viewer = compiler.viewer
    if not viewer.policy.ever(viewer.person, action, model.module):
        return
    at = viewer.language.startswith("zh")
    if action not in _OUT_OF_BIN:
        yield in_bin(model, e), literal(("It is in the recycle bin.", "它在回收站中。")[at], Text)
    if model is Customer and action not in _PAST_LOCKS:
        yield locked(e, viewer.person.now), literal(("It is locked.", "它已被锁定。")[at], Text)


def _text(compiler: Expressions, model: type[Base], action: str) -> Value:
    """That the role lacks the right, or has it for other records only."""
    viewer = compiler.viewer
    right = f"{model.module}.{action}"
    if not viewer.policy.ever(viewer.person, action, model.module):
        return literal(Forbidden(action=right).say(viewer.language), Text)
    english, chinese = right_in_words(right)
    said = (
        f"Your role has this right for other records, not for this one: {in_sentence(english)}.",
        f"您的角色对其他记录有此权限，对此记录没有：{chinese}。",
    )
    return literal(said[viewer.language.startswith("zh")], Text)
