"""Templates: the workbook that a person fills in to import records, planned from the fields that they may set now.

The plan is data; `tasks/workbooks/template_book.py` writes it.  A template that comes back needs no mapping, because it says
itself which column holds which field (`models/workbook_marks.py`).
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Entity
from models.choice_names import NO, YES, Said, in_language
from models.text import fold

from ..records.dictionaries import words_of
from ..runtime.scope import Scope
from .batches import allowed
from .fields import FieldKind, ImportField
from .mapping import fields_of
from .references import LARGE, WITHIN
from .targets import Target
from .template_notes import note_of, rule_of

FEW = 200
"""Maximum number of people or records that a drop-down offers."""
MOST_WORDS = 1_000
"""Maximum number of words of a dictionary that a drop-down offers."""
UNIQUE = frozenset({"number", "registration_number", "login"})
"""Fields of which no two rows have the same value."""
_NAME: Said = (" import template", "导入模板")
_FIRST = {"en": ("name", "label_en"), "zh": ("name_zh", "label_zh", "name")}
_LISTED = (FieldKind.WORD, FieldKind.CHOICE, FieldKind.YES_NO, FieldKind.PERSON, FieldKind.RECORD)


@dataclass(frozen=True)
class TemplateColumn:
    """A column as its reader sees it.  `words`: what a drop-down offers; empty for none.  `is_unique`: no value comes twice."""

    key: str
    heading: str
    kind: FieldKind
    is_required: bool
    rule: str
    example: str
    note: str
    length: int | None = None
    words: tuple[str, ...] = ()
    is_unique: bool = False


@dataclass(frozen=True)
class Template:
    """A workbook to fill in.  `name`: of its file.  `about`: what it says of itself when it comes back."""

    title: str
    name: str
    language: str
    about: Mapping[str, str]
    columns: tuple[TemplateColumn, ...]


def template(scope: Scope, db: Session, code: str) -> Template:
    """The template of a target for the caller, in their language.  Raises Forbidden, and Validation for an unknown target.

    One query for the words of dictionaries, and one for each kind of record that fields name.
    """
    target = allowed(scope, code)
    names, chinese = target.names, scope.language.startswith("zh")
    title = (names.zh_many or names.zh) if chinese else names.many
    return Template(
        title=title,
        name=f"{title}{in_language(_NAME, scope.language)}.xlsx",
        language=scope.language,
        about={"kind": "template", "target": target.code},
        columns=tuple(columns(scope, db, target)),
    )


def columns(scope: Scope, db: Session, target: Target) -> list[TemplateColumn]:
    """A column for each field of the caller, required ones first."""
    fields = fields_of(scope, db, target)
    dictionaries = words_of(scope, db, {each.dictionary for each in fields if each.dictionary})
    records: dict[type[Entity], tuple[str, ...]] = {}
    found = []
    for each in fields:
        if each.dictionary:
            known = dictionaries.get(each.dictionary, {}).values()
            words = tuple(dict.fromkeys(word.label for word in known if not word.is_archived))[:MOST_WORDS]
        else:
            words = _words(scope, db, each, records)
        found.append(_column(scope, each, words))
    return found


def _column(scope: Scope, each: ImportField, words: tuple[str, ...]) -> TemplateColumn:
    example = words[0] if words and each.dictionary else in_language(each.example, scope.language)
    rule = in_language(rule_of(each, words, scope.person.zone or "UTC"), scope.language)
    return TemplateColumn(
        key=each.key,
        heading=each.say(scope.language),
        kind=each.kind,
        is_required=each.is_required,
        rule=rule,
        example=example,
        note=in_language(note_of(each, rule, example), scope.language),
        length=each.length,
        words=words if each.kind in _LISTED and not each.has_several else (),
        is_unique=each.key in UNIQUE,
    )


def _words(
    scope: Scope, db: Session, each: ImportField, records: dict[type[Entity], tuple[str, ...]]
) -> tuple[str, ...]:
    if each.kind is FieldKind.YES_NO:
        return in_language(YES, scope.language), in_language(NO, scope.language)
    if each.kind is FieldKind.CHOICE:
        return tuple(choice.chinese if scope.language.startswith("zh") else choice.english for choice in each.choices)
    model = each.reference
    if model is None or model in LARGE or model in WITHIN:
        return ()
    if model not in records:
        records[model] = _names(scope, db, model, each.by)
    return records[model]


def _names(scope: Scope, db: Session, model: type[Entity], by: Sequence[str]) -> tuple[str, ...]:
    """What a cell may name each record by, when there are few; each name means one record alone."""
    table: Any = model.__table__
    active = [table.c.active.is_(True)] if "active" in table.c else []
    asked = select(*(getattr(model, key) for key in by)).where(model.deleted_at.is_(None), *active)
    rows = [*db.execute(asked.order_by(model.id).limit(FEW + 1))]
    if len(rows) > FEW:
        return ()
    called: dict[str, set[int]] = defaultdict(set)
    for at, row in enumerate(rows):
        for value in row:
            called[fold(str(value or ""))].add(at)
    first = _FIRST["zh" if scope.language.startswith("zh") else "en"]
    order = sorted(range(len(by)), key=lambda at: first.index(by[at]) if by[at] in first else len(first))
    chosen = (
        next((str(row[at]) for at in order if row[at] and len(called[fold(str(row[at]))]) == 1), "") for row in rows
    )
    return tuple(name for name in chosen if name and not re.search(r"[\r\n]", name))
