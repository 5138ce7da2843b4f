"""Another kind for a custom field: only where every stored value converts, with a preview of those that do not."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import CustomField, DictionaryItem, Entity, Organisation
from models.custom_field import CHOICES, PREFIX, UNSORTED, Custom, CustomKind
from models.database.bypass import Because, bypass_policy
from models.errors import NotFound, Validation

from ..reading.clauses import value, visible, with_parents
from ..reading.pages import names_of
from ..runtime.inputs import invalid
from ..runtime.scope import Scope
from . import custom_options
from . import custom_writing as writing
from .custom_conversion import DoesNotConvert, Option, Shape, as_text, converted, convertible, holders, model_of
from .custom_docs import renew_later
from .custom_fields import check_kind
from .custom_options import begin_dictionary, dictionary_of
from .custom_uses import refuse_if_asked, refuse_while_words_move
from .custom_values import cleaned
from .organisation import zone_of

MOST_SHOWN = 20
"""Maximum number of values that a preview shows among those that do not convert."""
ANEW = "anew"
"""In place of a dictionary: one of its own, made of the texts that are there."""
MOST_TEXTS = 100
"""Maximum number of different texts of which options are made."""


@dataclass(frozen=True)
class Stuck:
    """A value that does not convert.  `name` and `text` are those of a record that the caller sees, else None and ""."""

    id: int
    name: str | None
    text: str


@dataclass(frozen=True)
class KindPreview:
    """What another kind would do: how many values there are, how many convert, and the first ones that do not.

    `options`: the texts of which options would be made, in the order in which they come up.
    """

    module: str
    total: int
    converts: int
    stuck: tuple[Stuck, ...] = ()
    options: tuple[str, ...] = ()

    @property
    def is_possible(self) -> bool:
        return self.converts == self.total


def preview_kind(
    scope: Scope, db: Session, id: int, kind: CustomKind, dictionary: str | None = None, target: str | None = None
) -> KindPreview:
    """What the change would come to.  Raises NotFound, Forbidden, Validation (a kind into which no value comes)."""
    scope.allow("edit", CustomField.module)
    row = db.get(CustomField, id)
    if row is None:
        raise NotFound(what=CustomField.names)
    change = _Change(scope, db, row, kind, dictionary, target)
    stuck = [(id, text) for id, text in change.stuck()]
    model, shown = model_of(row.for_module), [id for id, _ in stuck[:MOST_SHOWN]]
    names, open_to_me = names_of(scope, db, model, shown), _seen(scope, db, model, shown, row.key)
    return KindPreview(
        row.for_module,
        change.total,
        change.total - len(stuck),
        tuple(Stuck(id, names.get(id), text if id in open_to_me else "") for id, text in stuck[:MOST_SHOWN]),
        tuple(option["label_en"] for option in change.options),
    )


def change_kind(
    scope: Scope, id: int, kind: CustomKind, dictionary: str | None = None, target: str | None = None
) -> CustomField:
    """The field with another kind, every stored value converted; the log has an entry for each record that changed.

    Where many records are written anew, a job does it; until it comes to a record, the field is empty there.
    `dictionary`: the code of the options of a choice, or ANEW.  Raises NotFound, Forbidden, InBin, Validation (no such
    way, a value that does not convert, a former change or a merge of words that has not ended).
    """
    with scope.write("customfield.edit") as db:
        row = scope.load(db, CustomField, id, to="edit")
        refuse_if_asked(db, row)
        writing.refuse_while_converting(row)
        refuse_while_words_move(db, row)
        change = _Change(scope, db, row, kind, dictionary, target)
        if count := sum(1 for _ in change.stuck()):
            raise Validation(
                f"{count} stored values are none of that kind. Look at the preview and correct them first.",
                f"有 {count} 个已有的值无法转换，请先查看预览并更正。",
                field="kind",
            )
        if change.options:
            named = {"for_module": row.for_module, "key": row.key, "label_en": row.label_en, "label_zh": row.label_zh}
            change.dictionary = begin_dictionary(scope, named, change.options)
        check_kind(db, kind, change.dictionary, target)
        if row.is_searchable:
            row.searchable_at, row.is_searchable = None, kind not in UNSORTED
            writing.forget_index(db, row)
        wanted = change.wanted()
        if is_at_once := len(wanted) <= writing.AT_ONCE:
            writing.write_values(db, row, wanted)
        row.kind, row.dictionary, row.target = kind, change.dictionary, target
        renew_later(scope, row)
        if is_at_once:
            writing.end_conversion(scope, row)
        else:
            writing.convert_later(scope, db, row, wanted)
        return row


def _seen(scope: Scope, db: Session, model: type[Entity], ids: list[int], key: str) -> set[int]:
    """Those among these records in which the caller sees the value."""
    e: Any = model
    shown = visible(scope.viewer, model, e.id, value(scope.viewer, model, e, f"{PREFIX}{key}").label("held"))
    return {row.id for row in db.execute(shown.where(e.id.in_(ids))) if row.held is not None}


def _count_seen(scope: Scope, db: Session, row: CustomField) -> int:
    """The number of records in which the caller sees a value of the field, those in the bin included."""
    model = model_of(row.for_module)
    held = value(scope.viewer, model, with_parents(model)[1], f"{PREFIX}{row.key}")
    count: int = db.execute(visible(scope.viewer, model, func.count(held))).scalar_one()
    return count


class _Change:
    """One change of kind over the values that are stored."""

    def __init__(
        self, scope: Scope, db: Session, row: CustomField, kind: CustomKind, dictionary: str | None, target: str | None
    ) -> None:
        same = kind is row.kind
        if kind not in convertible(row.kind) and not (same and kind in CHOICES and dictionary != row.dictionary):
            raise invalid("kind", "cannot become this one", "不支持更改为所选类型")
        self.scope, self.db, self.row, self.kind = scope, db, row, kind
        self.values = _held(db, row)
        self.total = len(self.values)
        zone, chinese = ZoneInfo(zone_of(db)), _is_chinese(db)
        words = _options(db, row.dictionary, chinese, archived=True)
        self.before = Shape(row.kind, row.dictionary, row.target, words, zone, chinese)
        self.options = self._texts() if dictionary == ANEW else []
        self.dictionary = None if self.options else dictionary if kind in CHOICES else None
        words = (
            {x["key"]: Option(x["label_en"], (x["label_en"],)) for x in self.options}
            if self.options
            else _options(db, self.dictionary, chinese)
        )
        self.after = Shape(kind, self.dictionary, target, words, zone, chinese)

    def stuck(self) -> Iterator[tuple[int, str]]:
        """(record, value as text) of each value that does not convert."""
        for id, stored in self.values:
            try:
                self._converted(stored)
            except (DoesNotConvert, Validation):
                yield id, as_text(self.before, stored)

    def _converted(self, stored: Any) -> Any:
        value = converted(self.before, self.after, stored)
        custom = Custom(self.row.id, self.row.for_module, self.row.key, self.kind, self.row.label_en)
        return cleaned(custom, value)

    def _texts(self) -> list[dict[str, Any]]:
        """The different texts as options.  Raises Validation for too many of them, none, or one out of sight.

        Everybody may read options, so no text becomes one that the caller could not have read.
        """
        if self.total > _count_seen(self.scope, self.db, self.row):
            raise invalid(
                "dictionary",
                "cannot be made of values that you do not all see; choose one that is there",
                "无法由您不能全部查看的值生成，请选择已有的数据字典",
            )
        texts = list(dict.fromkeys(as_text(self.before, stored).strip() for _, stored in self.values))
        if not 0 < len(texts) <= MOST_TEXTS:
            raise invalid(
                "dictionary",
                f"cannot be made of {len(texts)} different texts; choose one that is there",
                f"无法由 {len(texts)} 个不同的文本生成，请选择已有的数据字典",
            )
        return custom_options.cleaned([{"label_en": text[:200]} for text in texts])

    def wanted(self) -> dict[int, Any]:
        """Record -> the value of the new kind, where that is stored otherwise."""
        return {id: new for id, stored in self.values if (new := self._converted(stored)) != stored}


def _held(db: Session, row: CustomField) -> list[tuple[int, Any]]:
    found = db.execute(holders(row), execution_options=bypass_policy(Because.KEEPS_RULE))
    return [(id, stored) for id, stored in found]


def _is_chinese(db: Session) -> bool:
    asked = select(Organisation.language)
    found = db.execute(asked, execution_options=bypass_policy(Because.APPLIES_TO_ALL)).scalar()
    return (found or "en").startswith("zh")


def _options(db: Session, code: str | None, chinese: bool, *, archived: bool = False) -> dict[str, Option]:
    """The options of a dictionary by key, each with all that means it; those that records may hold with `archived`.

    Raises NotFound.
    """
    if code is None:
        return {}
    i = DictionaryItem
    asked = select(i.key, i.label_en, i.label_zh, i.aliases).where(
        i.dictionary_id == dictionary_of(db, code).id, i.deleted_at.is_(None)
    )
    asked = asked if archived else asked.where(i.archived_at.is_(None))
    found = db.execute(asked.order_by(i.position, i.id), execution_options=bypass_policy(Because.APPLIES_TO_ALL))
    return {
        key: Option((zh if chinese else None) or english, tuple(x for x in (key, english, zh, *aliases) if x))
        for key, english, zh, aliases in found
    }
