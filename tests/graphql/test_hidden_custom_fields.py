"""A hidden custom field reaches nobody: generated over types, kinds, doors and ways of hiding.

Each field holds a canary.  Everything that a caller is answered is searched for it, and what a filter or an order by the
hidden field answers must not depend on the value.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from models import Contact, Customer, Entity, FollowUp, Opportunity
from models.custom_field import CustomKind
from models.errors import Validation
from resolvers.audit import history
from resolvers.audit.history import Wanted
from resolvers.reading.pages import ListRequest, page
from resolvers.records import create_update
from resolvers.records.form_schema import form_schema
from resolvers.runtime.ids import global_id
from tests.graphql.test_custom_fields import ALL
from tests.support.custom_fields import define, options, with_lines
from tests.support.exporting import Exports
from tests.support.graphql import Api
from tests.support.world import START, World

MODELS: Mapping[type[Entity], str] = {
    Customer: "customer",
    Contact: "contact",
    Opportunity: "opportunity",
    FollowUp: "followUp",
}
CANARY = "Zqxj"
KINDS: Mapping[CustomKind, tuple[Any, str]] = {
    CustomKind.TEXT: (CANARY, CANARY),
    CustomKind.LONG_TEXT: (f"{CANARY}\nmore", CANARY),
    CustomKind.EMAIL: (f"{CANARY}@example.com", CANARY),
    CustomKind.LINK: (f"https://{CANARY}.example", CANARY),
    CustomKind.SINGLE_CHOICE: ("great", "great"),
    CustomKind.MULTIPLE_CHOICE: (["great"], "great"),
}
"""Kind -> (a value, what betrays it)."""
HIDING: Mapping[str, str] = {
    "from the role": "p, sales, {object}, view, all, any, deny",
    "from everybody": "p, *, {object}, view, all, any, deny",
    "in own records": "p, sales, {object}, view, own, any, deny",
}

PREVIEW = (
    '{ bulkPreview(input: {%s: {ids: ["%s"], set: {custom: [{key: "secret_text", text: "other"}]}}}) '
    "{ preview { samples { values { field label before after } } refused { problem { message params } } } "
    "problems { message params } } }"
)
"""A change of the hidden field, whose samples would show what it holds."""


class Hidden:
    """A world in which each type has one hidden field of each kind, with a record that holds the canaries and one without."""

    def __init__(self, world: World, line: str, *further: str) -> None:
        self.world, self.api = world, Api(world)
        options(world)
        lines = []
        for model in MODELS:
            for kind in KINDS:
                define(world, f"secret_{kind.value.lower()}", kind, model.module, label_en=f"Label{CANARY}")
                lines.append(line.format(object=f"{model.module}.custom.secret_{kind.value.lower()}"))
        values = {f"custom.secret_{kind.value.lower()}": value for kind, (value, _) in KINDS.items()}
        customer = world.customer("Acme", "li", **values)
        plain = world.customer("Bare", "li")
        about: dict[type[Entity], dict[str, Any]] = {
            Contact: {"name": "Ann"},
            Opportunity: {"name": "Deal"},
            FollowUp: {"kind": "CALL", "content": "Talk", "happened_at": START},
        }
        self.ids: dict[type[Entity], tuple[int, int]] = {Customer: (customer, plain)}
        for model, more in about.items():
            made = [world.make(model, customer_id=customer, **more, **held) for held in (values, {})]
            self.ids[model] = made[0], made[1]
        for model, (id, _) in self.ids.items():  # a change, so that the log names the values a second time
            changed = dict.fromkeys(values)
            world.system.do(create_update.update, model, id, changed)
            world.system.do(create_update.update, model, id, values)
        with_lines(world, *lines, *further)

    def doors(self) -> Iterator[tuple[str, Callable[[str], Any]]]:
        """(name, what a caller is answered there)."""
        for model, name in MODELS.items():
            id = global_id(model, self.ids[model][0])
            lists = f"{name}s" if name != "opportunity" else "opportunities"
            keys = json.dumps([f"secret_{kind.value.lower()}" for kind in KINDS])
            label = "name" if model is not FollowUp else "content"
            yield f"{name}: output", self.asks(f'{{ {name}(id: "{id}") {{ {label} custom {{ {ALL} }} }} }}')
            yield (
                f"{name}: output by key",
                self.asks(f'{{ {name}(id: "{id}") {{ custom(keys: {keys}) {{ {ALL} }} }} }}'),
            )
            yield f"{name}: list", self.asks(f"{{ {lists} {{ nodes {{ {label} custom {{ {ALL} }} }} }} }}")
            changes = "history { nodes { changes { field old new } } }"
            yield f"{name}: history", self.asks(f'{{ {name}(id: "{id}") {{ {changes} }} }}')
            yield f"{name}: history in words", self.reads(history.of_record, model, self.ids[model][0])
            at = self.world.clock.now.isoformat()
            past = "fields { field value name now nameNow }"
            yield f"{name}: as it was", self.asks(f'{{ recordAsOf(id: "{id}", at: "{at}") {{ {past} }} }}')
            yield f"{name}: bulk preview", self.asks(PREVIEW % (lists, id))
            for action in ("create", "edit"):
                yield f"{name}: form to {action}", self.fields_of_form(model, action)
        yield "search", self.asks(f'{{ customers(search: "{CANARY}") {{ nodes {{ name }} }} }}')
        yield "log", self.asks("{ auditEntries { nodes { changes { field old new } } } }")
        yield "log in words", self.reads(history.log, Wanted())

    def asks(self, query: str) -> Callable[[str], Any]:
        return lambda login: self.api.answer(login, query).get("data")

    def reads(self, reading: Callable[..., Any], *args: Any) -> Callable[[str], Any]:
        def read(login: str) -> Any:
            scope = self.world.scope(login)
            try:
                return repr(self.world.run(scope.read(reading, *args)))
            except Exception as refusal:  # noqa: BLE001  whatever is refused tells nothing but its sentence
                return str(refusal)

        return read

    def fields_of_form(self, model: type[Entity], action: str) -> Callable[[str], Any]:
        def fields(login: str) -> Any:
            scope = self.world.scope(login)
            return [x.key for x in self.world.run(scope.read(form_schema, model.__name__, action))]

        return fields


@pytest.mark.sampled(sqlite=2, postgresql=1)
@pytest.mark.parametrize("how", HIDING)
def test_a_hidden_custom_field_reaches_nobody(world: World, how: str) -> None:
    hidden = Hidden(world, HIDING[how])
    is_partial = how == "in own records"

    for name, door in hidden.doors():
        answered = json.dumps(door("li"), default=str)
        betrayals = [CANARY, "great"] if not is_partial else ["@example.com", f"{CANARY}.example", "great"]
        found = [x for x in betrayals if x in answered and not (is_partial and "form" in name)]
        assert not found, (how, name, found, answered[:600])
        if how == "from the role" and "history" not in name and "search" not in name and "form" not in name:
            assert CANARY in json.dumps(door("ada"), default=str), name  # who may see it is told


@pytest.mark.parametrize("how", HIDING)
def test_neither_filter_nor_order_tells_of_a_hidden_field(world: World, how: str) -> None:
    hidden = Hidden(world, HIDING[how])
    scope = world.li
    for model in MODELS:
        for kind, (value, _) in KINDS.items():
            word = f"custom.secret_{kind.value.lower()}"
            operand = value[0] if isinstance(value, list) else value
            for asked in ({"eq": operand}, {"isNull": False}, {"in": [operand]}):
                assert found(world, scope, model, condition={word: asked}) in ([], None), (model, kind, asked)
            if kind in (CustomKind.LONG_TEXT, CustomKind.MULTIPLE_CHOICE):
                continue
            up, down = (found(world, scope, model, order=((word, way),)) for way in (False, True))
            assert up == (down[::-1] if down is not None else None), (model, kind)  # all are empty: the id decides
            if up is not None:
                assert set(up) >= set(hidden.ids[model])


def found(world: World, scope: Any, model: type[Entity], **asked: Any) -> list[int] | None:
    """The ids of a list, None where it is refused as if there were no such field."""
    try:
        rows = world.run(scope.read(page, ListRequest(model, ("id",), **asked)))
    except Validation as refusal:
        if "no custom field" in refusal.say("en") or "knows no field “custom." in refusal.say("en"):
            return None
        raise
    return [row.id for row in rows.rows]


@pytest.mark.parametrize("how", HIDING)
def test_no_file_tells_of_a_hidden_field(world: World, how: str, tmp_path: Path) -> None:
    exports = (f"p, sales, {model.module}, export, all, any, allow" for model in MODELS)
    Hidden(world, HIDING[how], *exports)
    exporting = Exports(world, tmp_path)
    keys = [f"custom.secret_{kind.value.lower()}" for kind in KINDS]
    for model in MODELS:
        columns = ["name" if model is not FollowUp else "content", *keys]
        told = {x: json.dumps(exporting.made(x, model, columns=columns), default=str) for x in ("li", "ada")}
        assert f"{CANARY}@example.com" not in told["li"], (model, told["li"])
        assert (f"{CANARY}@example.com" in told["ada"]) is (how != "from everybody"), (model, told["ada"])


def test_neither_inputs_nor_conflicts_tell_of_a_hidden_field(world: World) -> None:
    hidden = Hidden(world, HIDING["from the role"])
    for model, (id, _) in hidden.ids.items():
        if model is FollowUp:  # which sales users do not edit at all
            continue
        for word in ("custom.secret_text", "custom.nothing"):
            with pytest.raises(Exception, match=f"no custom field “{word[7:]}”"):
                world.li.do(create_update.update, model, id, {word: "x"}, 1)
