"""The mapping of an import: which column holds which field, proposed, chosen by its user, and remembered for the next sheet."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import case, select
from sqlalchemy.orm import Session

from models import Customer, ImportBatch, ImportMapping
from models.errors import ImportEnded, Validation
from models.import_batch import ImportMode, ImportState, Overwrite
from models.sheet_cells import kind, text

from ..duplicates.enforcement import REASON
from ..runtime.inputs import line
from ..runtime.lifecycle import rules_of
from ..runtime.scope import Scope
from .batches import CHECK, FIXES, allowed, enqueue, locked, log
from .date_columns import Order
from .fields import ImportField
from .matching import Column, Proposal, header_key, propose
from .new_customers import names_customers
from .targets import Target, fields_for, missing, required_besides, target_of
from .vocabulary import vocabulary

MAPPABLE = (ImportState.READ, ImportState.MAPPED, ImportState.CHECKED)
LARGEST_KEY = 4
"""Maximum number of fields that find a record together."""


@dataclass(frozen=True)
class Plan:
    """What becomes of the columns and rows of an import.

    `columns`: place of a column -> key of its field.  `given`: inputs for all rows, like the pool.  `key`: the fields that find
    an existing record together.  `dates`: place of a column -> the order of its dates, where its user chose one.
    `overwrite`: key of a field -> what an update does with it, ALWAYS where nothing is said.  `clears`: whether an empty
    cell empties the field of an update, instead of leaving it alone.  `reason`: why certain duplicates are entered all the
    same.  `creates_customers`: whether a company that is not there becomes a new customer, one for all of its rows.
    """

    columns: Mapping[int, str]
    mode: ImportMode = ImportMode.INSERT
    key: tuple[str, ...] = ()
    given: Mapping[str, Any] | None = None
    dates: Mapping[int, Order] | None = None
    overwrite: Mapping[str, Overwrite] = field(default_factory=dict)
    clears: bool = False
    reason: str | None = None
    creates_customers: bool = False


def fields_of(scope: Scope, db: Session, target: Target) -> tuple[ImportField, ...]:
    """The fields that the caller may set by an import of this target, required ones first."""
    return fields_for(scope, target, required_besides(db, target))


def proposals(scope: Scope, db: Session, row: ImportBatch) -> list[Proposal]:
    """A proposal for each column of an import that is read, in their order; `place` is that in the sheet."""
    fields = fields_of(scope, db, target_of(row.target))
    found = propose(fields, _columns(row), _remembered(scope, db, row), vocabulary(scope, db, fields), _marked(row))
    return [replace(each, place=at) for each, at in zip(found, _places(row), strict=True)]


def set_mapping(scope: Scope, id: int, plan: Plan) -> None:
    """Choose which columns hold which fields, and what rows do.  What was checked before is checked anew.

    Raises NotFound, Forbidden (new customers included), ImportEnded, and Validation for columns and fields that are not
    there, a field that is given twice or missing, a key that finds nothing, and options that would do nothing.
    """
    with scope.write("user.imports") as db:
        row = locked(scope, db, id)
        if row.state not in MAPPABLE:
            raise ImportEnded
        target = allowed(scope, row.target)
        fields = {each.key: each for each in fields_of(scope, db, target)}
        _check_columns(row, fields, plan.columns)
        _check_key(target, fields, plan)
        _check_required(fields, plan)
        _check_overwriting(plan)
        _check_reason(target, plan)
        _check_new_customers(scope, fields, plan)
        row.mapping = {str(place): key for place, key in sorted(plan.columns.items())}
        waiting = {FIXES: row.options[FIXES]} if FIXES in row.options else {}
        row.mode, row.options = plan.mode, {**_options(plan), **waiting}
        row.state, row.position, row.version = ImportState.MAPPED, 0, row.version + 1
        enqueue(scope, row, CHECK)
        _remember(scope, db, row, plan.columns)
        log(scope, db, row, {"mapping": [None, _said(row, fields)]})


def check_anew(scope: Scope, id: int) -> None:
    """Judge all rows of a mapped import again, because what they name may be there by now.

    Raises NotFound, Forbidden, ImportEnded, and Validation for one whose columns are not mapped.
    """
    with scope.write("user.imports") as db:
        row = locked(scope, db, id)
        allowed(scope, row.target)
        if row.state in (ImportState.UPLOADED, ImportState.READ):
            raise Validation("Choose first which column holds what.", "请先选择各列对应的字段。")
        if row.state not in MAPPABLE:
            raise ImportEnded
        row.state, row.position, row.version = ImportState.MAPPED, 0, row.version + 1
        enqueue(scope, row, CHECK)


def _options(plan: Plan) -> dict[str, Any]:
    dates = {str(place): str(order) for place, order in (plan.dates or {}).items()}
    return {
        "key": list(plan.key),
        "given": dict(plan.given or {}),
        "dates": dates,
        "overwrite": {key: str(how) for key, how in plan.overwrite.items()},
        "clears": plan.clears,
        "reason": line(plan.reason, REASON),
        "creates_customers": plan.creates_customers,
    }


# --- what may be chosen ----------------------------------------------------------------------------------


def _check_columns(row: ImportBatch, fields: Mapping[str, ImportField], columns: Mapping[int, str]) -> None:
    known = {column["index"] for column in (row.overview or {}).get("columns", ())}
    for place, key in columns.items():
        if place not in known:
            raise Validation("The sheet has no such column.", "表格中没有该列。", field="columns")
        if key not in fields:
            raise Validation("This is no field that you may import.", "您无法导入该字段。", field="columns")
    if not columns:
        raise Validation("Choose a field for at least one column.", "请至少为一列选择字段。", field="columns")
    used: set[str] = set()
    for key in columns.values():
        if key in used:
            english, chinese = fields[key].label
            raise Validation(
                f"Two columns are said to hold {english}. Leave one of them out.",
                f"有两列都对应“{chinese}”，请取消其中一列。",
                field="columns",
            )
        used.add(key)


def _check_key(target: Target, fields: Mapping[str, ImportField], plan: Plan) -> None:
    """An import that changes records needs a way to find them, by columns that it has."""
    if plan.mode is ImportMode.INSERT:
        return
    offered = {frozenset(keys) for keys in target.keys}
    inputs = {fields[key].input for key in plan.columns.values()} | set(plan.columns.values())
    if frozenset(plan.key) not in offered or not set(plan.key) <= inputs:
        raise Validation(
            "Choose by which column existing records are found.", "请选择用于查找已有记录的列。", field="key"
        )


def _check_required(fields: Mapping[str, ImportField], plan: Plan) -> None:
    if plan.mode is ImportMode.UPDATE:
        return
    left = missing([*fields.values()], [*plan.columns.values()], [*(plan.given or {})])
    if left:
        english, chinese = (sep.join(each.label[n] for each in left) for n, sep in ((0, ", "), (1, "、")))
        raise Validation(
            f"These fields are required, and no column holds them: {english}.",
            f"以下必填字段没有对应的列：{chinese}。",
            field="columns",
        )


def _check_overwriting(plan: Plan) -> None:
    if not plan.overwrite.keys() <= {*plan.columns.values()}:
        raise Validation(
            "Only for fields that a column holds can you choose what is overwritten.",
            "只能为已有对应列的字段选择覆盖方式。",
            field="overwrite",
        )


def _check_reason(target: Target, plan: Plan) -> None:
    if line(plan.reason, REASON) is not None and REASON not in rules_of(target.model).extra_inputs:
        raise Validation(
            f"{target.names.many} are not checked for duplicates, so no reason is needed.",
            f"{target.names.zh}不做查重，无需填写原因。",
            field="reason",
        )


def _check_new_customers(scope: Scope, fields: Mapping[str, ImportField], plan: Plan) -> None:
    """New customers come with what names one: a contact, a follow-up, an opportunity."""
    if not plan.creates_customers:
        return
    if not any(names_customers(fields[key]) for key in plan.columns.values()):
        raise Validation(
            "No column holds the names of customers, so none can be created.",
            "没有客户名称列，无法新建客户。",
            field="createsCustomers",
        )
    scope.allow("create", Customer.module)


# --- what is remembered ----------------------------------------------------------------------------------


def _columns(row: ImportBatch) -> list[Column]:
    found: Sequence[Mapping[str, Any]] = (row.overview or {}).get("columns", ())
    return [
        Column(each["name"], [text(cell) for cell in each["samples"]], [kind(cell) for cell in each["samples"]])
        for each in found
    ]


def _places(row: ImportBatch) -> list[int]:
    """Where the columns stand in the sheet: one with neither heading nor cells is left out, and the others keep their places."""
    return [each["index"] for each in (row.overview or {}).get("columns", ())]


def _marked(row: ImportBatch) -> dict[int, str]:
    """Number of a column, from 0 -> the key of its field, as a template of the same target says."""
    marks = (row.overview or {}).get("marks") or {"about": {}, "columns": {}}
    if marks["about"].get("target") != row.target:
        return {}
    numbers = {place: at for at, place in enumerate(_places(row))}
    return {numbers[place]: key for key, place in marks["columns"].items() if place in numbers}


def _remembered(scope: Scope, db: Session, row: ImportBatch) -> Mapping[str, str | None]:
    """How the caller mapped these headings last; else how anybody did."""
    m = ImportMapping
    same = select(m.fields).where(m.target == row.target, m.signature == (row.signature or ""))
    mine_first = case((m.owner_id == scope.me, 0), else_=1)
    return db.execute(same.order_by(mine_first, m.used_at.desc(), m.id.desc()).limit(1)).scalar_one_or_none() or {}


def _remember(scope: Scope, db: Session, row: ImportBatch, columns: Mapping[int, str]) -> None:
    overview: Collection[Mapping[str, Any]] = (row.overview or {}).get("columns", ())
    named = {header_key(each["name"]): columns.get(each["index"]) for each in overview}
    m = ImportMapping
    mine = select(m).where(m.owner_id == scope.me, m.target == row.target, m.signature == row.signature)
    found = db.execute(mine).scalars().first()
    if found is None:
        found = ImportMapping(owner_id=scope.me, target=row.target, signature=row.signature or "")
        db.add(found)
    found.fields, found.used_at = named, scope.now()


def _said(row: ImportBatch, fields: Mapping[str, ImportField]) -> list[str]:
    """Each chosen column with its field, for the log."""
    overview: Collection[Mapping[str, Any]] = (row.overview or {}).get("columns", ())
    names = {str(each["index"]): each["name"] for each in overview}
    return [f"{names[place]} = {fields[key].label[0]}" for place, key in (row.mapping or {}).items()]
