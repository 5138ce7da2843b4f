"""Records that cells name: people by login, name or address, customers by number or name, anything else by its name.

Only what the caller sees is found, so a hidden record reads like a missing one.  Of namesakes none is taken.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models import Contact, Customer, DictionaryItem, Entity, FormerName, Opportunity, User
from models.errors import Refusal
from models.former_name import comparable
from models.text import fold, name_key, number_key

from ..runtime.inputs import invalid
from ..runtime.merged_records import merges
from ..runtime.scope import Scope
from .fields import ImportField
from .row_values import Naming, RowValues

LARGE: Mapping[type[Entity], Mapping[str, Callable[[str], str]]] = {
    Customer: {"number": number_key, "name": name_key},
}
"""Entities with too many records to read them all: column -> the form in which its key column compares it."""
WITHIN: Mapping[type[Entity], str] = {
    Contact: "customer_id",
    Opportunity: "customer_id",
    DictionaryItem: "dictionary_id",
}
"""Entities whose records a row names among those of another record that it names: the input of that one."""


@dataclass(frozen=True)
class _Found:
    id: int
    is_binned: bool = False
    has_left: bool = False


Named = Mapping[str, Sequence[_Found]]
"""Folded text -> the records that are called so."""


KnownRecords = MutableMapping[tuple[type[Entity], tuple[str, ...]], Named]
"""The records of small tables by all that they are called, which a caller may keep for a while."""


def resolve(scope: Scope, db: Session, rows: Iterable[RowValues], small: KnownRecords | None = None) -> None:
    """Put the ids of named records into the values of each row, or the refusal of its cell.

    One statement for each kind of record, whatever the number of rows; two more for customers that are not found.
    `small`: what is known of small tables, which gets what is read of them now.
    """
    small = {} if small is None else small
    rows = list(rows)
    wanted: dict[tuple[type[Entity], tuple[str, ...]], set[str]] = defaultdict(set)
    for row in rows:
        for naming in row.namings:
            if (model := _model(naming)) not in WITHIN:
                wanted[model, naming.field.by].add(naming.text)
    for key in wanted.keys() - small.keys():
        if key[0] not in LARGE:
            small[key] = _all(db, *key)
    known = {
        key: _large_known(scope, db, *key, texts) if key[0] in LARGE else small[key] for key, texts in wanted.items()
    }
    for row in rows:
        for naming in row.namings:
            if (model := _model(naming)) not in WITHIN:
                _settle(row, naming, known[model, naming.field.by])
    for model, parent in WITHIN.items():
        _resolve_within(db, model, parent, rows)


def _model(naming: Naming) -> type[Entity]:
    assert naming.field.reference is not None, "only fields of references are named"
    return naming.field.reference


# --- one cell --------------------------------------------------------------------------------------------


def _settle(row: RowValues, naming: Naming, known: Named) -> None:
    """A number that is given beside a name decides; both must mean the same record."""
    which = naming.field
    there = known.get(fold(naming.text), ())
    if not there:
        row.missing[which.key] = naming.text
    found = _one(which, naming.text, there)
    if isinstance(found, Refusal):
        row.refusals[which.key] = found
    elif which.has_several:
        row.values.setdefault(which.input, []).append(found)
    elif row.values.setdefault(which.input, found) != found:
        row.refusals[which.key] = invalid(
            which.key, f"“{naming.text[:40]}” is another record than the one beside it", f"“{naming.text[:40]}”与同行的另一列不是同一条记录"
        )  # fmt: skip


def _one(which: ImportField, text: str, found: Sequence[_Found]) -> int | Refusal:
    """The one live record of that name, or why there is none."""
    said = text[:40]
    live = [each for each in found if not each.is_binned and (which.may_have_left or not each.has_left)]
    if len(live) == 1:
        return live[0].id
    if len(live) > 1:
        if which.reference is Customer:
            return invalid(
                which.key,
                f"“{said}” is the name of {len(live)} customers: give the number",
                f"有 {len(live)} 个客户名为“{said}”，请填写客户编号",
            )
        return invalid(
            which.key,
            f"“{said}” is the name of {len(live)} records: give something that only one of them has",
            f"有 {len(live)} 条记录名为“{said}”，请填写可唯一识别的信息",
        )
    if any(each.has_left for each in found):
        return invalid(which.key, f"“{said}” is no longer active", f"“{said}”已停用")
    if found:
        return invalid(which.key, f"“{said}” is in the recycle bin", f"“{said}”在回收站中")
    return not_found(which, said)


def not_found(which: ImportField, text: str) -> Refusal:
    """The refusal of a cell that names nothing which the caller sees."""
    said = text[:40]
    return invalid(which.key, f"“{said}” was not found", f"未找到“{said}”")


# --- what there is ---------------------------------------------------------------------------------------


def _large_known(scope: Scope, db: Session, model: type[Entity], by: tuple[str, ...], texts: set[str]) -> Named:
    found = _large(scope, db, model, by, texts)
    if model is Customer and "name" in by:
        if "number" in by:
            found = {**found, **_by_both(scope, db, {text for text in texts if fold(text) not in found})}
        missing = {text for text in texts if fold(text) not in found}
        found = {**found, **_former(scope, db, missing)} if missing else found
    return found


def _all(db: Session, model: type[Entity], by: tuple[str, ...]) -> Named:
    """Every record that the caller sees, by all that it is called; a column that is unique goes before the others."""
    active = [model.__table__.c.active] if "active" in model.__table__.c else []
    columns = [getattr(model, key) for key in by]
    found: dict[str, dict[int, _Found]] = defaultdict(dict)
    for id, deleted_at, *rest in db.execute(select(model.id, model.deleted_at, *active, *columns)):
        has_left = bool(active) and not rest[0]
        for text in _called(model, rest[len(active) :]):
            found[fold(text)][id] = _Found(id, deleted_at is not None, has_left)
    return {text: list(each.values()) for text, each in found.items()}


def _called(model: type[Entity], names: Sequence[Any]) -> list[str]:
    """All that a record is called: its names, and of a person the name with the login, which is how our files tell namesakes apart."""
    texts = [str(name) for name in names if name]
    if model is User and len(texts) > 1:
        texts.append(f"{texts[1]} ({texts[0]})")
    return texts


def _large(scope: Scope, db: Session, model: type[Entity], by: tuple[str, ...], texts: set[str]) -> Named:
    """The records with these texts, by the key columns of what may name them."""
    columns: Any = model.__table__.c
    forms = {key: form for key, form in LARGE[model].items() if key in by}
    spelt = {spelling for text in texts for spelling in _spellings(text)}
    same = [columns[f"{key}_key"].in_(sorted({form(text) for text in spelt})) for key, form in forms.items()]
    shown = [scope.viewer.value(model, model, key) for key in forms]  # what the caller may not see names nothing
    found: dict[str, dict[int, _Found]] = defaultdict(dict)
    wanted = {fold(text) for text in texts}
    asked = select(model.id, model.deleted_at, *shown).where(or_(*same))
    if merges(model):
        asked = asked.where(
            columns.merged_into_id.is_(None)
        )  # its name is a former one of the record it became part of
    for id, deleted_at, *names in db.execute(asked):
        for name in names:
            if name and fold(name) in wanted:
                found[fold(name)][id] = _Found(id, deleted_at is not None)
    return {text: list(each.values()) for text, each in found.items()}


def _by_both(scope: Scope, db: Session, texts: set[str]) -> Named:
    """Customers whose number and name one after the other are the text, which is how our own files name them."""
    cuts = {text: [(text[:at], text[at + 1 :].strip()) for at, c in enumerate(text) if c == " "] for text in texts}
    parts = {part for pairs in cuts.values() for pair in pairs for part in pair if part}
    if not parts:
        return {}
    known = _large(scope, db, Customer, ("number", "name"), parts)
    found = {}
    for text, pairs in cuts.items():
        same = {
            each for number, name in pairs for each in {*known.get(fold(number), ())} & {*known.get(fold(name), ())}
        }
        if same:
            found[fold(text)] = [*same]
    return found


def _spellings(text: str) -> set[str]:
    """A text as it may be stored: as it is, in half width, and with brackets in full width."""
    narrow = fold(text)
    return {text, narrow, narrow.translate(_WIDE)}


_WIDE = str.maketrans("(),&", "（），＆")


def _former(scope: Scope, db: Session, texts: set[str]) -> Named:
    """Customers by names and numbers that they had, or that customers had which are part of them now."""
    keys = {comparable(text): fold(text) for text in texts}
    asked = (
        select(FormerName.value_key, Customer.id, Customer.deleted_at)
        .join(Customer, Customer.id == FormerName.customer_id)
        .where(FormerName.value_key.in_(sorted(keys)), scope.viewer.value(Customer, Customer, "name").is_not(None))
    )
    found: dict[str, dict[int, _Found]] = defaultdict(dict)
    for key, id, deleted_at in db.execute(asked):
        found[keys[key]][id] = _Found(id, deleted_at is not None)
    return {text: list(each.values()) for text, each in found.items()}


def _resolve_within(db: Session, model: type[Entity], parent: str, rows: Sequence[RowValues]) -> None:
    """Contacts and opportunities, each among those of the customer of its row; words among those of their dictionary."""
    naming_rows = [(row, naming) for row in rows for naming in row.namings if _model(naming) is model]
    ids = {row.values[parent] for row, _ in naming_rows if parent in row.values}
    known: dict[int, dict[str, dict[int, _Found]]] = defaultdict(lambda: defaultdict(dict))
    if ids:
        columns: Any = model.__table__.c
        names = [columns[key] for key in {key: None for _, each in naming_rows for key in each.field.by}]
        asked = select(model.id, model.deleted_at, columns[parent], *names)
        for id, deleted_at, owner, *said in db.execute(asked.where(columns[parent].in_(sorted(ids)))):
            for text in filter(None, said):
                known[owner][fold(text)][id] = _Found(id, deleted_at is not None)
    for row, naming in naming_rows:
        if parent in row.values:
            there = known[row.values[parent]].get(fold(naming.text), {})
            _settle(row, naming, {fold(naming.text): [*there.values()]})
