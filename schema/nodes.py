"""Nodes: `node` and `nodes` answer every id with the one type that it belongs to, under the rights of that type.

Records are read by the compiler, one statement for all of a type.  What is not read from a table by the compiler, such
as jobs and exports, declares a reader with `@node`, which reads what the caller may see of several ids at once.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from graphql import FieldNode, GraphQLError

from models import Base, Customer
from models.errors import Refusal, Validation
from resolvers.pool.view_limit import closed_among, open_page
from resolvers.runtime.ids import global_id, parts_of, prefix_of
from resolvers.runtime.merged_records import merges, winners_of
from resolvers.runtime.scope import Scope

from .contract import Context, query
from .opening import by_post
from .plan.reader import Reader
from .plan.shape import kind_of
from .roots import PARTLY_COMPILED, ROOTS, model_of
from .types.make import stub

MOST = 100
"""Maximum number of ids of one `nodes`."""
Read = Callable[[Scope, Sequence[int]], Awaitable[Mapping[int, Any]]]
READERS: dict[str, Read] = {}
"""Prefix of ids -> the reader of their objects, by number; what the caller may not see is missing."""


def node(of: type[Base] | str) -> Callable[[Read], Read]:
    """Declare the reader of the objects whose ids have the prefix of this model, or this prefix."""

    def declare(read: Read) -> Read:
        return READERS.setdefault(of if isinstance(of, str) else prefix_of(of), read)

    return declare


async def read_node(context: Context, id: str) -> Any:
    """The object of an id whose prefix has a reader; None where it is missing or out of sight."""
    prefix, number = parts_of(id)
    return (await READERS[prefix](context.scope, [number])).get(number)


def has_reader(id: object) -> bool:
    """Whether an id belongs to a reader, and not to the compiler."""
    return parts_of(id)[0] in READERS


async def resolve_nodes(_root: Any, info: Any, ids: Sequence[str]) -> list[Any]:
    """The objects of the ids in their order, None for what is missing or out of sight, a refusal for a closed page."""
    if len(ids) > MOST:
        raise Validation(
            f"At most {MOST} ids in one request: there are {len(ids)}.",
            f"一次最多查询 {MOST} 个 ID，当前为 {len(ids)} 个。",
            field="ids",
        )
    found: dict[tuple[str, int], Any] = {}
    wanted = [parts_of(id) for id in ids]
    for prefix in dict.fromkeys(prefix for prefix, _ in wanted):
        numbers = list(dict.fromkeys(number for it, number in wanted if it == prefix and number))
        model = model_of(f"{prefix}_")
        if prefix in READERS:
            read = await READERS[prefix](info.context.scope, numbers)
        else:
            read = await _records(info, model, numbers) if model is not None else {}
        found.update({(prefix, number): value for number, value in read.items()})
    return [found.get(pair) for pair in wanted]


async def _records(info: Any, model: type[Base], ids: Sequence[int]) -> dict[int, Any]:
    """Id -> the record as a compiled row; for one that was merged, the record that it became part of."""
    scope, nodes = info.context.scope, info.field_nodes
    stands = await scope.read(winners_of, model, ids) if merges(model) else {}
    now = list(dict.fromkeys(stands.get(id, id) for id in ids))
    refused = await _opened(info.context.reader, now) if model is Customer else {}
    rows = await info.context.reader.records(kind_of(model), nodes, [id for id in now if id not in refused])
    by_id: dict[int, Any] = {**refused, **{row["~id"]: {**row, "~type": kind_of(model).name} for row in rows}}
    return {id: by_id[stands.get(id, id)] for id in ids if stands.get(id, id) in by_id}


async def _opened(reader: Reader, ids: Sequence[int]) -> dict[int, Refusal | GraphQLError]:
    """Count the pages of pooled customers that have to be counted; id -> why a page stays closed."""
    scope, refused = reader.scope, dict[int, Refusal | GraphQLError]()
    for id in await scope.read(closed_among, ids):
        if reader.is_safe:
            refused[id] = by_post()
            continue
        try:
            await scope.run(open_page, id)
        except Refusal as refusal:
            refusal.record_id = global_id(Customer, id)
            refused[id] = refusal
    return refused


query("system.node")(
    stub(
        "nodes",
        {"ids": "List[ID]", "return": "List[Optional[Node]]"},
        f"Up to {MOST} objects by their ids, in the order of the ids: null for what is missing or out of sight.",
    )
)


def _choose(operation: Any, nodes: Sequence[FieldNode]) -> Any:
    """The compiler of `node`; None for an id whose object a reader reads."""
    try:
        id = operation.arguments("Query", nodes[0])["id"]
    except GraphQLError:
        return None  # execution says of this field what is wrong with its id
    return None if has_reader(id) else ROOTS["node"]


PARTLY_COMPILED["node"] = _choose
