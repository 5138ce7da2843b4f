"""A condition in words: the sentence above a list, its chips, and the labels of the search builder."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from models import Base, Department, User
from resolvers.reading.condition_fields import ME, MY_TEAM, ConditionField, Kind, Relation, relations_of
from resolvers.runtime.scope import Scope

from .book import known_fields
from .condition_rows import ALL, COUNTED, DATED, NO, SEVERAL, WITHOUT_VALUE, Group, Row, group_of
from .formatting import day
from .labels import choice_label, field_label, many
from .panel_request import PanelRequest
from .screen import names_in
from .translation import Label, listed
from .translation import gettext as _

WORDS = (Kind.WORD, Kind.WORDS)
"""Kinds whose values are words of a dictionary."""
OPERATORS: dict[str, Label] = {
    "contains": Label("contains"),
    "eq": Label("is"),
    "ne": Label("is not"),
    "startsWith": Label("begins with"),
    "endsWith": Label("ends with"),
    "in": Label("is one of"),
    "notIn": Label("is none of"),
    "under": Label("is or is below"),
    "gt": Label("is more than"),
    "gte": Label("is at least"),
    "lt": Label("is less than"),
    "lte": Label("is at most"),
    "empty": Label("is empty"),
    "filled": Label("is not empty"),
    "yes": Label("is yes"),
    "no": Label("is no"),
    "some": Label("there is one"),
    "none": Label("there is none"),
    "is": Label("is one"),
    "isNot": Label("is not one"),
    "last": Label("in the last"),
    "next": Label("in the next"),
    "ago": Label("longer ago than"),
    "ahead": Label("further ahead than"),
    "on": Label("on"),
    "from": Label("from"),
    "until": Label("until"),
    "between": Label("between"),
    "today": Label("today"),
    "yesterday": Label("yesterday"),
    "tomorrow": Label("tomorrow"),
    "last week": Label("last week"),
    "this week": Label("this week"),
    "next week": Label("next week"),
    "last month": Label("last month"),
    "this month": Label("this month"),
    "next month": Label("next month"),
    "last quarter": Label("last quarter"),
    "this quarter": Label("this quarter"),
    "next quarter": Label("next quarter"),
    "last year": Label("last year"),
    "this year": Label("this year"),
    "next year": Label("next year"),
}
UNITS: dict[str, Label] = {"days": Label("days"), "weeks": Label("weeks"), "months": Label("months")}
HOW: dict[str, Label] = {"all": Label("all of these"), "any": Label("any of these"), "none": Label("none of these")}


def name_of(model: type[Base], name: str) -> str:
    """What a field or related records are called."""
    found = known_fields(model).get(name)
    if found is not None:
        return field_label(model, found.key)
    relation = relations_of(model).get(name)
    if relation is None:
        return name
    return str(many(relation.target)) if relation.is_many else field_label(model, relation.key)


@dataclass
class ConditionWords:
    """The words of conditions for one request.  `names`: global id -> name of the records that they mention."""

    ask: PanelRequest
    names: Mapping[str, str] = field(default_factory=dict)

    def sentence(self, model: type[Base], condition: Mapping[str, Any]) -> str:
        return self._group(model, group_of(model, condition), is_outer=True)

    def chips(self, model: type[Base], condition: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        """(words, what is left of the condition without it) of each part that must hold."""
        parts = condition.get("and") if list(condition) == ["and"] else [{k: v} for k, v in condition.items()]
        every = [part for part in parts or () if part]
        lefts = [[x for x in every if x is not part] for part in every]
        return [
            (self.sentence(model, part), {"and": left} if len(left) > 1 else dict(left[0]) if left else {})
            for part, left in zip(every, lefts, strict=True)
        ]

    def _group(self, model: type[Base], group: Group, *, is_outer: bool = False) -> str:
        said = [self._part(model, part) for part in group.parts]
        joined = (_(" and ") if group.how == ALL else _(" or ")).join(said)
        if group.how == NO:
            return _("not (%(text)s)") % {"text": joined}
        return joined if is_outer or len(said) == 1 else _("(%(text)s)") % {"text": joined}

    def _part(self, model: type[Base], part: Row | Group) -> str:
        if isinstance(part, Group):
            return self._group(model, part)
        name, operator = name_of(model, part.name), str(OPERATORS.get(part.operator, part.operator))
        if part.group is not None:
            return self._related(model, part, name)
        value = self._value(model, part)
        shown = {"field": name, "operator": operator, "value": value}
        return _("%(field)s %(operator)s %(value)s") % shown if value else _("%(field)s %(operator)s") % shown

    def _related(self, model: type[Base], row: Row, name: str) -> str:
        relation = relations_of(model)[row.name]
        inner = self._group(relation.target, row.group or Group(), is_outer=True)
        shown = {"name": name, "text": inner}
        if relation.is_many:
            if not inner:
                return (_("has %(name)s") if row.operator == "some" else _("has no %(name)s")) % shown
            wanted = row.operator == "some"
            return (_("has %(name)s (%(text)s)") if wanted else _("has no %(name)s (%(text)s)")) % shown
        return (_("%(name)s (%(text)s)") if row.operator == "is" else _("%(name)s not (%(text)s)")) % shown

    def _value(self, model: type[Base], row: Row) -> str:
        if row.operator in WITHOUT_VALUE:
            return ""
        if row.operator in COUNTED:
            return _("%(number)s %(unit)s") % {"number": row.number, "unit": str(UNITS[row.unit])}
        if row.operator in DATED:
            return " – ".join(self._day(text) for text in (row.first, row.last) if text)
        found = known_fields(model)[row.name]
        values = [self.value(found, model, value) for value in row.values]
        return (
            listed(values)
            if row.operator in SEVERAL
            else listed(f"“{x}”" if found.kind is Kind.TEXT else x for x in values)
        )

    def _day(self, text: str) -> str:
        return day(self.ask, date.fromisoformat(text))

    def value(self, found: ConditionField, model: type[Base], value: str) -> str:
        """One value in words."""
        if value in (ME, MY_TEAM):
            return _("me") if value == ME else _("my team")
        if found.kind is Kind.RECORD:
            return self.names.get(value) or _("not visible to you")
        if found.kind in WORDS:
            known = self.ask.words.get(found.dictionary or "", {}).get(value)
            return known.label if known else value
        return choice_label(value) if found.kind is Kind.CHOICE else value

    def gone_words(self, model: type[Base], condition: Mapping[str, Any]) -> list[str]:
        """A sentence for each dictionary word in the condition that is no longer there."""
        found = mentioned(model, condition)
        gone = [
            x for kind, x in found if kind.kind in WORDS and x not in self.ask.words.get(kind.dictionary or "", {x})
        ]
        return [_("The word “%s” is no longer in its list.") % x for x in dict.fromkeys(gone)]


async def words_for(ask: PanelRequest, model: type[Base], condition: Mapping[str, Any]) -> ConditionWords:
    """The words for a condition, once its dictionaries and the names of its records are read."""
    found = [*mentioned(model, condition)]
    await ask.load_words({x.dictionary for x, _value in found if x.dictionary})
    wanted: dict[type[Base], list[str]] = {}
    for each, value in found:
        if each.kind is Kind.RECORD and each.target is not None:
            wanted.setdefault(each.target, []).append(value)
    names = await ask.scope.read(_names, wanted) if wanted else {}
    return ConditionWords(ask, names)


def _names(scope: Scope, db: Session, wanted: Mapping[type[Base], list[str]]) -> dict[str, str]:
    return {id: name for model, ids in wanted.items() for id, name in names_in(scope, db, model, ids).items()}


def mentioned(model: type[Base], condition: Mapping[str, Any]) -> Iterator[tuple[ConditionField, str]]:
    """(field, value) of every value in a condition that stands for something with a name."""
    for name, wanted in condition.items():
        if name in ("and", "or", "not"):
            for part in [wanted] if name == "not" else wanted:
                yield from mentioned(model, part)
        elif (relation := relations_of(model).get(name)) is not None:
            for inner in wanted.values():
                yield from mentioned(relation.target, inner)
        elif (found := known_fields(model).get(name)) is not None:
            for operator, operand in wanted.items():
                if operator not in ("isNull", "during"):
                    yield from ((found, str(x)) for x in (operand if isinstance(operand, list) else [operand]))


def own_words(found: ConditionField | Relation | None) -> list[tuple[str, str]]:
    """The words that stand in place of ids: (value, label)."""
    if not isinstance(found, ConditionField) or found.kind is not Kind.RECORD:
        return []
    me, team = (ME, _("me")), (MY_TEAM, _("my team"))
    return [me, team] if found.target is User else [team] if found.target is Department else []
