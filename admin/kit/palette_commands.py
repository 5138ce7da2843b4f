"""Commands by their names: `claim C2026001` or `转移 上海` becomes the buttons of the records that the words find.

A command is offered for a record under the conditions under which its page shows the button: the right covers the
record, and the command makes sense for its state.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import urlencode

from models.text import fold
from resolvers.reading.global_search import Group
from resolvers.reading.pages import page
from resolvers.runtime.ids import global_id

from .commands import DETAIL, Command
from .palette import Option, Section, fit, in_every_language, is_number
from .panel_request import PanelRequest
from .translation import gettext as _

MOST_COMMANDS, MOST_TARGETS = 5, 3
"""Maximum number of commands for a text, and of records for one command."""


@dataclass(frozen=True)
class Named:
    """A command of the main screen of a kind of record, its names in every language, and what follows it in the text."""

    view: Any
    command: Command
    names: frozenset[str]
    rest: str = ""


def named_commands(panel: Any, ask: PanelRequest) -> list[Named]:
    """The commands that some right of the user covers, those of all kinds of records."""
    return [
        Named(view, which, frozenset(in_every_language(partial(str, which.label))))
        for view in panel.views
        if getattr(view, "commands", ()) and panel.view_of(view.model) is view and view.is_accessible(ask.request)
        for which in view.commands
        if DETAIL in which.where and ask.may(which.action) and (not which.needs or ask.may(which.needs))
    ]


def with_rest(commands: Sequence[Named], text: str) -> list[Named]:
    """The commands with which the text begins, or ends, each with the words beside its name."""
    typed, found = fold(text), []
    for each in commands:
        rests = [rest for name in each.names if (rest := _rest(fold(name), typed))]
        if rests:
            found.append(replace(each, rest=min(rests, key=len)))
    return found


def _rest(name: str, typed: str) -> str:
    """The text without the name of a command at its beginning or its end; "" where it is not there, or is all."""
    for rest, follows in (
        (typed.removeprefix(name), typed.startswith(name)),
        (typed.removesuffix(name), typed.endswith(name)),
    ):
        is_apart = rest != rest.strip() or not name.isascii()
        if follows and is_apart and rest.strip():
            return rest.strip()
    return ""


def begun(commands: Sequence[Named], text: str) -> list[Option]:
    """The commands whose names fit a text: each puts its name into the box, so that a number can follow."""
    ranked = sorted((rank, n) for n, each in enumerate(commands) if (rank := fit(each.names, text)) not in (None, 2))
    found: dict[str, Option] = {}
    for _rank, n in ranked:
        which = commands[n].command
        label = _("%(command)s …") % {"command": which.label}
        more = _("and then a number or a name")
        found.setdefault(label, Option(label, "", which.icon, more, fills=f"{which.label} "))
    return [*found.values()][:MOST_COMMANDS]


async def targets(ask: PanelRequest, named: Sequence[Named], groups: Sequence[Group]) -> list[Section]:
    """The commands for the records that were found for the words beside them."""
    options: list[Option] = []
    certain = [group for group in groups if any(is_number(hit) for hit in group.hits)]
    for each in named:
        group = next((x for x in certain or groups if x.model is each.view.model), None)
        if group is not None:
            options += await _for_records(ask, each, group)
    is_only = len(options) == 1
    return [Section(_("Commands"), [replace(x, is_best=is_only) for x in options[:MOST_COMMANDS]])] if options else []


async def _for_records(ask: PanelRequest, named: Named, group: Group) -> list[Option]:
    """The command for each of the best hits for which its page has the button."""
    hits = {hit.id: hit for hit in group.hits if hit.is_exact} or {hit.id: hit for hit in group.hits[:MOST_TARGETS]}
    wanted = replace(named.view.record_request(), filter={"id": {"in": [*hits]}}, may=named.view.verbs, counts=False)
    found = await ask.scope.read(page, wanted)
    rows = {row.id: row for row in found.rows if named.view.is_fit(ask, named.command, row)}
    return [_option(named, hits[id].title, hits[id].subtitle, id) for id in hits if id in rows]


def _option(named: Named, title: str, more: str, id: int) -> Option:
    about = urlencode({"one": global_id(named.view.model, id), "from": DETAIL})
    href = f"{named.view.url('ask', named.command.name)}?{about}"
    label = _("%(command)s: %(record)s") % {"command": named.command.label, "record": title}
    return Option(label, href, named.command.icon, more, is_dialog=True)
