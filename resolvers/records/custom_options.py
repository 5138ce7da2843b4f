"""Options of a custom choice: words of a dictionary, which comes with the field or is there already."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import CustomField, Dictionary, DictionaryItem, Tone
from models.database.bypass import Because, bypass_policy
from models.errors import NotFound, Validation
from models.pinyin import pinyin

from ..runtime.inputs import invalid, line
from ..runtime.scope import Scope
from .dictionaries import Word

MOST_OPTIONS = 200
"""Maximum number of options that come with one request; a dictionary itself may have more."""
LONGEST_KEY = 40
_UNFIT = re.compile(r"[^a-z0-9]+")
_INPUTS = frozenset({"key", "label_en", "label_zh", "aliases", "is_archived"})


def key_from(label: str | None, taken: Collection[str], otherwise: str) -> str:
    """A key for programs out of a label, Chinese in pinyin, which none of `taken` is: `Very good` -> `very_good`."""
    base = _UNFIT.sub("_", pinyin((label or "").strip()).lower()).strip("_")[: LONGEST_KEY - 4].strip("_")
    base = base if base[:1].isalpha() else f"{otherwise}_{base}".rstrip("_")[: LONGEST_KEY - 4]
    found, number = base, 1
    while found in taken:
        number += 1
        found = f"{base}_{number}"
    return found


def cleaned(options: Any) -> list[dict[str, Any]]:
    """The options as the request gives them, checked: key, label_en, label_zh, aliases, is_archived of each, in order.

    One without a key gets one out of its label.  Raises Validation: no list, no label, a key or a label twice.
    """
    if not isinstance(options, Sequence) or isinstance(options, str) or len(options) > MOST_OPTIONS:
        raise invalid("options", f"must be a list of at most {MOST_OPTIONS}", f"最多 {MOST_OPTIONS} 个")
    found: list[dict[str, Any]] = []
    for given in options:
        found.append(_option(given, [x["key"] for x in found]))
    for which, english, chinese in (("label_en", "name", "名称"), ("label_zh", "Chinese name", "中文名称")):
        labels = [x[which].casefold() for x in found if x[which]]
        if twice := next((label for label in labels if labels.count(label) > 1), None):
            raise invalid("options", f"hold the {english} “{twice}” twice", f"中{chinese}“{twice}”重复")
    return found


def _option(given: Any, taken: Sequence[str]) -> dict[str, Any]:
    if not isinstance(given, Mapping) or not given.keys() <= _INPUTS:
        raise invalid("options", "must each have a name", "必须填写名称")
    zh = line(given.get("label_zh"), "options")
    english = line(given.get("label_en"), "options") or zh
    if english is None:
        raise invalid("options", "must each have a name", "必须填写名称")
    key = line(given.get("key"), "options", LONGEST_KEY) or key_from(english, taken, "option")
    if key in taken:
        raise invalid("options", f"hold the key “{key}” twice", f"中键“{key}”重复")
    aliases = [x for each in given.get("aliases") or () if (x := line(each, "options"))]
    names = {"label_en": english, "label_zh": zh, "aliases": list(dict.fromkeys(aliases))}
    return {"key": key, **names, "is_archived": bool(given.get("is_archived"))}


def code_for(db: Session, module: str, key: str) -> str:
    """The code of a dictionary of its own for a field, which no dictionary has or had."""
    base = f"{module}_{key}"[: LONGEST_KEY - 3]
    asked = select(Dictionary.code).where(Dictionary.code.startswith(base, autoescape=True))
    taken = db.execute(asked, execution_options=bypass_policy(Because.KEEPS_RULE)).scalars().all()
    return key_from(base, taken, module)


def dictionary_of(db: Session, code: str | None) -> Dictionary:
    """The dictionary with this code.  Raises NotFound."""
    asked = select(Dictionary).where(Dictionary.code == code, Dictionary.deleted_at.is_(None))
    found = db.execute(asked, execution_options=bypass_policy(Because.APPLIES_TO_ALL)).scalar_one_or_none()
    if found is None:
        raise NotFound(what=Dictionary.names, field="dictionary")
    return found


def begin_dictionary(scope: Scope, values: Mapping[str, Any], options: list[dict[str, Any]]) -> str:
    """The code of a new dictionary with these options, named like the field, in the open transaction."""
    offered = [{**_columns(option)} for option in options if not option["is_archived"]]
    if not offered:
        raise _needs_options()
    with scope.write("dictionary.create") as inner:
        scope.allow("create", "dictionary")
        code = code_for(inner, values["for_module"], values["key"])
        made = Dictionary(code=code, name=values["label_en"], name_zh=values.get("label_zh"))
        inner.add(made)
        inner.flush()
        inner.add_all(DictionaryItem(dictionary_id=made.id, position=n, **x) for n, x in enumerate(offered, 1))
    return code


def _columns(option: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in option.items() if name != "is_archived"}


def take_options(scope: Scope, db: Session, row: CustomField, options: list[dict[str, Any]]) -> None:
    """Put options into the dictionary of a field: new ones, and new names and places for those that are there.

    A new name for a key renames it wherever it is held.  One that is left out stays as it is, behind the others, so two
    editors do not undo each other; one with is_archived is offered no more.
    """
    dictionary = dictionary_of(db, row.dictionary)
    with scope.write("dictionary.edit") as inner:
        scope.allow("edit", "dictionary")
        held = _items(inner, dictionary.id)
        for position, option in enumerate(options, 1):
            if (item := held.pop(option["key"], None)) is None:
                item = DictionaryItem(dictionary_id=dictionary.id, key=option["key"])
                inner.add(item)
            archived_at = (item.archived_at or scope.now()) if option["is_archived"] else None
            _set(item, {**_columns(option), "position": position, "archived_at": archived_at})
        for position, item in enumerate(held.values(), len(options) + 1):
            _set(item, {"position": position})
        inner.flush()
        if all(item.archived_at is not None for item in _items(inner, dictionary.id).values()):
            raise _needs_options()


def _set(item: DictionaryItem, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if getattr(item, name) != value:
            setattr(item, name, value)


def _items(db: Session, dictionary_id: int) -> dict[str, DictionaryItem]:
    asked = (
        select(DictionaryItem)
        .where(DictionaryItem.dictionary_id == dictionary_id, DictionaryItem.deleted_at.is_(None))
        .order_by(DictionaryItem.position, DictionaryItem.id)
    )
    found = db.execute(asked, execution_options=bypass_policy(Because.FOLLOWS_CHECK)).scalars()
    return {item.key: item for item in found}


def _needs_options() -> Validation:
    return invalid("options", "must hold at least one, or name a dictionary", "至少需要一个，或选择已有的数据字典")


def dictionaries(scope: Scope, db: Session) -> dict[str, Word]:
    """Every dictionary by its code, as the choices of a field, by name."""
    chinese = scope.language.startswith("zh")
    asked = select(Dictionary.code, Dictionary.name, Dictionary.name_zh).where(Dictionary.deleted_at.is_(None))
    found = [(code, (zh if chinese else None) or name) for code, name, zh in db.execute(asked)]
    return {code: Word(code, name, False, Tone.GREY) for code, name in sorted(found, key=lambda x: x[1])}
