"""The search builder of a list: a form of rows and groups, which works with and without scripts.

Every button and every choice of a field sends the form back to this address, which answers with the next form.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models import ENTITIES, Base, Part
from models.errors import Validation
from resolvers.reading.condition_fields import ConditionField, Kind, Relation, relations_of
from resolvers.reading.conditions import checked

from .book import custom_of, held_book, known_fields
from .condition_address import SAFE, condition_in
from .condition_form import ROOT, changed, group_in, kept_in
from .condition_rows import COUNTED, DATED, SEVERAL, WITHOUT_VALUE, Group, Row, Unfinished, condition_of, group_of
from .condition_rows import OPERATORS as OFFERED
from .condition_rows import relation_or_field as about
from .condition_words import HOW, OPERATORS, UNITS, WORDS, name_of, own_words
from .fields import word_of
from .finding import find
from .labels import choice_label
from .panel_request import PanelRequest, panel_request
from .routes import page_route
from .screen import Screen, names_in
from .short_json import written
from .translation import gettext as _

LEFT_OUT = {"id", "version"}
Options = list[tuple[str, str]]


@dataclass(frozen=True)
class Builder:
    """What a builder is for: the records that its condition is about, its address, the page before, what follows.

    `title` is "" for a search in detail.
    """

    model: type[Base]
    address: str
    cancel: str
    done: Callable[[Mapping[str, Any]], Response]
    title: str = ""


class SearchPage(Screen):
    """The builder belongs to the lists of entities, whose records conditions ask about."""

    @property
    def offers_search(self) -> bool:
        return self.model in ENTITIES and not self.model.singleton and not self.is_whole

    def routes(self) -> list[Any]:
        closed = {} if self.offers_search else {"/search", "/views", "/view-counts"}
        return [x for x in super().routes() if x.path.removeprefix(f"/{self.identity}") not in closed]

    @page_route("/search", "view")
    async def search_page(self, request: Request) -> Response:
        ask = panel_request(request)
        search = Builder(self.model, self.url("search"), self.url("list"), lambda x: self._to_list(ask, x))
        return await self.build(ask, search)

    async def build(self, ask: PanelRequest, builder: "Builder") -> Response:
        """The builder as a page, or what follows once its condition is whole."""
        query = ask.request.query_params
        group, error = self._asked(ask, builder.model)
        action = query.get("do", "")
        focus = changed(group, action) or _after(ask.request.headers.get("hx-trigger-name", ""))
        if action == "apply" and not error:
            condition, error = self._condition(ask, builder.model, group)
            if not error:
                return builder.done(condition)
        shown = await self._shown(ask, builder.model, group, ROOT)
        context = {"group": shown, "error": error, "focus": focus, "kept": kept_in(query), "hows": HOW, "units": UNITS}
        return await self.render(ask, "search.html", {**context, "builder": builder})

    def _asked(self, ask: PanelRequest, model: type[Base]) -> tuple[Group, str]:
        """The group of the form, else that of the condition in the address, and what is wrong with it."""
        query = ask.request.query_params
        if f"{ROOT}-how" in query:
            return group_in(query), ""
        condition, error = condition_in(ask, model, query.get("c", ""))
        group = group_of(model, condition)
        return (group if group.parts else Group(parts=[Row()])), error

    def _condition(self, ask: PanelRequest, model: type[Base], group: Group) -> tuple[dict[str, Any], str]:
        try:
            condition = condition_of(model, group)
            checked(model, condition, book=held_book())
        except Unfinished as unfinished:
            name = name_of(unfinished.model, unfinished.row.name)
            return {}, _("Choose or type a value for %(field)s.") % {"field": name}
        except Validation as refusal:
            return {}, refusal.say(ask.language)
        return condition, ""

    def _to_list(self, ask: PanelRequest, condition: Mapping[str, Any]) -> Response:
        kept = kept_in(ask.request.query_params)
        text = written(condition) if condition else "!n" if "view" in dict(kept) else ""
        address = f"{self.url('list')}?{urlencode([*kept, *([('c', text)] if text else [])], safe=SAFE)}"
        if "hx-request" in ask.request.headers:
            return Response(status_code=204, headers={"HX-Redirect": address})
        return RedirectResponse(address, 303)

    # -- what the template draws -------------------------------------------------------------------------

    async def _shown(self, ask: PanelRequest, model: type[Base], group: Group, at: str) -> dict[str, Any]:
        parts = []
        for n, part in enumerate(group.parts):
            place = f"{at}-{n}"
            shown = (
                self._shown(ask, model, part, place) if isinstance(part, Group) else self._row(ask, model, part, place)
            )
            parts.append(await shown)
        return {"place": at, "how": group.how, "parts": parts, "is_group": True}

    async def _row(self, ask: PanelRequest, model: type[Base], row: Row, at: str) -> dict[str, Any]:
        found = about(model, row.name)
        operators = _operators(found, row)
        shown: dict[str, Any] = {
            "place": at,
            "row": row,
            "is_group": False,
            "fields": _offered(ask, model),
            "operators": [(x, str(OPERATORS.get(x, x))) for x in operators],
            "operator": row.operator if row.operator in operators else (operators or ("",))[0],
            "inner": None,
            "label": name_of(model, row.name) if row.name else _("Value"),
        }
        if isinstance(found, Relation):
            inner = row.group or Group(parts=[Row()])
            return {**shown, "input": "", "inner": await self._shown(ask, found.target, inner, f"{at}-g")}
        shown["input"] = _input(found, shown["operator"])
        return {**shown, **(await self._choices(ask, found, row, at) if found is not None else {})}

    async def _choices(self, ask: PanelRequest, found: ConditionField, row: Row, at: str) -> dict[str, Any]:
        """The values that a field offers, and those that are chosen."""
        values, target = list(row.values), found.target
        if found.kind in WORDS:
            await ask.load_words({found.dictionary or ""})
            words = ask.words.get(found.dictionary or "", {})
            return {"options": [(x.key, x.label) for x in words.values() if not x.is_archived or x.key in values]}
        if found.kind is Kind.CHOICE:
            return {"options": [(x.value, choice_label(x)) for x in found.choices or ()]}
        if found.kind is not Kind.RECORD or target is None:
            return {"options": []}
        met = await find(self.panel, ask, ask.request.query_params, f"{at}-v", target)
        if met.best and met.best not in values:
            row.values.append(met.best)
        names = await ask.scope.read(names_in, target, row.values)
        options = [*own_words(found), *met.options]
        known = dict(options)
        options += [(x, names.get(x, _("not visible to you"))) for x in row.values if x not in known]
        return {"options": options, "target": target, "met": met}


def _after(name: str) -> str:
    """Where the focus goes: from a field that was chosen to its operator; it stays there; at first it is at the first row."""
    return f"{name[:-2]}-o" if name.endswith(("-f", "-o")) else f"{ROOT}-0"


def _offered(ask: PanelRequest, model: type[Base]) -> list[tuple[str, Options]]:
    """(heading, names with labels) of what the user can ask about: what they see in some record."""
    module = str(model.module)
    sees = [
        x
        for x in known_fields(model).values()
        if x.name not in LEFT_OUT and ask.sees(module, word_of(x.key)) and not _is_retired(model, x.key)
    ]
    own = [(x.name, name_of(model, x.name)) for x in sees if not (issubclass(model, Part) and x.target is not None)]
    related = [
        x for x in relations_of(model).values() if ask.may(f"{x.target.module}.view") and ask.sees(module, x.name)
    ]
    there = [(x.name, name_of(model, x.name)) for x in related if x.is_many or not x.key.endswith("by_id")]
    return [(_("Fields"), own), (_("Related records"), there)]


def _is_retired(model: type[Base], key: str) -> bool:
    custom = custom_of(model, key)
    return custom is not None and custom.is_retired


def _operators(found: ConditionField | Relation | None, row: Row) -> Sequence[str]:
    if found is None:
        return ()
    offered: Sequence[str] = found.operators if isinstance(found, Relation) else OFFERED[found.kind]
    return (
        offered if row.operator in ("", *offered) or row.operator not in found.operators else (*offered, row.operator)
    )


def _input(found: ConditionField | None, operator: str) -> str:
    """Which inputs a row has for its value."""
    if found is None or operator in WITHOUT_VALUE:
        return ""
    if operator in COUNTED:
        return "count"
    if operator in DATED:
        return operator
    if operator in SEVERAL and found.kind is not Kind.TEXT:
        return "record" if found.kind is Kind.RECORD else "choice"
    return "number" if found.kind in (Kind.WHOLE, Kind.AMOUNT, Kind.NUMBER) else "text"
