"""The step that matches columns with fields: what is proposed, what was chosen, and what the form says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from models import Base, ImportBatch
from models.choice_names import in_language
from models.import_batch import ImportMode, Overwrite
from resolvers.duplicates.enforcement import REASON
from resolvers.imports import mapping
from resolvers.imports.advance import plan_of
from resolvers.imports.date_columns import ORDER_NAMES, DateOrder, Order, decide_dates
from resolvers.imports.fields import ImportField
from resolvers.imports.mapping import Plan
from resolvers.imports.matching import Proposal
from resolvers.imports.new_customers import names_customers
from resolvers.imports.targets import Target, target_of
from resolvers.reading.pages import ListRequest, names_of, page
from resolvers.reading.pages import target_of as pointed_by
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.lifecycle import rules_of
from resolvers.runtime.scope import Scope

from ...kit.formatting import day
from ...kit.labels import field_label, one
from ...kit.panel_request import PanelRequest
from ...kit.translation import gettext, language, listed
from .words import MODES, OVERWRITES

_ = gettext
LONGEST_REASON = 200
MOST_OFFERED = 100
"""Maximum number of pools or dictionaries that the form offers for all rows."""


@dataclass(frozen=True)
class Matched:
    """One column of the sheet as the form shows it.

    `field`: the key of the chosen field, "" for none.  `dates`: (value, words) of the readings of its dates, where they can
    be read in two ways.
    """

    place: int
    letters: str
    name: str
    samples: Sequence[str]
    field: str
    reason: str
    dates: Sequence[tuple[str, str]] = ()
    order: str = ""
    overwrite: str = ""


async def found(ask: PanelRequest, row: ImportBatch, form: FormData | None = None) -> dict[str, Any]:
    """What the page shows; `form`: what was posted and refused."""
    target = target_of(row.target)
    fields, proposals = await ask.scope.read(_read, row, target)
    plan = plan_from(form, row) if form is not None else plan_of(row)
    columns: Sequence[Mapping[str, Any]] = (row.overview or {}).get("columns", ())
    is_chosen = form is not None or row.mapping is not None
    return {
        "columns": [
            _matched(ask, column, proposal, plan, is_chosen=is_chosen)
            for column, proposal in zip(columns, proposals, strict=True)
        ],
        "fields": [(each.key, each.say(ask.language), each.is_required) for each in fields],
        "plan": plan,
        "modes": MODES if keys_of(target, fields) else {ImportMode.INSERT: MODES[ImportMode.INSERT]},
        "keys": keys_of(target, fields),
        "key": ",".join(plan.key),
        "overwrites": OVERWRITES,
        "asks_reason": REASON in rules_of(target.model).extra_inputs,
        "asks_customers": any(names_customers(each) for each in fields) and ask.may("customer.create"),
        "once": [await _for_all(ask, target, key, (plan.given or {}).get(key)) for key in sorted(target.once)],
    }


def plan_from(form: FormData, row: ImportBatch) -> Plan:
    """What the form says."""
    columns = [column["index"] for column in (row.overview or {}).get("columns", ())]
    target = target_of(row.target)
    chosen = {place: str(form.get(f"c{place}", ""))[:100] for place in columns}
    orders = {place: str(form.get(f"d{place}", "")) for place in columns}
    mode = str(form.get("mode", ""))
    key = tuple(part for part in str(form.get("key", ""))[:200].split(",") if part)
    given = {name: number_of(_pointed(target, name), str(form.get(f"g-{name}", ""))[:40]) for name in target.once}
    is_new = mode not in tuple(ImportMode) or mode == ImportMode.INSERT
    how = {field: str(form.get(f"o{place}", "")) for place, field in chosen.items() if field and not is_new}
    return Plan(
        {place: field for place, field in chosen.items() if field},
        ImportMode(mode) if mode in tuple(ImportMode) else ImportMode.INSERT,
        () if is_new else key,
        {name: id for name, id in given.items() if id},
        {place: Order(order) for place, order in orders.items() if order in tuple(Order)},
        {field: Overwrite(each) for field, each in how.items() if each in tuple(Overwrite)},
        clears=form.get("clears") == "y" and not is_new,
        reason=str(form.get("reason", "")).strip()[:LONGEST_REASON] or None,
        creates_customers=form.get("creates_customers") == "y",
    )


def keys_of(target: Target, fields: Sequence[ImportField]) -> list[tuple[str, str]]:
    """(value, words) of the ways to find a record that is there, as far as the user may import their fields."""
    names: dict[str, str] = {}
    for each in fields:
        names.setdefault(each.input, _said(each))
        names[each.key] = _said(each)
    return [(",".join(keys), listed(names[key] for key in keys)) for keys in target.keys if set(keys) <= names.keys()]


def is_found_by(key: str, plan: Plan) -> bool:
    """Whether a way to find records is the chosen one."""
    return tuple(key.split(",")) == tuple(plan.key)


# --- columns ---------------------------------------------------------------------------------------------


def _read(
    scope: Scope, db: Session, row: ImportBatch, target: Target
) -> tuple[tuple[ImportField, ...], list[Proposal]]:
    return mapping.fields_of(scope, db, target), mapping.proposals(scope, db, row)


def _said(field: ImportField) -> str:
    return field.say(language())


def _matched(
    ask: PanelRequest, column: Mapping[str, Any], proposal: Proposal, plan: Plan, *, is_chosen: bool
) -> Matched:
    place = column["index"]
    proposed = proposal.field.key if proposal.field else ""
    decided = decide_dates(column["samples"], ask.language)
    return Matched(
        place,
        column["letters"],
        column["name"],
        proposal.samples,
        plan.columns.get(place, "") if is_chosen else proposed,
        proposal.reason.say(ask.language),
        () if decided.decided else _readings(ask, decided),
        str((plan.dates or {}).get(place, "")),
        str(plan.overwrite.get(plan.columns.get(place, ""), "")),
    )


def _readings(ask: PanelRequest, decided: DateOrder) -> list[tuple[str, str]]:
    """Both readings of a date that leaves them open, the likelier first."""
    read = [(Order.DAY_FIRST, decided.by_day), (Order.MONTH_FIRST, decided.by_month)]
    read.sort(key=lambda each: each[0] is not decided.order)
    said = _("%(order)s: “%(text)s” is %(day)s")
    return [
        (
            order,
            said
            % {"order": in_language(ORDER_NAMES[order], ask.language), "text": decided.example, "day": day(ask, at)},
        )
        for order, at in read
        if at is not None
    ]


# --- what is the same for all rows -----------------------------------------------------------------------


async def _for_all(ask: PanelRequest, target: Target, key: str, chosen: int | None) -> dict[str, Any]:
    """A chooser of the record that all rows name, like the pool."""
    model = _pointed(target, key)
    offered: dict[int, str] = await ask.scope.read(_offered, model)
    return {
        "key": key,
        "label": field_label(target.model, key),
        "kind": one(model),
        "options": [(global_id(model, id), name, id == chosen) for id, name in offered.items()],
        "is_required": key in target.required,
    }


def _pointed(target: Target, key: str) -> type[Base]:
    """The kind of record that an input of the target points to."""
    model = pointed_by(target.model, key)
    assert model is not None, "what is given for all rows is a record"
    return model


def _offered(scope: Scope, db: Session, model: type[Base]) -> dict[int, str]:
    rows = page(scope, db, ListRequest(model, (), size=MOST_OFFERED, counts=False)).rows
    return names_of(scope, db, model, [row.id for row in rows])
