"""`formSchema` tells the truth: forms that are filled in by it alone are accepted, and what it rules out is refused."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from models import (
    ENTITIES,
    CustomerStage,
    CustomField,
    Dictionary,
    DictionaryItem,
    DuplicateRule,
    Entity,
    Pipeline,
    PipelineStage,
)
from resolvers.reading.condition_fields import plural
from resolvers.records import create_update
from schema.closed_lists import KINDS_OF_RECORDS, entity_of
from tests.support.custom_fields import refresh
from tests.support.graphql import Api
from tests.support.world import PEOPLE, World

FORM = """query ($entity: EntityName!, $action: FormAction!, $id: ID) { formSchema(entity: $entity, action: $action, recordId: $id) {
  name type required requiredWhen { all { field values } } oneOf excludes visible editable length min max decimals earliest latest maxItems
  default choices options { value } reference kindIn customKey } }"""
MADE = tuple(model for model in ENTITIES if not model.singleton)
Form = Mapping[str, dict[str, Any]]
Values = dict[str, Any]


SAMPLES: Mapping[str, Callable[[int], Any]] = {
    "LONG_TEXT": "Words {}".format,
    "YES_NO": lambda _: True,
    "DATE": lambda number: f"2026-11-{number % 20 + 1:02}",
    "TIME": lambda _: "2026-11-25T09:30:00Z",
    "POINTS": lambda number: [{"kind": "PHONE", "value": f"1380013{number:04}"}],
    "OPTIONS": lambda number: [{"labelEn": f"Option {number}", "labelZh": f"选项{number}"}],
    "CONDITION": lambda _: '{"stage": {"eq": "early"}}',
    "LIST": lambda _: [],
    "EMAIL": "a{}@example.com".format,
    "PHONE": "1380013{:04}".format,
    "LINK": "https://example.com/{}".format,
}
"""Type of a field -> a value of it."""


class Filler:
    """Fills in forms as a front end would that knows nothing but `formSchema` and the records that its user sees."""

    def __init__(self, world: World) -> None:
        self.api, self._numbers = Api(world), count(10)

    def form(self, login: str, model: type[Entity], action: str = "CREATE", id: str | None = None) -> Form | None:
        """The fields by name; None where the form is refused."""
        answer = self.api.answer(login, FORM, entity=entity_of(model).name, action=action, id=id)
        data = answer.get("data") or {}
        return {x["name"]: x for x in data["formSchema"]} if data.get("formSchema") else None

    def needed(self, login: str, form: Form, wanted: Sequence[str] = ()) -> Values:
        """Values for the fields that a new record needs, with `wanted` ones beside them."""
        names = [name for name, x in form.items() if x["required"]] + [*wanted]
        values: Values = {}
        while names:
            name = names.pop(0)
            if name not in values:
                values[name] = self.value(login, form[name], values)
            names += [x for x in self._missing(form, values) if x not in values and x not in names]
        return values

    def _missing(self, form: Form, given: Values) -> Iterator[str]:
        values = {name: x["default"] for name, x in form.items() if x["default"] is not None} | given
        for name, x in form.items():
            if x["oneOf"] and given.keys().isdisjoint(x["oneOf"]):
                yield next(other for other in x["oneOf"] if other in form)
            for when in x["requiredWhen"]:
                if all(
                    each["field"] in values and _fits(values[each["field"]], each["values"]) for each in when["all"]
                ):
                    yield name

    def value(self, login: str, x: dict[str, Any], values: Values) -> Any:
        """Some value that the field describes."""
        number, kind = next(self._numbers), x["type"]
        if kind == "RECORD":
            return self.record(
                login, x["reference"] or values[x["kindIn"]], -1 if x["reference"] in ("ROLE", "USER") else 0
            )
        if kind in ("WORD", "WORDS"):
            words = [each["value"] for each in x["options"]][-1:]
            return words if kind == "WORDS" else words[0]
        if kind == "CHOICE":
            return x["choices"][0]
        if kind in ("WHOLE_NUMBER", "AMOUNT", "NUMBER"):
            least = max(Decimal(x["min"]), min(Decimal(x["max"]), Decimal(7)))
            return int(least) if kind == "WHOLE_NUMBER" else str(least)
        if kind in ("DATE", "TIME") and (x["earliest"] or x["latest"]):
            return x["latest"] or x["earliest"]
        if kind == "TEXT":
            return self.text(x, number)
        return SAMPLES[kind](number)

    def text(self, x: dict[str, Any], number: int) -> str:
        """A text in the form that the field's example shows."""
        known = {
            "currency": "CNY",
            "pattern": f"K{number}{{seq:4}}",
            "contactPhone": "13800138000",
            "phone": "021 6888 1234",
        }
        if x["name"].lower().endswith("email"):
            return f"a{number}@example.com"
        return known.get(x["name"], f"w{number}"[: x["length"] or 200])

    def record(self, login: str, entity: str, place: int = 0) -> str:
        """The record of a kind that the user sees at this place of the list: nobody gives roles to themselves."""
        lists = plural(KINDS_OF_RECORDS[entity.lower()])
        nodes = self.api.ask(login, f"{{ {lists}(first: 50) {{ nodes {{ id }} }} }}")[lists]["nodes"]
        if not nodes:
            pytest.fail(f"{login} sees no {entity}")
        found: str = nodes[place]["id"]
        return found

    def submit(self, login: str, model: type[Entity], values: Values, **more: Any) -> tuple[str | None, Any]:
        """(the id, None), or (None, why it was refused)."""
        verb = "update" if more else "create"
        name, field = model.__name__, model.__name__[0].lower() + model.__name__[1:]
        given = {key: value for key, value in values.items() if not key.startswith("custom.")}
        query = (
            f"mutation ($input: {verb.capitalize()}{name}Input!) "
            f"{{ {verb}{name}(input: $input) {{ {field} {{ id }} problems {{ code message field }} }} }}"
        )
        answer = self.api.answer(login, query, input={**given, **more})
        if "errors" in answer:
            return None, answer["errors"]
        payload = answer["data"][f"{verb}{name}"]
        return (payload[field] or {"id": ""})["id"], payload["problems"] or None


def _fits(value: Any, wanted: Sequence[str] | None) -> bool:
    return value is not None and (wanted is None or value in wanted)


@pytest.fixture
def filler(world: World) -> Filler:
    world.customer("Acme", "li")
    world.customer("Stone", pool="north")
    words = world.make(Dictionary, code="opportunity_stage", name="Stages")
    for key in ("offer", "won"):
        world.make(DictionaryItem, dictionary_id=words, key=key, label_en=key, label_zh="报价")
    pipeline = world.make(Pipeline, name="Sales", is_default=True)
    world.make(PipelineStage, pipeline_id=pipeline, stage="offer", required_fields=["amount"])
    world.make(CustomerStage, stage="early", required_fields=["phone"])
    world.make(CustomField, for_module="contact", key="size", kind="TEXT", label_en="Size")
    rules = world.rows(DuplicateRule)
    free = [x["id"] for x in rules if (x["for_module"], x["evidence"]) == ("customer", "REGISTRATION")]
    world.system.do(create_update.delete, DuplicateRule, free)
    refresh(world)
    return Filler(world)


def creatable(filler: Filler, login: str) -> Iterator[tuple[type[Entity], Form]]:
    for model in MADE:
        form = filler.form(login, model)
        if form is not None:
            yield model, form


def accepted(filler: Filler, login: str) -> int:
    """Create a record of every kind that the user may create, by its form alone; returns how many there were."""
    tried = 0
    for model, form in creatable(filler, login):
        values = filler.needed(login, form)
        id, problems = filler.submit(login, model, values)
        assert id, (model.__name__, json.dumps(values), problems)
        tried += 1
    return tried


def refused(filler: Filler, login: str) -> int:
    """Leave out what each form says is needed, one after the other; returns how often that was tried."""
    tried = 0
    for model, form in creatable(filler, login):
        values = filler.needed(login, form)
        for name in values:
            if form[name]["oneOf"] and not form[name]["required"]:
                continue  # another field of the group may stand in for it
            rest = {key: value for key, value in values.items() if key != name}
            id, _ = filler.submit(login, model, rest)
            assert not id, (model.__name__, name, json.dumps(rest))
            tried += 1
    return tried


def closed(filler: Filler, login: str) -> int:
    """Give what each form says is not editable, and another person or pool where that is it; returns how often."""
    tried, others = (
        0,
        {
            "ownerId": f"usr_{filler.api.world.ids['wu' if login == 'mei' else 'mei']}",
            "poolId": f"poo_{filler.api.world.ids['north']}",
        },
    )
    for model, form in creatable(filler, login):
        values = filler.needed(login, form)
        for name, x in form.items():
            if x["editable"] or x["customKey"]:
                continue
            value = others[name] if name in others else filler.value(login, x, values)
            id, _ = filler.submit(login, model, {**values, name: value})
            assert not id, (model.__name__, name, value)
            tried += 1
    return tried


def beyond(filler: Filler, login: str) -> int:
    """Go beyond each limit of each form that the user may set, by one; returns how often that was tried."""
    tried = 0
    for model, form in creatable(filler, login):
        values = filler.needed(login, form)
        for name, x in form.items():
            for value in _beyond(x) if x["editable"] and not x["customKey"] else ():
                id, _ = filler.submit(login, model, {**values, name: value})
                assert not id, (model.__name__, name, str(value)[:40])
                tried += 1
    return tried


def _beyond(x: dict[str, Any]) -> Iterator[Any]:
    if x["length"] and x["type"] in ("TEXT", "LONG_TEXT"):
        yield "x" * (x["length"] + 1)
    if x["type"] == "WHOLE_NUMBER":
        yield from (each for each in (int(Decimal(x["min"])) - 1, int(Decimal(x["max"])) + 1) if abs(each) < 2**31)
    if x["type"] == "AMOUNT":
        yield "1.234"
    if x["type"] == "TIME" and x["latest"]:
        yield from ("1990-01-01T00:00:00Z", "2190-01-01T00:00:00Z")
    if x["maxItems"] and x["type"] == "WORDS":
        yield [f"w{n}" for n in range(x["maxItems"] + 1)]


@pytest.mark.parametrize("login", ["ada", "lead", "li"])
def test_a_form_is_as_it_says(filler: Filler, login: str) -> None:
    assert accepted(filler, login) >= 4
    assert closed(filler, login) >= {"ada": 0, "lead": 0, "li": 2}[login]


@pytest.mark.long
@pytest.mark.parametrize("login", PEOPLE)
@pytest.mark.sampled(sqlite=5, postgresql=2)
def test_every_form_is_as_it_says(filler: Filler, login: str) -> None:
    tried = [check(filler, login) for check in (accepted, refused, closed, beyond)]
    kinds = len([*creatable(filler, login)])
    assert tried[0] == kinds
    assert kinds == 0 or tried[1] > 0, tried


@pytest.mark.long
@pytest.mark.parametrize("login", ["ada", "lead", "li"])
def test_what_a_form_says_may_be_edited_is_taken(filler: Filler, login: str) -> None:
    for model, form in creatable(filler, login):
        id, _ = filler.submit(login, model, filler.needed(login, form))
        fields = filler.form(login, model, "EDIT", id)
        assert fields is not None, (login, model)
        for name, x in fields.items():
            if not x["editable"] or x["customKey"] or x["type"] in ("RECORD", "CONDITION", "CHOICE"):
                continue
            if x["type"] == "WORD" and not x["options"]:
                continue  # there is no word to choose
            one = f"{model.__name__[0].lower()}{model.__name__[1:]}"
            version = filler.api.ask(login, f'{{ {one}(id: "{id}") {{ version }} }}')[one]["version"]
            done, problems = filler.submit(login, model, {name: filler.value(login, x, {})}, id=id, version=version)
            codes = set() if done else {each.get("code") for each in problems or ()}  # else they are remarks
            codes -= {"VALIDATION"} if x["excludes"] else set()  # the record may hold what the form says it excludes
            assert codes <= NOT_NOW.get((model.__name__, name), set()), (login, model.__name__, name, problems)


NOT_NOW: Mapping[tuple[str, str], set[str]] = {
    ("Opportunity", "stage"): {"STAGE_NOT_IN_PIPELINE"},
    ("Opportunity", "closedOn"): {"NOT_OVER"},
    ("Pool", "noticeDays"): {"VALIDATION"},
    ("CustomField", "options"): {"VALIDATION"},
    ("UserRole", "endsAt"): {"VALIDATION"},
    ("ReleaseRule", "noticeDays"): {"VALIDATION"},
    ("Opportunity", "lostReason"): {"NOT_OVER", "NOT_LOST", "VALIDATION"},
}
"""Fields whose value hangs on others of the record: what they are refused with."""
