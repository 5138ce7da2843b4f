"""Every place of GraphQL and of the panel that takes a text from a user, generated from the schema and the routes.

A new argument, filter, page or query name joins by itself.  What the generators cannot tell stands in the tables.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLUnionType,
    get_named_type,
    get_nullable_type,
    is_required_argument,
    is_required_input_field,
)
from starlette.datastructures import ImmutableMultiDict, QueryParams

from admin.kit.condition_rows import OPERATORS, WITHOUT_VALUE
from admin.kit.short_json import written
from admin.screens.work.duplicate_forms import WATCHED
from models import Base, Part
from resolvers.reading.condition_fields import SOME, Kind, fields_of, relations_of
from tests.support.graphql import Api
from tests.support.panel import Browser, Door, doors, told

TEXTS = {"String", "ID", "JSON"}
"""The scalars that hold any text."""
NUMBERS = {"Int", "Boolean", "DateTime", "Date", "Decimal", "Float", "Number"}
"""The scalars that hold no phone number."""
MOST_RELATIONS = 2
"""Number of relations in one another that are followed, as from a customer to the points of its contacts."""
AT_ONCE = 13
"""Number of places that one document asks."""
LIVE, PASTED = "/admin/duplicate-check/live", "/admin/duplicate-check"
ASKING = {LIVE, PASTED}
"""The forms of the panel that ask and change nothing."""
IMPORT_STEPS = (
    "read",
    "match",
    "dates",
    "row",
    "skip",
    "fix",
    "results",
    "workbook",
    "go-on",
    "confirm",
    "stop",
    "cancel",
    "undo",
)
"""What the page of an import posts to."""
CHANGES = {
    *("create", "edit", "fact", "restore-field", "do", "views", "export", "change", "merge", "merged/{id}", "paste"),
    *("words/{id}", "merge-words/{id}", "merged-words/{id}"),
    *("preview", "arrange", "kind/{id}"),
    *("files", "files/{id}/remove", "files/{id}/restore"),
    *(
        "/admin/login",
        "/admin/logout",
        "/admin/be-myself",
        "/admin/password",
        "/admin/preferences",
        "/admin/duplicates",
        "/admin/calendar-year",
        "/admin/compose",
        "/admin/opportunity-board/move",
        "/admin/notifications/choices",
        "/admin/notifications/read",
        "/admin/release-rehearsal/switch",
    ),
    *(f"/admin/bulk/{{id}}/{name}" for name in ("undo", "again", "stop", "resume")),
    *(f"/admin/exports/{name}" for name in ("cancel", "delete")),
    *(f"/admin/report/{name}" for name in ("export", "keep", "share", "drop")),
    *(f"/admin/shares/{name}" for name in ("revoke", "change", "ask", "grant", "decline")),
    "/admin/log/export",
    "/admin/imports/new",
    *(f"/admin/imports/{{id}}/{name}" for name in IMPORT_STEPS),
    *(f"/admin/jobs/{name}" for name in ("cancel", "resume", "retry")),
    *(f"/admin/account/{name}" for name in ("language", "password", "token", "revoke")),
    *(
        f"/admin/policy/{name}"
        for name in ["cell", "field", "copy", "line", "lines", "foreign", "discard", "catch-up", "rollback", "activate"]
    ),
}
"""The forms that change something, by their page below a screen or by their path; other tests cover what they tell."""
WITH_PHONES = {"CustomerFilter", "ContactFilter", "ContactPointFilter"}
Path = tuple[str, ...]
Answer = Any
Ask = Callable[[str], Answer]


@dataclass(frozen=True)
class Place:
    """A place and how to ask there."""

    name: str
    ask: Ask


@dataclass(frozen=True)
class Way:
    """A way to put a text into an argument, and how it is called."""

    name: str
    value: Callable[[str], Any]


# --- GraphQL ---------------------------------------------------------------------------------------------


def ways_into(kind: Any, record: str, name: str) -> Iterator[Way]:
    """The ways to put a text into an argument; beside it the name of the record, where an input takes one."""
    named, given = get_named_type(kind), get_nullable_type(kind)
    if isinstance(given, GraphQLList):
        yield from (
            Way(way.name, lambda text, way=way: [way.value(text)]) for way in ways_into(given.of_type, record, name)
        )
    elif isinstance(named, GraphQLScalarType):
        assert named.name in TEXTS | NUMBERS, f"say in {__name__} whether {named.name} can hold a phone number"
        yield from [Way("", lambda text: text)] if named.name in TEXTS else []
    elif isinstance(named, GraphQLInputObjectType) and named.name.endswith("Filter"):
        yield from filtered(named)
    elif isinstance(named, GraphQLInputObjectType):
        needed = filler(kind, record)
        for key, field in named.fields.items():
            for way in ways_into(field.type, record, name):
                beside = [{}, {"name": name}] if "name" in named.fields and key != "name" else [{}]
                for more in beside:
                    called = f".{key}{way.name}{' beside the name' if more else ''}"
                    yield Way(called, lambda text, x=(key, way, more): {**needed, **x[2], x[0]: x[1].value(text)})


def filtered(kind: GraphQLInputObjectType) -> Iterator[Way]:
    """Each field of a record that has phones; of others, and behind a relation, all comparisons as one `or`."""
    if kind.name in WITH_PHONES:
        for key in dict.fromkeys(key for key, _ in compared(kind)):
            yield Way(f".{key}", lambda text, key=key: any_of(kind, text, only=key))
        unlike = [{key: {"ne": None}} for key, how in compared(kind) if how == "ne"]
        yield Way(".ne", lambda text: {"and": [{key: {"ne": text} for key in each} for each in unlike]})
    for how in ("or", "and", "not"):
        yield Way(f".{how}", lambda text, how=how: {how: any_of(kind, text) if how == "not" else [any_of(kind, text)]})
    for key, quantifier, target in related(kind):
        yield Way(
            f".{key}.{quantifier}",
            lambda text, x=(key, quantifier, target): {x[0]: {x[1]: any_of(x[2], text, relations=1)}},
        )


def any_of(kind: GraphQLInputObjectType, text: str, relations: int = 0, only: str = "") -> dict[str, Any]:
    """The condition that some text of a record, or of what hangs on it, is like this one; `only`: of this field."""
    own = [{key: {how: _operand(how, text)}} for key, how in compared(kind) if how != "ne" and only in ("", key)]
    others = [
        {key: {quantifier: any_of(target, text)}}
        for key, quantifier, target in (related(kind) if relations else ())
        if quantifier in ("some", "is") and target.name in WITH_PHONES
    ]
    return {"or": [*own, *others]}


def compared(kind: GraphQLInputObjectType) -> Iterator[tuple[str, str]]:
    """(field, operator) of the comparisons of a record with a text."""
    for key, field in kind.fields.items():
        inner = get_named_type(field.type)
        if inner.name in ("StringFilter", "WordFilter"):
            yield from ((key, how) for how, x in inner.fields.items() if get_named_type(x.type).name in TEXTS)


def related(kind: GraphQLInputObjectType) -> Iterator[tuple[str, str, Any]]:
    """(relation, quantifier, filter of its records), without who created or changed a record."""
    for key, field in kind.fields.items():
        inner: Any = get_named_type(field.type)
        if inner.name.endswith(("SomeFilter", "IsFilter")) and not key.endswith("By"):
            yield from ((key, quantifier, get_named_type(x.type)) for quantifier, x in inner.fields.items())


def _operand(operator: str, text: str) -> Any:
    return [text] if operator in ("in", "under") else text


def filler(kind: Any, record: str, called: str = "") -> Any:
    """Some value for what a question needs beside the text; `called`: the name of its argument."""
    kind = get_nullable_type(kind)
    if isinstance(kind, GraphQLList):
        return [filler(kind.of_type, record)]
    if isinstance(kind, GraphQLInputObjectType):
        return {name: filler(x.type, record, name) for name, x in kind.fields.items() if is_required_input_field(x)}
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    return {"ID": record, "Int": 1, "Boolean": True}.get(kind.name, {"entity": "Customer"}.get(called, "view"))


def selection(kind: Any, levels: int = 3) -> str:
    """What a type tells: its values, and those of what it holds."""
    named = get_named_type(kind)
    if isinstance(named, GraphQLUnionType) or not isinstance(named, GraphQLObjectType):
        return " { __typename }" if not isinstance(named, GraphQLScalarType | GraphQLEnumType) else ""
    told = [
        f"{name}{selection(x.type, levels - 1)}"
        for name, x in named.fields.items()
        if not any(is_required_argument(y) for y in x.args.values())
        and name not in ("edges", "can", "node", "myLimits")
        if levels or isinstance(get_named_type(x.type), GraphQLScalarType | GraphQLEnumType)
    ]
    return f" {{ {' '.join(told) or '__typename'} }}"


def told_by(field: GraphQLField) -> str:
    """What a place is compared by: of lists the count and the records in their order, of a record which one it is."""
    named: Any = get_named_type(field.type)
    if named.name.endswith("Connection"):
        return " { totalCount nodes { id } }"
    return " { id }" if isinstance(named, GraphQLObjectType) and "version" in named.fields else selection(named, 1)


def graphql_places(api: Api, login: str, record: str, name: str) -> Iterator[Place]:
    """Every argument of every query that takes a text, and every input in it; `name`: that of the record.

    One document asks for one root in several ways, because a document is compiled once for all texts.
    """
    queries = api.engine.schema.query_type
    assert queries is not None
    for root, field in queries.fields.items():
        for argument, x in field.args.items():
            ways = [*ways_into(x.type, record, name)]
            size = AT_ONCE if get_named_type(x.type).name.endswith("Filter") else 1
            for n in range(0, len(ways), size):
                some = ways[n : n + size]
                named = f"{root}({argument}{some[0].name}{' …' * (len(some) > 1)})"
                yield Place(named, _asked(api, login, root, field, argument, some, record))


def _asked(api: Api, login: str, root: str, field: GraphQLField, argument: str, ways: list[Way], record: str) -> Ask:
    needed = {key: x for key, x in field.args.items() if is_required_argument(x) and key != argument}
    more = "".join(f", {key}: ${key}" for key in needed)
    parts = [f"a{n}: {root}({argument}: $v{n}{more}){told_by(field)}" for n, _ in enumerate(ways)]
    kinds = {f"v{n}": field.args[argument].type for n, _ in enumerate(ways)} | {
        key: x.type for key, x in needed.items()
    }
    query = f"query ({', '.join(f'${key}: {kind}' for key, kind in kinds.items())}) {{ {' '.join(parts)} }}"

    def ask(text: str) -> Answer:
        given = {key: filler(x.type, record, key) for key, x in needed.items()}
        answer = api.answer(login, query, **given, **{f"v{n}": way.value(text) for n, way in enumerate(ways)})
        return {key: value for key, value in answer.items() if key != "kind"}

    return ask


# --- panel -----------------------------------------------------------------------------------------------


@contextmanager
def _names_read() -> Iterator[list[str]]:
    """The names that pages ask of their address meanwhile."""
    names: dict[str, None] = {}

    def noting(method: Any) -> Any:
        def noted(self: Any, key: Any, *more: Any) -> Any:
            if isinstance(self, QueryParams):
                names[str(key)] = None
            return method(self, key, *more)

        return noted

    with pytest.MonkeyPatch.context() as patch:
        for method in ("get", "getlist", "__getitem__", "__contains__"):
            patch.setattr(ImmutableMultiDict, method, noting(getattr(ImmutableMultiDict, method)), raising=False)
        yield (found := [])
    found += names


def addresses(browser: Browser, door: Door, id: str) -> Iterator[Place]:
    """Each name that a page reads from its address."""
    path = door.at(id)
    with _names_read() as names:
        browser.get(path)
    yield from (Place(f"{path}?{name}", partial(_get, browser, path, name)) for name in names)


def _get(browser: Browser, path: str, name: str, text: str) -> Answer:
    return told(browser.get(path, {name: text}))


def conditions(browser: Browser, door: Door) -> Iterator[Place]:
    """The text fields of a list, and of what hangs on its records, in a condition and in the row of the builder."""
    model: type[Base] = door.model
    builder = door.path.replace("/list", "/search")
    asked = {f".{name}": some_text(model, name) for name in texts_in(model)}
    for relation, found in relations_of(model).items():
        inner = some_text(found.target, *texts_in(found.target))
        inner["or"] += [
            {part.name: {SOME: some_text(part.target, *texts_in(part.target))}}
            for part in relations_of(found.target).values()
            if issubclass(part.target, Part)
        ]
        if inner["or"] and not relation.endswith("By"):
            asked |= {f".{relation}.{how}": {relation: {how: inner}} for how in found.operators}
    for called, condition in asked.items():
        yield Place(f"{door.path}?c{called}", partial(_narrowed, browser, door.path, condition))
    for name in texts_in(model):
        row = {"g-how": "all", "g-0-f": name, "g-0-o": "contains", "do": "apply"}
        yield Place(f"{builder}?{name}", partial(_built, browser, builder, row))


def texts_in(model: type[Base]) -> list[str]:
    return [name for name, field in fields_of(model).items() if field.kind is Kind.TEXT]


def some_text(model: type[Base], *names: str) -> dict[str, Any]:
    """The condition that one of these fields is like a text, which stands nowhere yet."""
    operators = [how for how in OPERATORS[Kind.TEXT] if how not in WITHOUT_VALUE and how != "ne"]
    return {"or": [{name: {how: None}} for name, how in product(names, operators)]}


def _narrowed(browser: Browser, path: str, condition: Any, text: str) -> Answer:
    return told(browser.get(path, {"c": written(_with(condition, text))}))


def _with(condition: Any, text: str) -> Any:
    match condition:
        case None:
            return text
        case list():
            return [_with(each, text) for each in condition]
        case _:
            return {key: _with(each, text) for key, each in condition.items()}


def _built(browser: Browser, path: str, row: dict[str, str], text: str) -> Answer:
    return told(browser.get(path, {**row, "g-0-v": text}))


def forms(browser: Browser, customer: str, name: str) -> Iterator[Place]:
    """The inputs of the pages that look for duplicates, each alone and beside the name of the record."""
    for beside, called in (("", ""), (name, " beside the name")):
        for module, key in product(("customer", "contact"), WATCHED):
            at = customer if module == "contact" else ""
            given = {"module": module, "name": beside, "customer_id": at, "points-kind": "PHONE"}
            yield Place(f"{LIVE} {module} {key}{called}", partial(_posted, browser, LIVE, given, key, ""))
        yield Place(f"{PASTED} table{called}", partial(_posted, browser, PASTED, {}, "table", f"{beside}\t"))


def _posted(browser: Browser, path: str, given: dict[str, str], key: str, before: str, text: str) -> Answer:
    return told(browser.post(path, {**given, key: before + text}))


def not_covered() -> list[str]:
    """The doors that take a form and are neither asked here nor known to change something."""
    return [str(door) for door in doors() if door.method == "POST" and door.path not in ASKING and not changes(door)]


def changes(door: Door) -> bool:
    """Whether a form is a change, which `graphql/test_secrecy.py` and the sweep of the panel cover."""
    page = (
        "do"
        if door.page.startswith("do/")
        else door.path.removeprefix(f"/admin/{door.view.identity}/")
        if door.view
        else ""
    )
    return page.removesuffix("/{id}") in CHANGES or page in CHANGES or door.path in CHANGES
