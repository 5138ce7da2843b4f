"""The palette: pages, commands and records that fit a typed text, as sections of options.

A page is found by its name in either language and by the initials of its pinyin.  Nothing is offered that the user may
not open: pages are those of the menu, commands those that a right covers, records those of the global search.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from models import Base, Customer
from models.pinyin import syllables
from models.text import fold
from resolvers.reading.global_search import FOUND, Group, Hit, global_search
from resolvers.reading.pages import ListRequest, names_of, page
from resolvers.runtime.ids import BY_PREFIX, global_id, number_of

from .formatting import number
from .labels import many, one
from .panel_request import PanelRequest
from .translation import LANGUAGES, Label, language, speak
from .translation import gettext as _

MOST_PAGES, MOST_FREQUENT, MOST_RECENT = 6, 5, 8
"""Maximum number of pages for a text, of frequent pages and of recently opened records."""


@dataclass(frozen=True)
class Option:
    """Something to choose.  `more`: what tells it apart.  `fills`: the text that it puts into the box instead of leading
    anywhere.  `is_dialog`: whether it opens as a dialog over the page.  `is_best`: whether Enter takes it at once."""

    label: str
    href: str
    icon: str
    more: str = ""
    fills: str = ""
    is_dialog: bool = False
    is_best: bool = False


@dataclass(frozen=True)
class Section:
    """Options under a heading."""

    label: str
    options: Sequence[Option] = field(default_factory=tuple)


# --- words -----------------------------------------------------------------------------------------------


def in_every_language(say: Callable[[], str]) -> set[str]:
    """What `say` says in each language of the panel."""
    spoken, found = language(), set()
    try:
        for code in LANGUAGES:
            speak(code)
            found.add(say())
    finally:
        speak(spoken)
    return found


def fit(names: Iterable[str], text: str) -> int | None:
    """How well a text fits one of these names: 0 for the whole name, 1 its beginning or initials, 2 a part; None for none."""
    typed = fold(text).replace(" ", "")
    ranks = [rank for name in names for rank in _ranks(fold(name).replace(" ", ""), typed)]
    return min(ranks, default=None) if typed else None


def _ranks(name: str, typed: str) -> Iterator[int]:
    said = [(each or character).rstrip("12345") for character, each in syllables(name)]
    initials, whole = "".join(each[:1] for each in said), "".join(said)
    if typed == name:
        yield 0
    if name.startswith(typed) or (not name.isascii() and (initials.startswith(typed) or whole.startswith(typed))):
        yield 1
    if typed in name:
        yield 2


# --- pages -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Place:
    """A page or a form that has a name."""

    names: set[str]
    option: Option


def pages(panel: Any, ask: PanelRequest) -> list[_Place]:
    """The pages that the user may open, and the forms for new records."""
    found = [_page(view, group) for group, views in panel.menu(ask) for view in views]
    found += [
        _page(view, "") for view in panel.views if getattr(view, "is_named", False) and view.is_accessible(ask.request)
    ]
    for say, href, icon in [each for view in panel.views if hasattr(view, "further") for each in view.further(ask)]:
        found.append(_Place(in_every_language(say), Option(say(), href, icon)))
    for model in dict.fromkeys(view.model for view in panel.views if getattr(view, "offers_create", False)):
        view = panel.view_of(model)
        if view is not None and view.offers_create and model in ask.offers.creatable:
            found.append(_form(view))
    return found


def _page(view: Any, group: str) -> _Place:
    return _Place(in_every_language(lambda: view.heading), Option(view.heading, view.url("list"), view.icon, group))


def _form(view: Any) -> _Place:
    kind = one(view.model)
    names = in_every_language(lambda: f"{_('New')} {kind}") | in_every_language(lambda: _new(kind))
    return _Place(names, Option(_new(kind), view.url("create"), "plus"))


def _new(kind: Label) -> str:
    return _("New: %(kind)s") % {"kind": kind}


def pages_for(places: Sequence[_Place], text: str) -> list[Option]:
    """The pages whose names fit a text, the best first."""
    ranked = sorted(
        ((rank, n) for n, place in enumerate(places) if (rank := fit(place.names, text)) is not None),
    )
    return [replace(places[n].option, is_best=rank == 0) for rank, n in ranked[:MOST_PAGES]]


def frequent_pages(places: Sequence[_Place], paths: Sequence[str]) -> list[Option]:
    """The pages with these addresses in their order, or else the first ones of the menu."""
    known = {place.option.href: place.option for place in places}
    chosen = [known[path] for path in dict.fromkeys(paths) if path in known]
    others = [option for option in known.values() if option not in chosen]
    return [*chosen, *others][:MOST_FREQUENT]


# --- records ---------------------------------------------------------------------------------------------


async def recent_records(panel: Any, ask: PanelRequest, ids: Sequence[str]) -> list[Option]:
    """The records with these ids that the user still sees, in their order."""
    by_model: dict[type[Base], list[str]] = {}
    ids = [*dict.fromkeys(ids)][:MOST_RECENT]
    for id in ids:
        model = BY_PREFIX.get(id.partition("_")[0])
        if model is not None and number_of(model, id) and _opens(panel, ask, model):
            by_model.setdefault(model, []).append(id)
    found: dict[str, Option] = {}
    for model, some in by_model.items():
        names = await ask.scope.read(names_of, model, [number_of(model, id) for id in some])
        for id in some:
            if name := names.get(number_of(model, id)):
                view = panel.view_of(model)
                found[id] = Option(name, view.url("details", id), view.icon, str(one(model)))
    return [found[id] for id in ids if id in found]


async def own_customers(panel: Any, ask: PanelRequest) -> list[Option]:
    """The newest customers of the user: what a browser begins with in which none was opened yet."""
    view = panel.view_of(Customer)
    if not _opens(panel, ask, Customer):
        return []
    wanted = ListRequest(
        Customer,
        ("name", "number"),
        filter={"owner_id": {"eq": ask.scope.me}},
        size=MOST_FREQUENT,
        counts=False,
    )
    found = await ask.scope.read(page, wanted)
    shown = [(view.name_of(row), str(row["number"] or ""), global_id(Customer, row.id)) for row in found.rows]
    return [Option(name, view.url("details", id), view.icon, number) for name, number, id in shown]


def _opens(panel: Any, ask: PanelRequest, model: type[Base]) -> bool:
    view = panel.view_of(model)
    return view is not None and view.is_accessible(ask.request)


async def record_groups(panel: Any, ask: PanelRequest, text: str, size: int) -> list[Group]:
    """The groups of the kinds of records that have a screen which the user may open.  Raises Validation, TooManyAttempts."""
    kinds = [model for model in FOUND if _opens(panel, ask, model)]
    return await global_search(ask.scope, text, size, kinds)


def record_sections(panel: Any, ask: PanelRequest, text: str, groups: Sequence[Group]) -> list[Section]:
    return [
        Section(
            _heading(ask, group),
            [*(_hit(panel, ask, hit) for hit in group.hits), *_rest(panel, ask, text, group)],
        )
        for group in groups
    ]


def _heading(ask: PanelRequest, group: Group) -> str:
    """`Follow-ups · 3 · texts of the last 14 days`: of a kind of which only the last days are searched, it says so."""
    said = f"{many(group.model)} · {counted(ask, group)}"
    days = group.model.searched_days
    return said if days is None else f"{said} · {_('texts of the last %(days)s days') % {'days': days}}"


def limits(panel: Any, ask: PanelRequest) -> list[str]:
    """What the search leaves out: a sentence for each kind of which the last days alone are searched."""
    told = _("Of %(kind)s only the texts of the last %(days)s days are searched here; their list searches all.")
    kinds = [model for model in FOUND if model.searched_days is not None and _opens(panel, ask, model)]
    return [told % {"kind": many(model), "days": model.searched_days} for model in kinds]


def counted(ask: PanelRequest, group: Group) -> str:
    """The number of records of a group: `37`, `1,000+`."""
    return number(ask, group.count) + ("+" if group.is_capped else "")


def _hit(panel: Any, ask: PanelRequest, hit: Hit) -> Option:
    view = panel.view_of(hit.model)
    href = panel.address(ask, hit.model, hit.id)
    return Option(hit.title or str(one(hit.model)), href or "", view.icon, hit.subtitle, is_best=is_number(hit))


def is_number(hit: Hit) -> bool:
    """Whether the text is the whole number of the record, so that there is no doubt which is meant."""
    return hit.is_exact and any(c.isdigit() for c in hit.title + hit.subtitle)


def _rest(panel: Any, ask: PanelRequest, text: str, group: Group) -> list[Option]:
    """The line that leads to the list with all records of a group, where it has more than are shown."""
    if group.count <= len(group.hits) and not group.is_capped:
        return []
    view = panel.view_of(group.model)
    label = _("All %(count)s: %(kind)s") % {"count": counted(ask, group), "kind": many(group.model)}
    return [Option(label, f"{view.url('list')}?{urlencode({'q': text})}", "arrow-right")]
