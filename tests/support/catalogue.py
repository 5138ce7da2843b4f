"""Every message that the catalogue has to hold: those written in the panel's sources, and those derived from columns.

Kinds of records and actions bring their Chinese with them; a message that they declare does not stand in the catalogue.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from jinja2.ext import babel_extract
from sqlalchemy import Enum

import resolvers
from admin.kit import labels, translation
from models import ENTITIES, AuditEntry, Base, ContactPoint, OwnershipPeriod, User
from models.base import stored_columns, trait_of
from resolvers.audit.redaction import names_of
from resolvers.reading.clauses import COMPUTED
from resolvers.records.numbering import NUMBERED
from resolvers.runtime.lifecycle import rules_of

ROOT = Path(__file__).resolve().parents[2]
SHOWN: tuple[type[Base], ...] = (*ENTITIES, AuditEntry, OwnershipPeriod)
KEYS_OF_A_PERSON = ("password", "session", "token")
"""Names in the log of a user's changes that are no columns."""
SPOKEN = ("_", "gettext", "ngettext", "Label")
_NEWSTYLE = {"newstyle_gettext": "true", "silent": "false"}


def messages() -> dict[str, str | None]:
    """Message -> its plural, None where it has none."""
    resolvers.load()
    wanted = dict.fromkeys(_derived()) | dict(_literal())
    declared = translation.declared_words().keys()
    return {message: plural for message, plural in wanted.items() if message not in declared}


def _literal() -> Iterator[tuple[str, str | None]]:
    """(message, its plural or None) of every constant message in Python and in the templates."""
    for file in sorted((ROOT / "admin").rglob("*.py")):
        yield from _in_python(ast.parse(file.read_text(encoding="utf-8")))
    for file in sorted((ROOT / "admin").rglob("*.html")):
        with file.open("rb") as source:
            for _line, function, said, _comments in babel_extract(source, SPOKEN, [], _NEWSTYLE):
                parts = said if isinstance(said, tuple) else (said,)
                yield str(parts[0]), parts[1] if function == "ngettext" else None


def _in_python(tree: ast.AST) -> Iterator[tuple[str, str | None]]:
    """The constant messages of all calls, inside f-strings too, where Babel finds them only from Python 3.12 on."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SPOKEN and node.args:
            said = [part.value for part in node.args if isinstance(part, ast.Constant) and isinstance(part.value, str)]
            if said:
                yield said[0], said[1] if node.func.id == "ngettext" else None


def _derived() -> Iterator[str]:
    """What the labels of columns and choices say in English."""
    translation.speak("en")
    for model in SHOWN:
        yield from (labels.field_label(model, key) for key in _keys(model))
    yield from (labels.field_label(User, key) for key in KEYS_OF_A_PERSON)
    yield from (labels.choice_label(member) for member in _members())


def _keys(model: type[Base]) -> Iterator[str]:
    """Keys of columns, computed values and extra inputs of the rules, and the names of parts in the log."""
    yield from (
        column.key for column in stored_columns(model) if not (trait_of(column).key_of or trait_of(column).holds_custom)
    )
    yield from (key for owner, key in COMPUTED if owner is model)
    if model in ENTITIES:
        yield from rules_of(model).extra_inputs
        yield from names_of(model)


def _members() -> Iterator[str]:
    yield from NUMBERED
    tables = [model.__table__ for model in SHOWN] + [ContactPoint.__table__]
    for table in tables:
        for column in table.c:
            yield from column.type.enums if isinstance(column.type, Enum) else ()


# --- the file --------------------------------------------------------------------------------------------

PO = ROOT / "admin/locale/zh/LC_MESSAGES/millpond.po"


def main() -> None:
    """`make words`: put the catalogue in order, take out what is said no more, and name what has no Chinese yet."""
    head, *entries = PO.read_text(encoding="utf-8").strip("\n").split("\n\n")
    wanted, there = messages(), {_message(entry): entry for entry in entries}
    kept = [there[message] for message in sorted(there) if message in wanted]
    PO.write_text("\n\n".join([head, *kept]) + "\n", encoding="utf-8")
    for message in sorted(there.keys() - wanted.keys()):
        print(f"taken out: {message}")
    missing = sorted(wanted.keys() - there.keys())
    for message in missing:
        print(f"without Chinese: {message}")
    raise SystemExit(bool(missing))


def _message(entry: str) -> str:
    """The English message of an entry, whose text may stand on several lines."""
    lines = entry.partition("\nmsgid ")[2] if not entry.startswith("msgid ") else entry.removeprefix("msgid ")
    text = lines.partition("\nmsgid_plural ")[0].partition("\nmsgstr")[0]
    return "".join(ast.literal_eval(line) for line in text.split("\n"))


if __name__ == "__main__":
    main()
