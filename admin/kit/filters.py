"""The filter bar of a list: its filters as the address sets them, as a filter tree, as inputs and as chips."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import date
from typing import Any

from starlette.datastructures import QueryParams

from models import User
from models.amounts import amount_of
from resolvers.records.dictionaries import Word, in_tree
from resolvers.runtime.ids import number_of
from resolvers.runtime.inputs import YEARS

from .book import known_fields
from .condition_rows import SPELLED
from .fields import Field, Kind
from .finding import Found
from .formatting import day, number, word
from .labels import choice_label
from .panel_request import PanelRequest
from .translation import gettext as _
from .translation import listed

AMOUNTS = (Kind.MONEY, Kind.DECIMAL)
"""Kinds whose limits may have decimals."""
ME = "me"
"""The value of a filter by user that stands for the user who asks."""
MOST_VALUES = 50
"""Maximum number of values of one filter."""
INDENT = "\u2003"
"""What stands before a word for each word above it, in a select."""
LARGEST = 2**31 - 1
"""The largest number that an integer column holds."""
Tree = dict[str, Any]


@dataclass
class Filter:
    """One field of the bar with the values of the address.  `names`: those of records, because the address holds ids."""

    field: Field
    values: list[str] = dataclass_field(default_factory=list)
    low: str = ""
    high: str = ""
    names: dict[str, str] = dataclass_field(default_factory=dict)
    found: Found | None = None

    def take(self, found: Found) -> None:
        """Offer the records that were found for the text beside the filter, and set the only one that fits it."""
        self.found, self.names = found, {**self.names, **dict(found.options)}
        if found.best and found.best not in self.values:
            self.values.append(found.best)

    @property
    def key(self) -> str:
        return self.field.key

    @property
    def is_range(self) -> bool:
        return self.field.kind in (Kind.DATE, Kind.TIME, Kind.WHOLE, Kind.MONEY, Kind.DECIMAL)

    @property
    def input_type(self) -> str:
        return "date" if self.field.kind in (Kind.DATE, Kind.TIME) else "number"

    @property
    def is_set(self) -> bool:
        return bool(self.values or self.low or self.high)

    def tree(self, ask: PanelRequest) -> Tree:
        """The filter for `resolvers.reading.matching.matching`, empty if nothing valid is set."""
        if self.is_range:
            return {name: limit for name, limit in _limits(ask, self) if limit is not None}
        if not self.values:
            return {}
        match self.field.kind:
            case Kind.RECORD:
                return {"in": [self._id(ask, value) for value in self.values]}
            case Kind.YES_NO:
                return {"eq": self.values[0] == "yes"}
            case Kind.WORDS if self._has_branches(ask):
                return {"under": self._known_choices()}
            case Kind.WORDS | Kind.WORD_LIST | Kind.CHOICE:
                return {"in": self._known_choices()}
            case _:
                return {"contains": self.values[0][:200]}

    def condition(self, ask: PanelRequest) -> Tree:
        """The filter as a condition, by which a view is saved; empty where the language has none."""
        known = {x.key: x.name for x in known_fields(self.field.model).values()} if self.field.model else {}
        name = known.get(self.key)
        if name is None or not self.is_set:
            return {}
        if self.input_type == "date" and self.is_range:
            form = "between" if self.low and self.high else "from" if self.low else "until"
            return {name: {"during": SPELLED[form].format(first=self.low, last=self.high)}}
        if self.is_range:
            limits = {"gte": _limit(self, self.low), "lte": _limit(self, self.high)}
            return {
                name: {how: str(x) if self.field.kind in AMOUNTS else x for how, x in limits.items() if x is not None}
            }
        match self.field.kind:
            case Kind.YES_NO:
                return {name: {"eq": self.values[0] == "yes"}}
            case Kind.WORDS if self._has_branches(ask):
                return {name: {"under": [*self.values]}}
            case Kind.RECORD | Kind.WORDS | Kind.WORD_LIST | Kind.CHOICE:
                return {name: {"in": [*self.values]}}
        return {name: {"contains": self.values[0][:200]}}

    def _words(self, ask: PanelRequest) -> Mapping[str, Word]:
        return ask.words.get(self.field.dictionary or "", {})

    def _has_branches(self, ask: PanelRequest) -> bool:
        """Whether a chosen word has others below it, which then match, too."""
        above = {x.above for x in self._words(ask).values()}
        return any(value in above for value in self.values)

    def _known_choices(self) -> list[str]:
        choices = self.field.choices
        return [value[:40] for value in self.values if not choices or value in choices]

    def _id(self, ask: PanelRequest, value: str) -> int:
        target = self.field.target
        if value == ME and target is User:
            return ask.scope.me
        return number_of(target, value) if target is not None else 0

    def options(self, ask: PanelRequest) -> list[tuple[str, str]]:
        """(value, label) of every choice; of records only those that are chosen, because the others are looked up."""
        match self.field.kind:
            case Kind.WORDS | Kind.WORD_LIST:
                tree = in_tree(self._words(ask))
                return [
                    (w.key, INDENT * depth + w.label) for w, depth in tree if not w.is_archived or w.key in self.values
                ]
            case Kind.CHOICE:
                return [(word, choice_label(word)) for word in self.field.choices]
            case Kind.YES_NO:
                return [("yes", _("Yes")), ("no", _("No"))]
            case Kind.RECORD:
                me = [(ME, _("me"))] if self.field.target is User else []
                found = [value for value, _name in self.found.options] if self.found else []
                values = dict.fromkeys([*self.values, *found])
                return [*me, *((value, self.names.get(value, value)) for value in values if value != ME)]
        return []

    def chip(self, ask: PanelRequest) -> str:
        """The filter in words: `Stage: Early, Won`."""
        return f"{self.field.label}: {self._meaning(ask)}"

    def _meaning(self, ask: PanelRequest) -> str:
        if self.is_range:
            low, high = (_limit_text(ask, self, limit) for limit in (self.low, self.high))
            if low and high:
                return f"{low} – {high}"
            return f"≥ {low}" if low else f"≤ {high}"
        if self.field.kind in (Kind.WORDS, Kind.WORD_LIST):
            return listed(self._branch(ask, value) for value in self.values)
        labels = dict(self.options(ask))
        return listed(labels.get(value, value) for value in self.values)

    def _branch(self, ask: PanelRequest, key: str) -> str:
        """A word, and that those below it match, too."""
        label = word(ask, self.field, key)
        has_more = self.field.kind is Kind.WORDS and any(x.above == key for x in self._words(ask).values())
        return _("%(word)s and below") % {"word": label} if has_more else label

    def parameters(self) -> Iterator[tuple[str, str]]:
        """The (name, value) pairs of the filter in an address."""
        yield from ((f"f_{self.key}", value) for value in self.values)
        yield from ((f"f_{self.key}_{end}", limit) for end, limit in (("from", self.low), ("to", self.high)) if limit)


def filters_in(query: QueryParams, fields: list[Field]) -> list[Filter]:
    """One filter for each field, set or not, as the query of an address sets it."""
    found = []
    for field in fields:
        values = [value for value in query.getlist(f"f_{field.key}") if value][:MOST_VALUES]
        low, high = (query.get(f"f_{field.key}_{end}", "")[:40] for end in ("from", "to"))
        found.append(Filter(field, list(dict.fromkeys(values)), low, high))
    return found


def filter_tree(ask: PanelRequest, filters: list[Filter], more: Mapping[str, Any]) -> Tree:
    """The conjunction of the filters that are set and of `more`, the filter of screen and tab."""
    trees = [{each.key: tree} for each in filters if (tree := each.tree(ask))]
    return {"and": [*trees, dict(more)]} if more else {"and": trees} if trees else {}


def _limits(ask: PanelRequest, each: Filter) -> Iterator[tuple[str, Any]]:
    low, high = _limit(each, each.low), _limit(each, each.high)
    if each.field.kind is Kind.TIME:
        yield "gte", ask.day(low) if low is not None else None
        yield "lt", ask.day(high, end=True) if high is not None else None
    else:
        yield "gte", low
        yield "lte", high


def _limit(each: Filter, text: str) -> Any:
    """A limit as a value, None for a text that is no limit."""
    try:
        if each.field.kind in (Kind.DATE, Kind.TIME):
            day = date.fromisoformat(text)
            return day if day.year in YEARS else None
        if each.field.kind in AMOUNTS:
            amount = amount_of(text)
            return amount if abs(amount) < 10**14 else None
        whole = int(text)
        return whole if abs(whole) <= LARGEST else None
    except ValueError:
        return None


def _limit_text(ask: PanelRequest, each: Filter, text: str) -> str:
    limit = _limit(each, text)
    if limit is None:
        return text and _("not understood")
    return day(ask, limit) if isinstance(limit, date) else number(ask, limit)
