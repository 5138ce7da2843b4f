"""The manager of custom fields: a list for each kind of records, the form with its preview, and another kind."""

from typing import Any

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models import CustomField, Dictionary, DictionaryItem
from models.custom_field import CHOICES, PREFIX, CustomKind
from resolvers.notices.custom_fields import announce
from resolvers.reading.pages import ListRequest, Row, page
from resolvers.records import custom_fields
from resolvers.records.custom_fields import CUSTOMISED, use_of
from resolvers.runtime.batch import Outcome
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.scope import Scope

from ...kit.commands import DETAIL, LIST, ROW, command
from ...kit.declared import Tab
from ...kit.history_tab import HISTORY
from ...kit.labels import many
from ...kit.lists import ListState
from ...kit.panel_request import PanelRequest, panel_request
from ...kit.routes import page_route
from ...kit.short_json import written
from ...kit.translation import Label, gettext
from .custom_field_kind import ChangesKind
from .custom_field_preview import preview

_ = gettext
MOST_INLINE = 60
"""Maximum number of options that the form of a field edits; longer lists are edited as dictionaries."""


def _tab(module: str) -> Tab:
    return Tab(
        module,
        many(CUSTOMISED[module]),
        lambda _ask: {"for_module": {"eq": module}},
        empty=Label("These records have no custom field yet."),
    )


def _in_use(row: Row) -> bool:
    return row["retired_at"] is None and row["deleted_at"] is None


def _retired(row: Row) -> bool:
    return row["retired_at"] is not None and row["deleted_at"] is None


class CustomFields(ChangesKind, model=CustomField):
    """The custom fields of each kind of records, in the order of forms."""

    icon, group, position = "template", "system", 12
    hint = Label("What your records hold besides: new fields are there for everybody with the next page.")
    empty = Label("There is no custom field yet.")
    for_editors = True
    is_whole = True
    columns = ("label_en", "label_zh", "kind", "is_required", "is_searchable", "retired_at")
    always = ("for_module", "key", "position", "retired_at")
    filters = ("kind", "is_required")
    tabs = tuple(_tab(module) for module in CUSTOMISED)
    default_order = (("position", False),)
    list_page_template = "custom_fields.html"
    page_template = "custom_field.html"
    create_template = edit_template = "custom_field_form.html"
    sections = (
        (Label("Which field"), ("for_module", "kind", "label_zh", "label_en", "key")),
        (Label("What may be chosen"), ("options", "dictionary", "target")),
        (Label("How people meet it"), ("help_zh", "help_en", "is_required", "is_searchable")),
    )
    related = (HISTORY,)

    # -- commands ----------------------------------------------------------------------------------------

    @command(
        icon="ban",
        action="customfield.edit",
        label=Label("Retire"),
        where=(LIST, ROW, DETAIL),
        confirm=Label("Forms and lists offer it no more. Its values stay, and it can be brought back."),
        when=_in_use,
    )
    def retire(self, scope: Scope, ids: list[int], given: Any) -> Outcome:
        return custom_fields.retire(scope, ids)

    @command(
        icon="arrow-back-up",
        action="customfield.edit",
        label=Label("Bring back"),
        where=(ROW, DETAIL),
        when=_retired,
    )
    def bring_back(self, scope: Scope, ids: list[int], given: Any) -> Outcome:
        return custom_fields.bring_back(scope, ids)

    @command(
        icon="bell",
        action="customfield.edit",
        label=Label("Tell those who see it"),
        where=(DETAIL,),
        confirm=Label("Everybody who sees the field in some record gets a notification."),
        when=_in_use,
    )
    def announce(self, scope: Scope, ids: list[int], given: Any) -> Outcome:
        return announce(scope, ids)

    # -- the list and its order ----------------------------------------------------------------------------

    @page_route("/arrange", "edit", "POST")
    async def arrange(self, request: Request) -> Response:
        """Put the fields of a tab in order: `move` is `fld_3:up` or `fld_3:down`, else `order` holds all ids."""
        ask, form = panel_request(request), await request.form()
        ids = [str(x) for x in form.getlist("order")]
        if ":" in (move := str(form.get("move", ""))):
            ids = _moved(ids, *move.split(":", 1))
        numbers = [number for text in ids[: custom_fields.MOST_FIELDS] if (number := number_of(CustomField, text))]
        await ask.scope.run(custom_fields.arrange, numbers)
        tab = str(form.get("tab", ""))
        return RedirectResponse(f"{self.url('list')}{f'?tab={tab}' if tab in CUSTOMISED else ''}", 303)

    async def list_extra(self, ask: PanelRequest, state: ListState) -> dict[str, Any]:
        is_plain = not state.is_narrowed and not state.order
        return {"may_arrange": is_plain and ask.may("customfield.edit")}

    def name_of(self, row: Row) -> str:
        return str((row["label_zh"] if gettext("Yes") == "是" else None) or row["label_en"])

    # -- the form and the page -----------------------------------------------------------------------------

    def is_offered(self, ask: PanelRequest, key: str, *, creating: bool) -> bool:
        if key == "position":
            return False
        return key == "options" or super().is_offered(ask, key, creating=creating)

    def extra_form_values(self, scope: Scope, db: Session, row: Row) -> dict[str, Any]:
        return {"options": options_of(scope, db, row["dictionary"]) if row["kind"] in CHOICES else []}

    def initial_values(self, ask: PanelRequest) -> dict[str, Any]:
        values, module = super().initial_values(ask), ask.request.query_params.get("for_module", "")
        return values | {"for_module": module if module in CUSTOMISED else "customer", "kind": CustomKind.TEXT}

    async def form_extra(self, ask: PanelRequest, row: Row | None) -> dict[str, Any]:
        return {"record": row}

    @page_route("/preview", "view", "POST")
    async def preview(self, request: Request) -> Response:
        """The field of the form as people will meet it, in both languages; nothing is saved."""
        ask = panel_request(request)
        shown = await preview(ask, await request.form())
        return await self.render(ask, "parts/custom_preview.html", {"previews": shown})

    async def details_extra(self, ask: PanelRequest, row: Row) -> dict[str, Any]:
        """How far it is filled in, with the way to records without a value, and the field as people meet it."""
        use = await ask.scope.read(use_of, row.id)
        screen = ask.request.app and self.panel.view_of(CUSTOMISED[str(row["for_module"])])
        word = f"{PREFIX}{row['key']}"
        lacking = f"{screen.url('list')}?c={written({word: {'isNull': True}})}" if screen else None
        return {
            "use": use,
            "lacking": lacking if row["retired_at"] is None else None,
            "kind_url": self.url("kind", global_id(CustomField, row.id)) if "edit" in row.may else None,
        }


def options_of(scope: Scope, db: Session, code: str | None) -> list[dict[str, Any]]:
    """The options of a choice as the form edits them, archived ones last."""
    i = DictionaryItem
    known = page(scope, db, ListRequest(Dictionary, ("code",), {"code": {"eq": code}}, size=1, counts=False)).rows
    if not known:
        return []
    wanted = ListRequest(
        i,
        ("key", "label_en", "label_zh", "aliases", "archived_at"),
        {"dictionary_id": {"eq": known[0].id}},
        order=(("position", False),),
        size=MOST_INLINE + 1,
        counts=False,
    )
    rows = page(scope, db, wanted).rows
    if len(rows) > MOST_INLINE:
        return []
    found = [
        {x: row[x] for x in ("key", "label_en", "label_zh", "aliases")} | {"is_archived": bool(row["archived_at"])}
        for row in rows
    ]
    return sorted(found, key=lambda x: x["is_archived"])


def _moved(ids: list[str], id: str, way: str) -> list[str]:
    """The ids with one of them one place further up or down."""
    if id not in ids:
        return ids
    at = ids.index(id)
    to = max(0, min(len(ids) - 1, at + (-1 if way == "up" else 1)))
    ids.insert(to, ids.pop(at))
    return ids
