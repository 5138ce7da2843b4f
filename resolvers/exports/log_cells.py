"""Entries of the operation log as cells, redacted as on its page."""

from collections.abc import Iterable, Sequence

from sqlalchemy.orm import Session

from models.actions import BY_NAME
from models.choice_names import choice_said, field_said, in_language
from models.field_names import FIELD_NAMES
from models.listed_values import BETWEEN
from models.names import OF_MODULE, RECORD, Names

from ..audit import history
from ..audit.history import Change, Entry
from ..reading.pages import LARGEST_PAGE
from ..runtime.scope import Scope
from .cells import Cell, Words
from .kinds import ExportColumn

HIDDEN = ("a record that you do not see", "一条您看不到的记录")


def log_cells(
    scope: Scope, db: Session, columns: Sequence[ExportColumn], ids: Sequence[int], words: Words
) -> list[list[Cell]]:
    """The cells of these entries, newest first, as far as the caller may see and export them."""
    found: dict[int, Entry] = {}
    for start in range(0, len(ids), LARGEST_PAGE):
        found |= {entry.id: entry for entry in history.of_ids(scope, db, ids[start : start + LARGEST_PAGE])}
    return [[_cell(column.key, found[id], words) for column in columns] for id in ids if id in found]


def _cell(key: str, entry: Entry, words: Words) -> Cell:
    language = words.language
    match key:
        case "at":
            return entry.at.astimezone(words.zone).replace(tzinfo=None)
        case "action":
            return _action(entry.action, language)
        case "entity":
            return _said(_kind(entry), language)
        case "label":
            return entry.label if entry.is_visible else in_language(HIDDEN, language)
        case "changes":
            return changes_in_words(entry, language) or None
        case "outcome":
            return in_language(choice_said(entry.outcome), language)
    value = getattr(entry, key)
    return None if value is None else str(value)


def _action(action: str, language: str) -> str:
    """What `customer.claim` says in the log: `claimed`, `领取`."""
    known = BY_NAME.get(action.rpartition(".")[2])
    if known is None:
        return action
    english = known.done or known.label
    return (known.done_zh or known.zh) if language.startswith("zh") else english[:1].upper() + english[1:]


def _kind(entry: Entry) -> Names:
    return entry.model.names if entry.model is not None else OF_MODULE.get(entry.action.partition(".")[0], RECORD)


def _said(names: Names, language: str) -> str:
    return names.zh if language.startswith("zh") else names.one


def changes_in_words(entry: Entry, language: str) -> str:
    """`Stage: Early → Won; Phone: – → 138…`, without what the reader may not see."""
    return BETWEEN.join(_changed(entry, change, language) for change in entry.changes)


def _changed(entry: Entry, change: Change, language: str) -> str:
    said = field_said(entry.model, change.key) if entry.model is not None else None
    name = in_language(said, language) if said else in_language(_plain(change.key), language)
    old, new = _text(change.old_name, change.old), _text(change.new_name, change.new)
    return f"{name}: {old} → {new}"


def _plain(key: str) -> tuple[str, str]:
    english = key.replace("_", " ").capitalize()
    return FIELD_NAMES.get(key, (english, english))


def _text(name: str | None, value: object) -> str:
    if name is not None:
        return name
    if value is None or value == "":
        return "–"
    return ", ".join(map(str, value)) if isinstance(value, Iterable) and not isinstance(value, str) else str(value)
