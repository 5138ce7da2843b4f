"""Bars of customers by the words that they hold: one for each word, or one for each branch of a tree."""

from collections import Counter
from collections.abc import Mapping, Sequence

from models import Customer
from resolvers.reading.conditions import Condition
from resolvers.records.dictionaries import in_tree, top_of
from resolvers.runtime.ids import camel

from ...kit.charts import Bar
from ...kit.fields import Field
from ...kit.formatting import number, word
from ...kit.panel_request import PanelRequest
from ...kit.routes import BASE
from .list_links import list_of


def word_bars(ask: PanelRequest, field: Field, counted: Mapping[str | None, int], without: str) -> Sequence[Bar]:
    """One bar for each word, in the order of its dictionary; `without` is the label of the one without a word."""
    order = {key: n for n, key in enumerate(ask.words.get(field.dictionary or "", {}))}
    found = sorted(counted.items(), key=lambda x: order.get(x[0] or "", len(order)))
    return [_bar(ask, field, key, count, without) for key, count in found]


def branch_bars(ask: PanelRequest, field: Field, counted: Mapping[str | None, int]) -> Sequence[Bar]:
    """One bar for each branch: the customers of a word at the top and of all words below it.  Empty without any."""
    words = ask.words.get(field.dictionary or "", {})
    totals: Counter[str] = Counter()
    for key, count in counted.items():
        if key is not None:
            totals[top_of(words, key)] += count
    order = {each.key: n for n, (each, _depth) in enumerate(in_tree(words))}
    return [_bar(ask, field, key, totals[key], "") for key in sorted(totals, key=lambda x: order.get(x, len(order)))]


def _bar(ask: PanelRequest, field: Field, key: str | None, count: int, without: str) -> Bar:
    label = word(ask, field, key) if key else without
    nothing: Condition = {camel(field.key): {"isNull": True}}
    href = f"{BASE}/{Customer.module}/list?f_{field.key}={key}" if key else list_of(Customer.module, nothing)
    return Bar(label, count, number(ask, count), href)
