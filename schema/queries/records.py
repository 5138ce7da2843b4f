"""The root fields that are read by one compiled statement: a list and a record of every type, `node`, the locked, who one is."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from graphql import FieldNode
from sqlalchemy import ColumnElement, null, true

from models import ENTITIES, AuditEntry, Base, Customer, Entity, User
from models.errors import Validation
from resolvers.reading.clauses import in_bin
from resolvers.reading.provenance import derive
from resolvers.runtime.ids import BY_PREFIX, number_of

from ..contract import declare
from ..plan.compile import Compiler
from ..plan.dialect import key
from ..plan.reader import Root
from ..plan.selection import Asked
from ..plan.shape import KINDS, SHAPES, kind_of, name_of, plural, singular
from ..types import derive as types

Value = ColumnElement[Any]
Nodes = Sequence[FieldNode]

ROOTS: dict[str, Root] = {}
"""Query field -> its compiler.  What is not here is answered by a resolver in Python, `me` where it has to be."""


def derive_queries() -> dict[str, Any]:
    """Every compiled query field by its Python name."""
    made: dict[str, Any] = {}
    for model in ENTITIES:
        made |= _list(model) | _record(model)
    made |= _list(AuditEntry) | _node() | _locked()
    return made


# --- fields ----------------------------------------------------------------------------------------------


def _list(model: type[Base]) -> dict[str, Any]:
    annotations = {**types.list_arguments(model), "return": f"{name_of(model)}Connection"}
    if issubclass(model, Entity):
        annotations["bin"] = "Optional[bool]"
    doc = f"The {plural(model)} that you may see; with `bin` those in the recycle bin."
    return _query(plural(model), f"{model.module}.view", annotations, doc, partial(_page, model))


def _record(model: type[Entity]) -> dict[str, Any]:
    annotations: dict[str, Any] = {"id": "Optional[ID]", "return": f"Optional[{name_of(model)}]"}
    if "number" in model.__table__.c:
        annotations = {"id": "Optional[ID]", "number": "Optional[str]", "return": f"Optional[{name_of(model)}]"}
    elif not model.singleton:
        annotations["id"] = "ID"
    doc = "One record, null when it is missing or out of sight."
    return _query(singular(model), f"{model.module}.view", annotations, doc, partial(_one, model))


def _node() -> dict[str, Any]:
    annotations = {"id": "ID", "return": "Optional[Node]"}
    return _query("node", "system.node", annotations, "Anything by its id, under the rights of its kind.", _any)


def _query(name: str, action: str, annotations: dict[str, Any], doc: str, root: Root) -> dict[str, Any]:
    declare(name, action)
    ROOTS[name] = root
    return {types.key_of(name): types.stub_field(name, annotations, doc)}


# --- what they compile to --------------------------------------------------------------------------------


def _page(model: type[Base], compiler: Compiler, nodes: Nodes, given: Mapping[str, Any]) -> Value:
    wanted = bool(given.get("bin"))
    where: Callable[[Any], Value] = lambda c: in_bin(model, c, wanted=wanted)  # noqa: E731
    return compiler.list("Query", kind_of(model), nodes, where)


def _one(model: type[Entity], compiler: Compiler, nodes: Nodes, given: Mapping[str, Any]) -> Value:
    id, number = given.get("id"), given.get("number")
    if (id is None) == (number is None) and not model.singleton:
        raise Validation("Give an id or a number.", "请提供 id 或 number。", field="id")
    if id is None and number is None:
        return compiler.record(kind_of(model), nodes, lambda _: true())
    if number is not None:
        return compiler.record(kind_of(model), nodes, lambda c: c.number == number)
    return compiler.record(kind_of(model), nodes, lambda c: c.id == derive(id, partial(number_of, model)))


def _any(compiler: Compiler, nodes: Nodes, given: Mapping[str, Any]) -> Value:
    model = model_of(given["id"])
    if model is None:
        return null()
    return compiler.record(kind_of(model), nodes, lambda c: c.id == derive(given["id"], partial(number_of, model)))


def root_of(asked: Asked, nodes: Nodes) -> Root | None:
    """What compiles a root field as it is asked here; None where it needs Python."""
    name = nodes[0].name.value
    if name == "me":
        about = {group[0].name.value for group in asked.below("Me", nodes).values()}
        return _me if about <= {"user", "__typename"} else None
    return ROOTS.get(name)


def _me(compiler: Compiler, nodes: Nodes, _given: Mapping[str, Any]) -> Value:
    """Who asks, and no figures about him: those are counted in Python."""
    mine = compiler.viewer.person.id
    pairs: list[tuple[str, Value]] = []
    for name, group in compiler.asked.below("Me", nodes).items():
        if group[0].name.value == "__typename":
            pairs.append((name, key("Me")))
        else:
            pairs.append((name, compiler.record(kind_of(User), group, lambda c: c.id == mine)))
    return compiler.dialect.pairs(pairs)


def kind_at(name: str, given: Mapping[str, Any]) -> str:
    """What decides about the statement of a root field beside its text: the kind of an id that may be of any."""
    model = model_of(given["id"]) if name == "node" else None
    return name_of(model) if model is not None else ""


def model_of(id: str) -> type[Base] | None:
    """The model whose ids look like this one."""
    model = BY_PREFIX.get(id.partition("_")[0])
    return model if model in SHAPES else None


def _locked() -> dict[str, Any]:
    annotations = {**types.PAGED, "return": "LockedCustomerConnection"}
    doc = "The locked customers that you may unlock, seen or not."
    return _query("lockedCustomers", "customer.unlock", annotations, doc, _locked_page)


def _locked_page(compiler: Compiler, nodes: Nodes, _given: Mapping[str, Any]) -> Value:
    return compiler.list("Query", KINDS["LockedCustomer"], nodes, lambda c: in_bin(Customer, c, wanted=False))
