"""The lines that the tables lack, and those of things that the panel no longer has: each as a sentence with its file."""

import re
from collections.abc import Iterator
from pathlib import Path

from models import Base
from models.errors import Refusal
from policies import STARTER
from policies.lines import parse
from resolvers.records import create_update
from tests.support import world as small_world
from tests.support.panel import Door, Panel, doors, over_records
from tests.support.world import World

from .cases import LISTS
from .columns import free_texts, pointers
from .dataset import Dataset
from .declared import FILE, Table
from .dry_run import dry_run
from .forms import as_values, fields_of, new_form
from .oracle import Oracle
from .tables import COMMANDS, COVERED_ELSEWHERE, DIALOG, KEYS, KINDS, PAGES, TABS, TEXTS

ALL = ("", "all")
"""Names of tabs that hold every row."""


def missing_lines() -> Iterator[str]:
    """What the tables say too little or too much about the route table, the models and the policy."""
    yield from _compare(KINDS, {door.model for door in doors() if door.view is not None})
    lists = {(door.view.identity, tab.name) for door in over_records("GET", "list") for tab in door.view.tabs}
    yield from _compare(TABS, {each for each in lists if each[1] not in ALL})
    commands = [door for door in over_records("POST", "do") if door.command not in COVERED_ELSEWHERE]
    known = {_command(door) for door in commands}
    yield from (COMMANDS.surplus(key) for key in sorted(COMMANDS.keys() - known, key=str))
    yield from _compare(DIALOG, {name for door in commands for name in _inputs(door)})
    yield from _compare(PAGES, {door.path for door in doors() if door.method == "GET" and door.view is None})
    yield from _roles()
    yield from _kinds()
    yield from _names()
    if sorted(door.path for door in over_records("GET", "list")) != LISTS:
        yield f"{Path(FILE).with_name('cases.py')}, LISTS: the paths differ from those of the route table"


def _compare(table: Table, needed: set) -> Iterator[str]:  # type: ignore[type-arg]  # any key
    yield from (table.gap(key) for key in sorted(needed - table.keys(), key=str))
    yield from (table.surplus(key) for key in sorted(table.keys() - needed, key=str))


def _command(door: Door) -> tuple[type[Base] | None, str]:
    own = (door.model, door.command)
    return own if own in COMMANDS else (None, door.command)


def _inputs(door: Door) -> Iterator[str]:
    yield from (field.key for field in fields_of(door))
    yield from ("typed" for command in door.view.commands if command.name == door.command and command.typed)


def _roles() -> Iterator[str]:
    """A user of each role to which the starter policy gives anything."""
    named = {line.columns[0] for line in parse(STARTER) if line.kind in ("p", "g")}
    held = {role for _, role, _ in small_world.PEOPLE.values()}
    for role in sorted(named - held - {"*"}):
        if not role.startswith("system"):
            yield f"{Path(small_world.__file__).name}, PEOPLE: add a user with the role “{role}”"


def _kinds() -> Iterator[str]:
    """Each entity with a form has it in its line, and a hostile record if it holds text."""
    created = {door.model for door in over_records("POST", "create")}
    for model, kind in KINDS.items():
        if (kind.new is not None) is not (model in created):
            yield f"{FILE}, KINDS: `new` of {model.__name__} has a form if the panel can create one, and None if not"
        if model in created and free_texts(model) and not kind.hostile:
            yield f"{FILE}, KINDS: name in `hostile` of {model.__name__} the values of a record whose texts hold code"


def _names() -> Iterator[str]:
    """Names of columns that no entity has."""
    known = {column.key for model in KINDS for column in model.__table__.columns}
    yield from (f"{FILE}, TEXTS: remove “{key}”, which no entity has" for key in sorted(TEXTS.keys() - known))
    yield from (f"{FILE}, KEYS: remove “{key}”, which no entity has" for key in sorted(KEYS - known))


def weak_lines(panel: Panel, dataset: Dataset) -> Iterator[str]:
    """The lines that cover nothing: forms that create and edit nothing, lists without a row, unknown references."""
    yield from _forms(dataset.world)
    yield from _changes(dataset.world)
    yield from _empty_lists(dataset.world)
    yield from _references(panel)


def _forms(world: World) -> Iterator[str]:
    """Forms that create no record when the administrator posts them."""
    for model in {door.model: None for door in over_records("POST", "create")}:
        values = as_values(model, new_form(model, world))
        done = dry_run(world, "ada", lambda scope, m=model, v=values: create_update.create(scope, m, v))
        if bool(done.ids) is KINDS[model].is_taken:
            yield f"{FILE}, KINDS: the form `new` of {model.__name__} creates no record: {_why(done.answer)}"


_TRIED = 2
"""Maximum number of records that are edited, because the first role of a person is the administrator's own."""


def _changes(world: World) -> Iterator[str]:
    """Changes that edit no record when the administrator posts them."""
    ada = Oracle(world, "ada")
    for model in {door.model: None for door in over_records("POST", "edit")}:
        values = as_values(model, KINDS[model].change)
        tried = [
            dry_run(world, "ada", lambda scope, m=model, i=id, v=values: create_update.update(scope, m, i, v))
            for id in sorted(ada.ids(model, "edit") - ada.deleted(model))[:_TRIED]
        ]
        if tried and not any(done.ids for done in tried):
            yield f"{FILE}, KINDS: `change` of {model.__name__} edits no record: {_why(tried[-1].answer)}"


def _why(answer: object) -> str:
    return answer.say("en") if isinstance(answer, Refusal) else "`is_taken` says that it must not"


def _empty_lists(world: World) -> Iterator[str]:
    for door in over_records("GET", "list"):
        binned, where = bool(door.view.binned), "`records` and `deleted`" if door.view.binned else "`records`"
        rows = [row for row in world.rows(door.model) if (row.get("deleted_at") is not None) is binned]
        if not rows:
            yield f"{FILE}, KINDS: name in {where} of {door.model.__name__} a record for {door.path}, which is empty"


def _references(panel: Panel) -> Iterator[str]:
    """Every input of a form that searches for a record is one that the sweep fills with hidden records."""
    for door in over_records("GET", "create"):
        page = panel.of("ada").get(door.path).text
        searched = re.findall(r'<select[^>]* data-lookup="[^"]*"[^>]* name="(\w+)"', page)
        for key in sorted({*searched} - pointers(door.model).keys()):
            yield f"{FILE}, KINDS: name in `pointers` of {door.model.__name__} the entity that “{key}” points to"
