"""A list in words: what its filter and its search narrow it to, for the operation log and the list of exports."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from models import AuditEntry, Base, User
from models.base import column_of, trait_of
from models.choice_names import choice_said, field_said, in_language
from models.export import LONGEST_SAID
from models.moments import moment_in_words
from models.names import OF_MODULE

from ..audit.log_filter import Wanted
from ..reading.condition_fields import fields_of, relations_of
from ..reading.pages import names_of, target_of
from ..records.dictionaries import words_of
from ..runtime.custom_fields import referred_kind
from ..runtime.ids import number_of
from ..runtime.scope import Scope
from .listing import Listing

_OPERATORS: dict[str, tuple[str, str]] = {
    "eq": ("is", "等于"),
    "ne": ("is not", "不等于"),
    "in": ("is one of", "属于"),
    "notIn": ("is none of", "不属于"),
    "not_in": ("is none of", "不属于"),
    "contains": ("contains", "包含"),
    "startsWith": ("begins with", "开头为"),
    "endsWith": ("ends with", "结尾为"),
    "under": ("is or is below", "属于或下级为"),
    "gt": ("is more than", "大于"),
    "gte": ("is at least", "不小于"),
    "lt": ("is less than", "小于"),
    "lte": ("is at most", "不大于"),
    "during": ("is in", "时间为"),
    "team": ("is in the team of", "属于团队"),
    "some": ("there is one", "存在"),
    "none": ("there is none", "不存在"),
    "is": ("is one", "是"),
    "isNot": ("is not one", "不是"),
}
_EMPTY, _FILLED = ("is empty", "为空"), ("is not empty", "不为空")
_AND, _OR, _NOT = (" and ", " 且 "), (" or ", " 或 "), ("not ({text})", "非（{text}）")
_SEARCH, _CHOSEN, _BIN = (
    ("search: {text}", "搜索：{text}"),
    ("chosen: {text}", "选中：{text}"),
    ("recycle bin", "回收站"),
)


def in_words(scope: Scope, db: Session, model: type[Base], listing: Listing) -> str:
    """The filter of a list in the caller's language; empty for a list that is not narrowed."""
    telling = _Telling(scope, db)
    parts = [*telling.tree(model, listing.filter), *telling.tree(model, listing.condition)]
    if model is AuditEntry and listing.wanted is not None:
        parts += telling.log(listing.wanted)
    if listing.search.strip():
        parts.append(telling.say(_SEARCH).format(text=listing.search.strip()))
    if listing.ids:
        parts.append(telling.say(_CHOSEN).format(text=len(listing.ids)))
    if listing.binned:
        parts.append(telling.say(_BIN))
    return telling.say(_AND).join(parts)[:LONGEST_SAID]


class _Telling:
    def __init__(self, scope: Scope, db: Session) -> None:
        self.scope, self.db, self.zone = scope, db, ZoneInfo(scope.person.zone or "UTC")

    def say(self, said: tuple[str, str]) -> str:
        return in_language(said, self.scope.language)

    def tree(self, model: type[Base], tree: Mapping[str, Any]) -> Iterator[str]:
        """What must hold, part by part."""
        for name, wanted in tree.items():
            if wanted is None:
                continue
            if name in ("and", "or"):
                parts = [self.say(_AND).join(self.tree(model, each)) for each in wanted]
                if text := self.say(_AND if name == "and" else _OR).join(part for part in parts if part):
                    yield text if name == "and" else self.say((f"({text})", f"（{text}）"))
            elif name == "not":
                yield self.say(_NOT).format(text=self.say(_AND).join(self.tree(model, wanted)))
            elif name in relations_of(model):
                yield from self._related(model, name, wanted)
            else:
                yield from self._field(model, name, wanted)

    def _related(self, model: type[Base], name: str, wanted: Mapping[str, Any]) -> Iterator[str]:
        relation = relations_of(model)[name]
        names = relation.target.names
        called = names.zh if self.scope.language.startswith("zh") else names.many
        for how, inner in wanted.items():
            text = self.say(_AND).join(self.tree(relation.target, inner or {}))
            said = self.say((" ", "")).join((called, self.say(_OPERATORS.get(how, (how, how)))))
            yield said + (self.say((f" ({text})", f"（{text}）")) if text else "")

    def _field(self, model: type[Base], name: str, wanted: Any) -> Iterator[str]:
        known = fields_of(model).get(name)
        key = known.key if known is not None else name
        if not isinstance(wanted, Mapping):
            return
        custom = self.scope.policy.book.find(model.module, key)
        label = self.say(field_said(model, key)) if custom is None else custom.label(self.scope.language)
        for operator, operand in wanted.items():
            if operand is None:
                continue
            if operator in ("isNull", "is_null"):
                yield self.say((" ", "")).join((label, self.say(_EMPTY if operand else _FILLED)))
                continue
            values = operand if isinstance(operand, list | tuple) else [operand]
            text = self.say((", ", "、")).join(self._said_values(model, key, values))
            said = self.say(_OPERATORS.get(operator, (operator, operator)))
            yield self.say((f"{label} {said} {text}", f"{label}{said} {text}"))

    def _said_values(self, model: type[Base], key: str, values: Any) -> list[str]:
        in_table, custom = key in model.__table__.c, self.scope.policy.book.find(model.module, key)
        target = target_of(model, key) if in_table else referred_kind(custom) if custom is not None else None
        if target is not None:
            ids = {x: x if isinstance(x, int) else number_of(target, str(x)) for x in values}
            names = names_of(self.scope, self.db, target, [id for id in ids.values() if id])
            return [names.get(ids[x], str(x)) for x in values]
        code = trait_of(column_of(model, key)).dictionary if in_table else custom.dictionary if custom else None
        if code is not None:
            words = words_of(self.scope, self.db, {code}).get(code, {})
            return [words[x].label if x in words else str(x) for x in values]
        return [self._value(x, is_choice=in_table and hasattr(column_of(model, key).type, "enums")) for x in values]

    def _value(self, value: Any, *, is_choice: bool = False) -> str:
        if isinstance(value, bool):
            return self.say(("yes", "是") if value else ("no", "否"))
        if isinstance(value, datetime):
            return moment_in_words(value.astimezone(self.zone), self.scope.language)
        if isinstance(value, date):
            return value.isoformat()
        return self.say(choice_said(value)) if is_choice else str(value)

    def log(self, wanted: Wanted) -> Iterator[str]:
        """The filter of the operation log."""
        said = {name: value for name, value in vars(wanted).items() if value not in (None, False)}
        names: dict[str, tuple[str, str]] = {
            "actor_id": ("Person", "人员"),
            "model": ("Kind of record", "记录类型"),
            "record_id": ("Record", "记录"),
            "action": ("Action", "操作"),
            "outcome": ("Result", "结果"),
            "since": ("From", "开始时间"),
            "until": ("Until", "结束时间"),
            "batch_id": ("Batch", "批次"),
            "text": ("Record", "记录"),
        }
        for name, label in names.items():
            if name in said:
                yield self.say((": ", "：")).join((self.say(label), self._logged(name, said[name])))

    def _logged(self, name: str, value: Any) -> str:
        if name == "model":
            names = OF_MODULE[value.module]
            return names.zh if self.scope.language.startswith("zh") else names.one
        if name == "actor_id":
            return names_of(self.scope, self.db, User, [value]).get(value, str(value))
        return self._value(value, is_choice=name == "outcome")
