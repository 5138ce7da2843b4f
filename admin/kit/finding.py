"""Choosers without a script: a text beside each select, by which the server finds the records that the select offers.

The text is an input within `<noscript>`, so a browser that runs scripts neither shows nor sends it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import FormData, ImmutableMultiDict

from models import Base
from resolvers.reading.pages import parent_of

from .fields import Field, Kind
from .panel_request import PanelRequest
from .translation import gettext as _

TYPED, SHOWN, PRESSED = "_find-", "_found-", "_find"
"""Inputs beside a chooser: the text, the text whose records the select offers now, and the button that finds."""
LONGEST = 100
Given = ImmutableMultiDict[str, Any]
"""A posted form, or the query of an address."""


@dataclass(frozen=True)
class Found:
    """The records that were found for the text beside one chooser.  `chosen`: what the select itself holds."""

    text: str
    options: Sequence[tuple[str, str]]
    chosen: Sequence[str]
    is_new: bool
    is_pressed: bool

    @property
    def best(self) -> str | None:
        """The only record that fits a text which was typed since the select was filled."""
        exact = [value for value, label in self.options if label.casefold() == self.text.casefold()]
        fitting = exact or [value for value, _label in self.options]
        return fitting[0] if self.text and self.is_new and len(fitting) == 1 else None

    @property
    def message(self) -> str:
        """Why the text has led to no choice; "" if it has, or if there is none."""
        if not self.text or self.best or (not self.is_new and self._is_chosen):
            return ""
        if not self.options:
            return _("Nothing matches “%s”.") % self.text
        several = _("Several match “%s”, so none was chosen.")
        return (several if self.is_new else _("“%s” was typed, but nothing was chosen.")) % self.text

    @property
    def is_asked(self) -> bool:
        return self.is_pressed or bool(self.text)

    @property
    def is_open(self) -> bool:
        """Whether the user has still to look at the select."""
        return self.is_pressed or bool(self.message)

    @property
    def _is_chosen(self) -> bool:
        return any(value in self.chosen for value, _label in self.options)


async def find(panel: Any, ask: PanelRequest, given: Given, name: str, target: type[Base], parent: str = "") -> Found:
    """The records for the text beside the chooser `name`: none if nothing was typed and its button not pressed.

    `parent`: the id of the record that narrows them, like the customer of contacts.
    """
    text, is_pressed = str(given.get(TYPED + name, "")).strip()[:LONGEST], given.get(PRESSED) == name
    view = panel.view_of(target)
    is_sought = view is not None and bool(text or is_pressed) and ask.may(f"{view.module}.view")
    records = await view.find_records(ask, text, parent) if is_sought else []
    options = [(x["value"], f"{x['text']} · {x['more']}" if x["more"] else x["text"]) for x in records]
    chosen = [str(value) for value in given.getlist(name) if value]
    return Found(text, options, chosen, text != given.get(SHOWN + name), is_pressed)


@dataclass
class Finding:
    """The choosers of one posted form.  `data`: the form with the records that were found for what was typed."""

    data: FormData
    found: dict[str, Found] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether the form is shown again before anything is done."""
        return any(each.is_open for each in self.found.values())

    def fill(self, form: Any) -> None:
        """Offer in the selects of a form what was found, and say beside them what was not."""
        for key, each in self.found.items():
            form[key].choices, form[key].found = [("", ""), *each.options], each
            form[key].errors = [*form[key].errors, *([each.message] if each.message else [])]


async def find_typed(panel: Any, ask: PanelRequest, fields: Sequence[Field], data: FormData) -> Finding:
    """Put the records that were typed beside the choosers of a form into it."""
    finding, keys = Finding(data), {each.key for each in fields}
    for each in fields:
        if each.kind is not Kind.RECORD or each.target is None:
            continue
        above = parent_of(each.target)
        narrows = above is not None and above[1] in keys and above[1] != each.key
        parent = str(finding.data.get(above[1], "")) if above is not None and narrows else ""
        found = await find(panel, ask, finding.data, each.key, each.target, parent)
        if found.is_asked:
            finding.found[each.key] = found
        if found.best:
            finding.data = _with(finding.data, {each.key: found.best})
    return finding


def _with(data: FormData, values: Mapping[str, str]) -> FormData:
    return FormData([*((k, v) for k, v in data.multi_items() if k not in values), *values.items()])
