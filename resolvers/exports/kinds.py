"""What can be exported: kinds of records, their columns, and what a column holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import JSON, Boolean, Date, Enum, Integer

from models import ENTITIES, AuditEntry, Base, Contact
from models.base import Money, Utc, column_of, columns, is_customised, trait_of
from models.choice_names import Said, field_said
from models.contact import PointKind
from models.custom_field import Custom, CustomKind, is_custom
from models.errors import Validation
from policies.objects import FIELDS, field_name

from ..reading.clauses import COMPUTED
from ..reading.pages import display_column, target_of
from ..runtime.custom_fields import names_in_files, referred_kind
from ..runtime.scope import Scope

LEFT_OUT = {
    "condition",
    "delete_batch_id",
    "department_id",
    "grantee_id",
    "id",
    "path",
    "rehearsed_terms",
    "value_key",
    "version",
}
"""Columns that no file holds: internal ones, and conditions, which are no value of one cell."""
SHOWN = {("app_user", "department_id"), ("user_role", "department_id")}
"""(table, column) of what is left out elsewhere as a copy."""
POINTS: dict[str, PointKind] = {f"points.{kind.value.lower()}": kind for kind in PointKind}
"""Column of contacts -> the kind of phones or addresses in it."""
_POINT_NAMES: dict[PointKind, Said] = {
    PointKind.PHONE: ("Phone", "电话"),
    PointKind.EMAIL: ("E-mail", "电子邮件"),
    PointKind.WECHAT: ("WeChat", "微信"),
    PointKind.OTHER: ("Other address", "其他联系方式"),
}
LOG_COLUMNS: dict[str, Said] = {
    "at": ("Time", "时间"),
    "actor": ("Person", "人员"),
    "door": ("Channel", "渠道"),
    "action": ("Action", "操作"),
    "entity": ("Kind of record", "记录类型"),
    "label": ("Record", "记录"),
    "changes": ("Changes", "变更内容"),
    "reason": ("Reason", "原因"),
    "outcome": ("Result", "结果"),
    "batch_id": ("Batch", "批次"),
}
"""Column of the operation log -> what it is called."""


class Holds(StrEnum):
    """What a column holds."""

    TEXT = "text"
    WHOLE = "whole"
    AMOUNT = "amount"
    NUMBER = "number"
    DAY = "day"
    MOMENT = "moment"
    YES_NO = "yes_no"
    CHOICE = "choice"
    MODULE = "module"
    WORD = "word"
    WORDS = "words"
    LIST = "list"
    RECORD = "record"
    POINTS = "points"


@dataclass(frozen=True)
class ExportColumn:
    """One column of a file."""

    key: str
    holds: Holds
    said: Said
    target: type[Base] | None = None
    dictionary: str | None = None

    @property
    def is_plain_text(self) -> bool:
        """Whether a spreadsheet must never take its values for numbers: numbers of records, phones, codes."""
        return self.holds not in (Holds.WHOLE, Holds.AMOUNT, Holds.NUMBER, Holds.DAY, Holds.MOMENT)


def kind_of(entity: str) -> type[Base]:
    """The kind of record with this name, which can be exported.  Raises Validation."""
    found = next((model for model in exportable() if model.__name__ == entity), None)
    if found is None:
        raise Validation(f"“{entity[:40]}” cannot be exported.", f"“{entity[:40]}”不能导出。", field="entity")
    return found


@cache
def exportable() -> tuple[type[Base], ...]:
    """Every kind of record that can be exported, and the operation log."""
    return (*(model for model in ENTITIES if not model.singleton), AuditEntry)


@cache
def columns_of(model: type[Base]) -> dict[str, ExportColumn]:
    """Every column that a file of these records can have, by key; the name of the record comes first."""
    if model is AuditEntry:
        holds = {"at": Holds.MOMENT}
        return {key: ExportColumn(key, holds.get(key, Holds.TEXT), said) for key, said in LOG_COLUMNS.items()}
    keys = [c.key for c in columns(model) if c.key not in LEFT_OUT or (model.__tablename__, c.key) in SHOWN]
    keys += [key for owner, key in COMPUTED if owner is model]
    first = display_column(model)
    ordered = sorted(keys, key=lambda key: (key not in ("number", first), _is_kept_by_system(model, key)))
    found = {key: _column(model, key) for key in ordered}
    if model is Contact:
        found |= {key: ExportColumn(key, Holds.POINTS, _POINT_NAMES[kind]) for key, kind in POINTS.items()}
    return found


def known_columns(scope: Scope, model: type[Base]) -> dict[str, ExportColumn]:
    """The same with the custom fields, retired ones at the end, because records may hold values of them."""
    customs = sorted(scope.policy.book.all_of(model.module), key=lambda x: x.is_retired) if is_customised(model) else ()
    names = names_in_files(scope.policy, scope.person, model) if customs else {}
    return columns_of(model) | {x.word: _custom_column(x, names.get(x.word)) for x in customs}


def seen_columns(scope: Scope, model: type[Base]) -> dict[str, ExportColumn]:
    """The columns that the caller sees in some record, without retired fields."""
    retired = {x.word for x in scope.policy.book.all_of(model.module) if x.is_retired}
    known = known_columns(scope, model)
    return {key: column for key, column in known.items() if key not in retired and _is_seen(scope, model, key)}


def _custom_column(custom: Custom, name: tuple[str, str] | None) -> ExportColumn:
    said = name or (custom.label("en"), custom.label("zh"))
    return ExportColumn(
        custom.word, _CUSTOM.get(custom.kind, Holds.TEXT), said, referred_kind(custom), custom.dictionary
    )


_CUSTOM = {
    CustomKind.NUMBER: Holds.NUMBER,
    CustomKind.MONEY: Holds.AMOUNT,
    CustomKind.DATE: Holds.DAY,
    CustomKind.MOMENT: Holds.MOMENT,
    CustomKind.YES_NO: Holds.YES_NO,
    CustomKind.SINGLE_CHOICE: Holds.WORD,
    CustomKind.MULTIPLE_CHOICE: Holds.WORDS,
    CustomKind.PERSON: Holds.RECORD,
    CustomKind.REFERENCE: Holds.RECORD,
}


def chosen_columns(scope: Scope, model: type[Base], keys: Sequence[str]) -> list[ExportColumn]:
    """These columns without those that the caller sees in no record.  Raises Validation for an unknown or none."""
    known, seen = known_columns(scope, model), seen_columns(scope, model)
    for key in keys:
        if key not in known:
            raise Validation(f"A file has no column “{key[:40]}”.", f"没有“{key[:40]}”列。", field="columns")
    chosen = [seen[key] for key in dict.fromkeys(keys) if key in seen]
    if not chosen:
        raise Validation("Choose at least one column.", "请至少选择一列。", field="columns")
    return chosen


def _is_seen(scope: Scope, model: type[Base], key: str) -> bool:
    name = key if is_custom(key) else field_name(key.partition(".")[0])
    word = f"{model.module}.{name}"
    if model is AuditEntry or (word not in FIELDS and not is_custom(key)):
        return True
    return scope.policy.ever(scope.person, "view", word)


def _is_kept_by_system(model: type[Base], key: str) -> bool:
    return (model, key) in COMPUTED or trait_of(column_of(model, key)).system_managed


def _column(model: type[Base], key: str) -> ExportColumn:
    said = field_said(model, key)
    if (model, key) in COMPUTED:
        return ExportColumn(key, Holds.YES_NO, said)
    column, target = column_of(model, key), target_of(model, key)
    trait = trait_of(column)
    if target is not None:
        return ExportColumn(key, Holds.RECORD, said, target=target)
    if code := trait.dictionary or trait.words_of:
        return ExportColumn(key, Holds.WORD if trait.dictionary else Holds.WORDS, said, dictionary=code)
    if key == "for_module":
        return ExportColumn(key, Holds.MODULE, said)
    if key == "language":
        return ExportColumn(key, Holds.CHOICE, said)
    return ExportColumn(key, _holds(column.type), said)


def _holds(kind: Any) -> Holds:
    for sql, holds in _KINDS:
        if isinstance(kind, sql):
            return holds
    return Holds.TEXT


_KINDS: tuple[tuple[type[Any], Holds], ...] = (
    (Enum, Holds.CHOICE),
    (Utc, Holds.MOMENT),
    (Date, Holds.DAY),
    (Money, Holds.AMOUNT),
    (Boolean, Holds.YES_NO),
    (Integer, Holds.WHOLE),
    (JSON, Holds.LIST),
)
