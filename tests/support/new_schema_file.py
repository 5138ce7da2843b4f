"""What becomes of a new file in `schema/`: run as a script with a folder, because a process builds its schema once.

Prints one JSON object: case -> the field as the SDL shows it, or the sentence that stopped the start.
"""

import json
import os
import re
import sys
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[0] = str(ROOT)  # in place of this folder, whose `graphql` is not the library

from schema import build  # noqa: E402
from schema.registration import load  # noqa: E402

_DESCRIPTION = re.compile(r'"""(?:\\"""|.)*?"""', re.DOTALL)
_FIELD = re.compile(r"closeTicket[^:]*?(?:\(.*?\))?: [\w!\[\]]+")
HEAD = """
import strawberry
from schema.contract import DonePayload, GraphQLInfo, mutation, query
"""
CASES = {
    "a mutation with a right": (
        "schema.mutations",
        '@mutation("customer.claim")\nasync def close_ticket(info: GraphQLInfo, id: strawberry.ID) -> DonePayload: ...',
    ),
    "a query outside of queries": (
        "schema.types",
        '@query("customer.view")\nasync def close_ticket(info: GraphQLInfo) -> int: ...',
    ),
    "a field without a right": (
        "schema.mutations",
        "@strawberry.mutation\nasync def close_ticket(info: GraphQLInfo) -> DonePayload: ...",
    ),
    "a right that is none": (
        "schema.mutations",
        '@mutation("ticket")\nasync def close_ticket(info: GraphQLInfo) -> DonePayload: ...',
    ),
    "a right that nobody can hold": (
        "schema.mutations",
        '@mutation("customer.close")\nasync def close_ticket(info: GraphQLInfo) -> DonePayload: ...',
    ),
    "a field that is there already": (
        "schema.mutations",
        '@mutation("customer.claim")\nasync def claim_customers(info: GraphQLInfo) -> DonePayload: ...',
    ),
    "a root type of its own": (
        "schema.mutations",
        "@strawberry.type\nclass Mutation:\n    @strawberry.mutation\n    async def close_ticket(self) -> DonePayload: ...",
    ),
    "a type that no field uses": (
        "schema.queries",
        "@strawberry.input\nclass CloseTicketInput:\n    id: strawberry.ID",
    ),
}


def outcome(folder: Path, package: str, source: str) -> str:
    folder.mkdir()
    (folder / "tickets.py").write_text(HEAD + source, encoding="utf-8")
    import_module(package).__path__.append(str(folder))
    try:
        bare = " ".join(_DESCRIPTION.sub("", build.sdl()).split())
        return next(found[0].replace("( ", "(").replace(" )", ")") for found in _FIELD.finditer(bare))
    except RuntimeError as stopped:
        return str(stopped)


def in_child(folder: Path, package: str, source: str) -> str:
    """The outcome in a child process, so that the next case finds the package as it is."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        with open(writing, "w", encoding="utf-8") as end:
            end.write(outcome(folder, package, source))
        os._exit(0)
    os.close(writing)
    with open(reading, encoding="utf-8") as end:
        said = end.read()
    os.wait()
    return said


if __name__ == "__main__":
    load()
    print(
        json.dumps({name: in_child(Path(sys.argv[1]) / str(n), *case) for n, (name, case) in enumerate(CASES.items())})
    )
