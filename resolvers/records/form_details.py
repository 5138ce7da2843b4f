"""What a form needs beside the kinds of its fields: labels, options, bounds, defaults, and what its rules will ask."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from enum import Enum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Dictionary, DictionaryItem, Entity, User
from models.base import column_of, trait_of
from models.choice_names import choice_said, field_said
from models.field_examples import example_of

from ..reading.offers import may_be_placed
from ..runtime.form_terms import Bounds, FormTerms, When
from ..runtime.ids import camel, global_id
from ..runtime.lifecycle import rules_of
from ..runtime.scope import Scope
from .form_fields import FieldType, FormField, Option, Requirement

MOST_OPTIONS = 200
"""Number of words up to which a form lists them; of more it names the dictionary alone."""
MOST_WORDS, MOST_POINTS = 100, 20
"""Maximum number of items of a list of words, and of phones and addresses."""
_LARGEST = 2**31 - 1
_LARGEST_AMOUNT = Decimal("99999999999999.99")
_LARGEST_NUMBER = Decimal("999999999.999999")


def detailed(
    scope: Scope, db: Session, model: type[Entity], fields: Sequence[FormField], *, creating: bool
) -> list[FormField]:
    """The fields with all that their rules will ask of this caller.  One query, and what the rules read."""
    terms = rules_of(model).form_terms(scope, db)
    words = _words(scope, db, {x.dictionary for x in fields if x.dictionary})
    found = [_described(model, x, terms, words) for x in fields]
    if not creating:
        return found
    placed = [replace(x, editable=x.editable and may_be_placed(scope.viewer, model, x.key)) for x in found]
    return [_new(scope, model, x, terms, {each.key for each in placed if each.editable}) for x in placed]


def _described(model: type[Entity], x: FormField, terms: FormTerms, words: Mapping[str, Sequence[Option]]) -> FormField:
    options = words.get(x.dictionary, ()) if x.dictionary else [*_choices(x)]
    names = (x.custom.label("en"), x.custom.label("zh")) if x.custom else field_said(model, x.key)
    earliest, latest = terms.times.get(x.key, (None, None))
    return replace(
        x,
        said=names,
        options=tuple(options) if len(options) <= MOST_OPTIONS else (),
        has_more_options=len(options) > MOST_OPTIONS,
        example=example_of(model.__tablename__, x.key, x.type.value) if x.type in _TYPED else None,
        together=tuple(_others(model.together, x.key)),
        excludes=tuple(_others(terms.excluding, x.key)),
        earliest=earliest,
        latest=latest,
        **_limits(model, x, terms.bounds),
    )


def _new(scope: Scope, model: type[Entity], x: FormField, terms: FormTerms, editable: set[str]) -> FormField:
    """The same of a field of a new record, of whose inputs the caller may set `editable`."""
    required = x.required or x.key in terms.required
    when = terms.required_when.get(x.key, ()) if x.key in editable else ()
    return replace(
        x,
        required=required,
        default=_mine(scope) if x.key in terms.mine else terms.defaults.get(x.key, _default(model, x)),
        required_when=tuple(_requirement(each) for each in when),
        one_of=next((tuple(map(camel, group)) for group in terms.one_of if x.key in group), ()),
    )


def _others(groups: Iterable[Iterable[str]], key: str) -> Iterator[str]:
    """The names of the fields that stand in a group with this one."""
    yield from dict.fromkeys(camel(x) for group in groups if key in group for x in sorted(group) if x != key)


def _requirement(when: When) -> Requirement:
    return Requirement(tuple((camel(key), values) for key, values in when.all.items()))


# --- options ---------------------------------------------------------------------------------------------


def _choices(x: FormField) -> Iterator[Option]:
    for member in x.choices:
        yield Option(member, choice_said(member))


def _words(scope: Scope, db: Session, codes: set[str]) -> dict[str, list[Option]]:
    """Dictionary -> the words that can be chosen, as far as the caller sees them, each below the word that it belongs to."""
    item, whole = DictionaryItem.__table__, Dictionary.__table__
    live = (item.c.deleted_at.is_(None), item.c.archived_at.is_(None), whole.c.deleted_at.is_(None))
    asked = (
        select(whole.c.code, item.c.id, item.c.parent_id, item.c.key, item.c.label_en, item.c.label_zh)
        .join(whole, whole.c.id == item.c.dictionary_id)
        .where(whole.c.code.in_(codes), *live, scope.viewer.rows(DictionaryItem, item.c))
        .order_by(item.c.position, item.c.id)
    )
    rows = db.execute(asked.execution_options(policy=True)).all() if codes else []
    return {code: [*_tree([row for row in rows if row.code == code])] for code in codes}


def _tree(rows: Sequence[Any]) -> Iterator[Option]:
    below: dict[int | None, list[Any]] = {}
    there = {row.id for row in rows}
    for row in rows:
        below.setdefault(row.parent_id if row.parent_id in there else None, []).append(row)
    ahead = [(row, 0, None) for row in reversed(below.get(None, ()))]
    while ahead:
        row, depth, parent = ahead.pop()
        yield Option(row.key, (row.label_en, row.label_zh or row.label_en), depth, parent)
        ahead += [(each, depth + 1, row.key) for each in reversed(below.get(row.id, ()))]


# --- bounds and defaults ---------------------------------------------------------------------------------

_TYPED = (FieldType.TEXT, FieldType.LONG_TEXT, FieldType.PHONE, FieldType.EMAIL, FieldType.LINK)


def _limits(model: type[Entity], x: FormField, bounds: Mapping[str, Bounds]) -> dict[str, Any]:
    """The smallest and largest value, the number of decimals, and the largest number of items."""
    if x.type in (FieldType.LIST, FieldType.WORDS):
        return {"most": MOST_WORDS}
    if x.type is FieldType.POINTS:
        return {"most": MOST_POINTS}
    if x.type is FieldType.NUMBER:
        return {"decimals": 6, "low": -_LARGEST_NUMBER, "high": _LARGEST_NUMBER}
    if x.type not in (FieldType.WHOLE_NUMBER, FieldType.AMOUNT):
        return {}
    is_amount = x.type is FieldType.AMOUNT
    largest = _LARGEST_AMOUNT if is_amount else Decimal(_LARGEST)
    least = Decimal(0) if x.custom is None and trait_of(column_of(model, x.key)).not_negative else -largest
    low, high = bounds.get(x.key, (None, None))
    return {
        "low": least if low is None else Decimal(low),
        "high": largest if high is None else Decimal(high),
        "decimals": 2 if is_amount else 0,
    }


def _mine(scope: Scope) -> str | None:
    return global_id(User, scope.person.id) if scope.person.id is not None else None


def _default(model: type[Entity], x: FormField) -> Any:
    """What is stored where the input is left out, as far as the column says it."""
    if x.custom is not None or x.key not in model.__table__.c:
        return None
    default: Any = column_of(model, x.key).default
    if default is None or not default.is_scalar:
        return None
    return default.arg.name if isinstance(default.arg, Enum) else default.arg
