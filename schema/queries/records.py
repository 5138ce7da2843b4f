"""The compiled queries of records: a list and a record of every type, the operation log, and `node`."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from graphql import FieldNode
from sqlalchemy import and_, null, true

from models import ENTITIES, AuditEntry, Base, Customer, Entity
from models.errors import Validation
from resolvers.pool.view_limit import is_open
from resolvers.reading.clauses import in_bin, number_is
from resolvers.reading.provenance import map_traced
from resolvers.runtime.ids import number_of
from resolvers.runtime.merged_records import merges, stays_as

from ..column_docs import default_order
from ..contract import derived
from ..past_rows import PAST
from ..plan.compile import Compiler
from ..plan.dialect import Value
from ..plan.reader import CompileRoot
from ..plan.selection import Operation
from ..plan.shape import kind_of, name_of, plural, singular
from ..roots import PARTLY_COMPILED, compiled_query, model_of
from ..types import derive

Nodes = Sequence[FieldNode]
Arguments = Mapping[str, Any]


@derived
def declare_queries() -> None:
    for model in ENTITIES:
        _list(model)
        _record(model)
    _list(AuditEntry)


def _list(model: type[Base]) -> None:
    annotations = {**derive.list_arguments(model), "return": f"Optional[{name_of(model)}Connection]"}
    if issubclass(model, Entity):
        annotations["bin"] = "Optional[bool]"
    doc = f"The {_nouns(model)} that you may see, in pages; with `bin` those in the recycle bin. {default_order(model)}"
    compiled_query(plural(model), f"{model.module}.view", annotations, doc, partial(_compile_list, model))


def _nouns(model: type[Base]) -> str:
    return model.names.nouns if issubclass(model, Entity) else "entries of the operation log"


def _record(model: type[Entity]) -> None:
    annotations: dict[str, Any] = {"id": "Optional[ID]", "return": f"Optional[{name_of(model)}]"}
    if "number" in model.__table__.c:
        annotations = {"id": "Optional[ID]", "number": "Optional[str]", "return": f"Optional[{name_of(model)}]"}
    elif not model.singleton:
        annotations["id"] = "ID"
    doc = f"One {model.names.noun}; null when it is missing or out of your sight, which look alike."
    if singular(model) in PAST:
        annotations["as_of"] = "Optional[datetime]"
        doc = f"{doc}  With `asOf` as it was at that moment: its own fields, and the records that it referred to."
        PARTLY_COMPILED[singular(model)] = partial(_choose_record, partial(_compile_record, model))
    compiled_query(singular(model), f"{model.module}.view", annotations, doc, partial(_compile_record, model))


def _choose_record(compile: CompileRoot, operation: Operation, nodes: Nodes) -> CompileRoot | None:
    """The compiler of a record; None where a moment is given, whose values the statement does not have."""
    return compile if operation.arguments("Query", nodes[0]).get("asOf") is None else None


def _compile_list(model: type[Base], compiler: Compiler, nodes: Nodes, arguments: Arguments) -> Value:
    wanted = bool(arguments.get("bin"))
    where: Callable[[Any], Value] = lambda c: in_bin(model, c, wanted=wanted)  # noqa: E731
    return compiler.list("Query", kind_of(model), nodes, where)


def _compile_record(model: type[Entity], compiler: Compiler, nodes: Nodes, arguments: Arguments) -> Value:
    id, number = arguments.get("id"), arguments.get("number")
    if (id is None) == (number is None) and not model.singleton:
        raise Validation("Give an id or a number.", "请提供 id 或 number。", field="id")
    if id is None and number is None:
        return compiler.record(kind_of(model), nodes, lambda _: true())
    if number is not None:
        return compiler.record(kind_of(model), nodes, _shown(model, compiler, lambda c: number_is(model, c, number)))
    return compiler.record(kind_of(model), nodes, _shown(model, compiler, partial(_has_id, model, id)))


def _shown(model: type[Base], compiler: Compiler, is_it: Callable[[Any], Value]) -> Callable[[Any], Value]:
    """Condition: it is the record, and its page is open to the viewer today (`schema/opening.py`)."""
    return (lambda c: and_(is_it(c), is_open(compiler.viewer, c))) if model is Customer else is_it


def _has_id(model: type[Base], id: Any, c: Any) -> Value:
    """Condition: the record has this id, or the one with it became part of the record."""
    number = map_traced(id, partial(number_of, model))
    stands: Value = stays_as(model, number) if merges(model) else number
    return c.id == stands  # type: ignore[no-any-return]  # a row source has columns of any type


def _compile_node(compiler: Compiler, nodes: Nodes, arguments: Arguments) -> Value:
    model, id = model_of(arguments["id"]), arguments["id"]
    if model is None:
        return null()
    return compiler.record(kind_of(model), nodes, _shown(model, compiler, partial(_has_id, model, id)))


compiled_query(
    "node",
    "system.node",
    {"id": "ID", "return": "Optional[Node]"},
    "Anything by its id, under the rights of its kind.",
    _compile_node,
)
