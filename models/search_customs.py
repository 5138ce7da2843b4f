"""What search docs hold of custom fields: short texts, numbers, phones, addresses and labels of words, folded, by key.

A doc holds a field as long as it is in use.  The policy decides, field by field, what leads to a record
(`resolvers/reading/search_conditions.py`), so a field that was retired or hidden a moment ago leads nowhere.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import orjson
from sqlalchemy import Connection, Table, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from .contact import PointKind, key_of
from .custom_field import CHOICES, CustomField, CustomKind
from .custom_sql import AtKey
from .database.bypass import Because, bypass_policy
from .dictionary import Dictionary, DictionaryItem
from .search_pieces import fold

NUMBERS = frozenset({CustomKind.NUMBER, CustomKind.MONEY})
"""The kinds that are found as numbers of records are: by three characters, and by the beginning."""
TEXTS = frozenset({CustomKind.TEXT, CustomKind.EMAIL, CustomKind.LINK})
SEARCHED_KINDS = NUMBERS | TEXTS | CHOICES | {CustomKind.PHONE}
"""The kinds that the search box looks into.  Long texts are left to conditions, because every part would be indexed."""

_field, _whole, _item = (cast("Table", x.__table__).c for x in (CustomField, Dictionary, DictionaryItem))
_FILLS = bypass_policy(Because.FILLS_INDEX)


def custom_texts(
    at: Session | Connection, module: str, held: Iterable[Mapping[str, Any] | None]
) -> list[dict[str, str]]:
    """What docs hold of the values of each record, by key.  Two queries, none where no record holds any."""
    each = [values or {} for values in held]
    kinds = _kinds(at, module) if any(each) else {}
    labels = _labels(at, kinds, each)
    return [_texts(values, kinds, labels) for values in each]


def as_json(texts: Mapping[str, str]) -> str:
    """Texts by key as a doc holds them; empty for none."""
    return orjson.dumps(texts).decode() if texts else ""


def in_json(text: str) -> str:
    """A text as it stands inside the JSON of a doc."""
    return orjson.dumps(text).decode()[1:-1]


Fields = Mapping[str, tuple[CustomKind, str | None]]
"""Key -> (kind, code of the dictionary)."""


def _kinds(at: Session | Connection, module: str) -> Fields:
    asked = select(_field.key, _field.kind, _field.dictionary).where(
        _field.for_module == module,
        _field.kind.in_(SEARCHED_KINDS),
        _field.deleted_at.is_(None),
        _field.retired_at.is_(None),
    )
    return {key: (kind, code) for key, kind, code in at.execute(asked, execution_options=_FILLS)}


def _labels(at: Session | Connection, kinds: Fields, held: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], str]:
    """(dictionary, key) -> both labels of every word that these records hold."""
    words = {
        (code, word)
        for values in held
        for key, (kind, code) in kinds.items()
        if kind in CHOICES and code
        for word in _words(values.get(key))
    }
    if not words:
        return {}
    asked = select(_whole.code, _item.key, _item.label_en, _item.label_zh).where(
        _item.dictionary_id == _whole.id,
        _whole.code.in_({code for code, _ in words}),
        _item.key.in_({word for _, word in words}),
        _whole.deleted_at.is_(None),
        _item.deleted_at.is_(None),
    )
    found = at.execute(asked, execution_options=_FILLS)
    return {(code, key): "\n".join(fold(x) for x in labels if x) for code, key, *labels in found}


def _texts(values: Mapping[str, Any], kinds: Fields, labels: Mapping[tuple[str, str], str]) -> dict[str, str]:
    found = {}
    for key, (kind, code) in kinds.items():
        if (stored := values.get(key)) is None:
            continue
        if kind in CHOICES:
            text = "\n".join(filter(None, (labels.get((code or "", word)) for word in _words(stored))))
        else:
            text = key_of(PointKind.PHONE, str(stored)) if kind is CustomKind.PHONE else fold(str(stored))
        if text:
            found[key] = text
    return found


def _words(stored: Any) -> Iterable[str]:
    return stored if isinstance(stored, list) else [stored] if isinstance(stored, str) else ()


class DocText(AtKey):
    """The text of a custom field in a doc, whose column of texts is not empty; NULL where it holds none."""

    type, inherit_cache = Text(), True


@compiles(DocText, "sqlite")
def _on_sqlite(element: DocText, compiler: Any, **how: Any) -> str:
    return f"json_extract({compiler.process(next(iter(element.clauses)), **how)}, '$.{element.name_}')"


@compiles(DocText, "postgresql")
def _on_postgresql(element: DocText, compiler: Any, **how: Any) -> str:
    return f"(CAST({compiler.process(next(iter(element.clauses)), **how)} AS jsonb) ->> '{element.name_}')"
