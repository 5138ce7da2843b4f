"""Forms as a browser sends them: for a new record, for an edit, for the dialog of a command."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from models import Base, User
from models.base import Utc, columns
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.scope import Scope
from tests.support.panel import Door
from tests.support.world import World

from .cases import is_open
from .columns import pointers, target_of
from .declared import Posted, Ref, UseCase
from .oracle import Oracle
from .tables import COMMANDS, DIALOG, KINDS


def new_form(model: type[Base], world: World) -> dict[str, str]:
    """A form for a record of this kind, which points to records that Li sees."""
    found, targets = KINDS[model].new, pointers(model)
    return {
        key: global_id(targets[key], world.ids[text]) if isinstance(text, Ref) else text
        for key, text in (found or {}).items()
    }


def form_of(model: type[Base], row: Mapping[str, Any], world: World) -> dict[str, Any]:
    """Every input that a form to edit this row could hold."""
    held = {column.key: _typed(column, row[column.key]) for column in columns(model)}
    if (nested := KINDS[model].nested) is not None:
        rows = [each for each in world.rows(nested.model) if each[nested.parent] == row["id"]]
        held |= {f"{nested.key}-{key}": [str(each[key]) for each in rows] for key in nested.rows[0]}
    return {key: value for key, value in held.items() if value is not None} | {"_was": "{}"}


def _typed(column: Any, value: Any) -> Any:
    target = target_of(column)
    if value is None or value is False:
        return None if value is False else ""
    if target is not None:
        return global_id(target, value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M")
    return "\n".join(value) if isinstance(value, list) else "y" if value is True else str(value)


def as_values(model: type[Base], form: Mapping[str, str]) -> dict[str, Any]:
    """A form as a use case takes it."""
    found: dict[str, Any] = {}
    for key, text in form.items():
        made = KINDS[model].inputs.get(key)
        found |= made(text) if made else {key: _value(model.__table__.c[key], text)}
    return found


def _value(column: Any, text: str) -> Any:
    target, kind = target_of(column), column.type.python_type
    if target is not None:
        return number_of(target, text)
    if isinstance(column.type, Utc):
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    return True if kind is bool else int(text) if kind is int else text


def dialog(world: World, command: str = "") -> dict[str, str]:
    """The inputs of every dialog, as a browser sends them with this command."""
    given = given_to(command)
    targets = {key: text.of for key, text in given.items() if isinstance(text, Ref)}
    return {
        key: global_id(target, world.ids[text]) if (target := targets.get(key)) else text for key, text in given.items()
    }


def given_to(command: str) -> dict[str, Any]:
    """DIALOG, but a release goes where the pools of its owner lead."""
    return {key: "" if (command, key) == ("release", "pool_id") else text for key, text in DIALOG.items()}


def fields_of(door: Door) -> tuple[Any, ...]:
    """The fields that the dialog of a command asks for."""
    return next((command.fields for command in door.view.commands if command.name == door.command), ())


def use_case_of(door: Door, world: World, ids: list[int]) -> Callable[[Scope], Any]:
    """The use case behind a command, with the inputs of `dialog`."""
    login = str(world.row(User, ids[0])["login"]) if door.model is User else ""
    given = given_to(door.command)
    inputs = {key: world.ids[text] if isinstance(text, Ref) else text for key, text in given.items()}
    posted, key = Posted(door.model, ids, login, inputs), (door.model, door.command)
    use_case = COMMANDS.get(key) or COMMANDS.get((None, door.command)) or _method_of(door)
    return lambda scope: use_case(scope, posted)


def _method_of(door: Door) -> UseCase:
    """The method of the screen that the button calls, with what its dialog asks for."""
    method = getattr(door.view, next(each.method for each in door.view.commands if each.name == door.command))
    keys = [field.key for field in fields_of(door)]
    return lambda scope, posted: method(scope, posted.ids, {key: posted[key] for key in keys})


def edit_status(oracle: Oracle, door: Door, id: int) -> int:
    """The status with which a form to edit is answered."""
    if not is_open(oracle, door):
        return 403
    if id not in oracle.ids(door.model):
        return 404
    is_deleted = oracle.world.row(door.model, id).get("deleted_at") is not None
    return 200 if id in oracle.ids(door.model, "edit") and not is_deleted else 403
