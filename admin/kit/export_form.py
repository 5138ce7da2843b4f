"""The form of an export: which records, which columns in which order, which format; the same for every list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from models import Base, ExportProfile
from models.choice_names import in_language
from models.errors import Refusal
from models.export import ExportFormat, ExportRange
from resolvers.exports import exports, reading
from resolvers.exports import profiles as kept
from resolvers.exports.exports import Order
from resolvers.exports.kinds import ExportColumn, seen_columns
from resolvers.exports.listing import Listing
from resolvers.exports.profiles import Profile
from resolvers.reading.pages import MOST_COUNTED
from resolvers.runtime import denials
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.scope import Scope

from .panel_request import PanelRequest
from .routes import BASE
from .translation import Label, gettext

FORMATS: dict[ExportFormat, Label] = {
    ExportFormat.XLSX: Label("Workbook for Excel"),
    ExportFormat.CSV: Label("CSV text"),
}
LONGEST_QUERY = 8_000
"""Maximum length of the address of a list that the form carries along."""


@dataclass(frozen=True)
class Source:
    """A list that can be exported: the address of the form and of the list, and what each range stands for.

    `query` is the address of the list behind its `?`; `columns` are those that it shows.
    """

    model: type[Base]
    title: str
    address: str
    back: str
    query: str
    columns: Sequence[str]
    filtered: Listing
    whole: Listing
    ids: tuple[int, ...] = ()
    is_narrowed: bool = True

    def listing(self, range: ExportRange) -> Listing:
        if range is ExportRange.SELECTION:
            return Listing(order=self.filtered.order, binned=self.filtered.binned, ids=self.ids)
        return self.filtered if range is ExportRange.FILTER else self.whole


@dataclass(frozen=True)
class Filled:
    """What the form holds: as the list is at first, then as it was typed."""

    range: ExportRange
    columns: tuple[str, ...]
    format: ExportFormat = ExportFormat.XLSX
    name: str = ""
    profile: str = ""
    shared: bool = False


def first_filled(source: Source, seen: Mapping[str, ExportColumn]) -> Filled:
    """The form as it begins: the chosen records, else those of the list; the columns of the list."""
    columns = tuple(key for key in source.columns if key in seen) or tuple(seen)
    range = ExportRange.SELECTION if source.ids else ExportRange.FILTER if source.is_narrowed else ExportRange.ALL
    return Filled(range, columns)


def filled_in(form: FormData, first: Filled) -> Filled:
    """The form as it was sent: columns by the numbers beside them, those without one behind the others."""
    chosen = [str(key)[:60] for key in form.getlist("column") if key][:200]
    places = {key: str(form.get(f"place-{key}", "")).strip()[:4] for key in chosen}
    ordered = sorted(chosen, key=lambda key: int(places[key]) if places[key].isdecimal() else len(chosen) + 1)
    range, format = str(form.get("range", "")), str(form.get("format", ""))
    return Filled(
        ExportRange(range) if range in tuple(ExportRange) else first.range,
        tuple(dict.fromkeys(ordered)),
        ExportFormat(format) if format in tuple(ExportFormat) else ExportFormat.XLSX,
        str(form.get("name", ""))[:200],
        str(form.get("profile", ""))[:40],
        form.get("shared") == "y",
    )


async def check(ask: PanelRequest, model: type[Base]) -> None:
    """Answer 403 to users who may export no record of this kind; an attempt to export is logged."""
    if ask.may(f"{model.module}.export"):
        return
    if ask.request.method == "POST":
        await ask.scope.run(denials.refuse, model.module, "export")
    raise HTTPException(403)


async def show(
    ask: PanelRequest, view: Any, source: Source, filled: Filled | None = None, problem: str = "", said: str = ""
) -> Response:
    """The form, with how many records each range holds."""
    seen = seen_columns(ask.scope, source.model)
    now = filled or first_filled(source, seen)
    counts = await ask.scope.read(_counts, source)
    profiles: list[Profile] = await ask.scope.read(kept.profiles, source.model)
    chosen = [seen[key] for key in now.columns if key in seen]
    context = {
        "source": source,
        "chosen": [global_id(source.model, id) for id in source.ids],
        "filled": now,
        "counts": counts,
        "profiles": [(global_id(ExportProfile, x.id), x) for x in profiles],
        "columns": [(x, in_language(x.said, ask.language), x in chosen) for x in [*chosen, *_rest(seen, chosen)]],
        "formats": FORMATS,
        "problem": problem,
        "done": said,
    }
    return await view.render(ask, "export.html", context, 422 if problem else 200)  # type: ignore[no-any-return]


def _rest(seen: Mapping[str, ExportColumn], chosen: Sequence[ExportColumn]) -> list[ExportColumn]:
    return [column for column in seen.values() if column not in chosen]


def _counts(scope: Scope, db: Any, source: Source) -> dict[str, str]:
    """Range -> how many records it holds that the user may export."""
    found = {}
    for range in (ExportRange.FILTER, ExportRange.ALL):
        number = reading.count(scope, db, source.model, source.listing(range), MOST_COUNTED + 1)
        found[range.value] = f"{MOST_COUNTED:,}+" if number > MOST_COUNTED else f"{number:,}"
    return {ExportRange.SELECTION.value: f"{len(source.ids):,}", **found}


async def send(ask: PanelRequest, view: Any, source: Source, form: FormData) -> Response:
    """Do what the button asks for: export, use a profile, keep one or delete one."""
    first = first_filled(source, seen_columns(ask.scope, source.model))
    filled = filled_in(form, first)
    try:
        match str(form.get("do", "")):
            case "use":
                profile = await ask.scope.read(kept.profile_of, number_of(ExportProfile, filled.profile))
                used = Filled(filled.range, profile.columns, filled.format, profile.name, filled.profile)
                return await show(ask, view, source, used)
            case "keep":
                await ask.scope.run(kept.save_profile, source.model, filled.name, filled.columns, shared=filled.shared)
                return await show(ask, view, source, filled, said=filled.name)
            case "drop":
                await ask.scope.run(kept.delete_profile, number_of(ExportProfile, filled.profile))
                return await show(ask, view, source, filled)
        listing = source.listing(filled.range)
        order = Order(source.model, listing, filled.range, filled.columns, filled.format, source.title)
        if not filled.columns:
            return await show(ask, view, source, filled, problem=gettext("Choose at least one column."))
        await ask.scope.run(exports.start, order)
    except Refusal as refusal:
        return await show(ask, view, source, filled, problem=refusal.say(ask.language))
    address = f"{BASE}/exports"
    if "hx-request" in ask.request.headers:
        return Response(status_code=204, headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)
