"""What cells mean, exactly: every combination of words that can be true of a person and a record, as one number.

Twelve words are independent of each other, so a cell is true or false in 4,096 cases: bit *n* of its table is case
*n*.  Two cells are compared by whole-number arithmetic, in microseconds, and a difference comes with a witness.
Branches of dictionaries, of which there may be any number, split a table in two (`tables.py`).  Nothing here is sampled, and nothing looks at data.
"""

from collections.abc import Iterable
from functools import lru_cache, reduce
from operator import and_, or_
from typing import NamedTuple

from .branches import branch_of
from .tables import Split, Table, in_branch, plain
from .words import parts

ATOMS = (
    "own",
    "created",
    "team",
    "subtree",
    "pool",
    "pool_member",
    "pool_admin",
    "shared",
    "shared_edit",
    "locked",
    "in_pool",
    "deleted",
)
"""The words that others are made of; `all`, `any` and `others` need none of their own."""
_IMPLIED = (
    ("pool_admin", "pool_member"),
    ("pool_member", "pool"),
    ("pool", "in_pool"),
    ("shared_edit", "shared"),
    ("team", "subtree"),
)
"""What follows from what by the definition of the words, whatever the data say."""
_STATES = frozenset({"locked", "in_pool", "deleted"})
_CASES = 1 << len(ATOMS)
ALWAYS = (1 << _CASES) - 1
NEVER = 0


def _where_true(place: int) -> int:
    """The cases in which the atom at this place is true: bit *n* is set when bit `place` of *n* is."""
    block = 1 << place
    table, length = ((1 << block) - 1) << block, 2 * block
    while length < _CASES:
        table |= table << length
        length *= 2
    return table


_TRUE = {atom: _where_true(place) for place, atom in enumerate(ATOMS)}
POSSIBLE = reduce(and_, (~_TRUE[word] | _TRUE[wider] for word, wider in _IMPLIED), ALWAYS)
"""The cases that can occur."""


class Rights(NamedTuple):
    """What is left of lines once roles, object and action are known: the pairs of a cell."""

    allow: frozenset[tuple[str, str]]
    deny: frozenset[tuple[str, str]]

    def in_words(self) -> str:
        """`own or shared if !deleted, except others if locked`; `never` where nothing allows."""
        allow, deny = (" or ".join(map(_in_words, sorted(pairs))) for pairs in self)
        return (f"{allow}, except {deny}" if deny else allow) if allow else "never"


@lru_cache(maxsize=4096)
def cases_of_pair(scope: str, when: str) -> Table:
    """The cases in which one line fires."""
    words = (_word(word, is_true=wanted) for word, wanted in [(scope, True), *parts(when)])
    start: Table = POSSIBLE
    return reduce(and_, words, start)


@lru_cache(maxsize=8192)
def cases(allow: frozenset[tuple[str, str]], deny: frozenset[tuple[str, str]]) -> Table:
    """The cases in which a cell says yes."""
    return _any(allow) & ~_any(deny)


def witness(table: Table, within: Table = POSSIBLE) -> tuple[str, ...] | None:
    """Words under which a table says yes, as few as will do: `("own", "!locked")`; None where it never does.

    The empty tuple is: always.  Cases that are not `within` cannot occur, and need no words.
    """
    table &= within
    if not table:
        return None
    said = _simplest(table)
    for word in sorted(said, key=lambda word: not word.startswith("!")):
        fewer = [other for other in said if other != word]
        if not _where_all(fewer, within) & ~table:
            said = fewer
    return tuple(said)


def literal(word: str) -> Table:
    """The cases in which a word, `own` or `!locked`, is true."""
    return _word(word.removeprefix("!"), is_true=not word.startswith("!"))


def settled(table: Table, words: Iterable[tuple[str, bool]]) -> Table:
    """The table of the other words, once these are known to be true or false; as if they were false from then on."""
    for word, is_true in words:
        true = _TRUE[word]
        table = (table & true) >> (1 << ATOMS.index(word)) if is_true else table & ~true
    return table


def any_of(table: Table, word: str) -> Table:
    """The cases in which a table says yes, whether or not this word is true."""
    step, true = 1 << ATOMS.index(word), _TRUE[word]
    return table | (table & true) >> step | (table & ~true & ALWAYS) << step


def asks_who(table: Table) -> bool:
    """Whether a table depends on the person, and not on the state of the record alone."""
    if isinstance(table, Split):
        return asks_who(table.yes) or asks_who(table.no)
    return any(_differs(table, atom) for atom in ATOMS if atom not in _STATES)


# --- steps -----------------------------------------------------------------------------------------------


def _in_words(pair: tuple[str, str]) -> str:
    scope, when = pair
    return scope if when == "any" else f"{scope} if {when}"


def _where_all(words: Iterable[str], within: Table) -> Table:
    return reduce(and_, map(literal, words), within)


def _word(word: str, *, is_true: bool) -> Table:
    if branch_of(word) is not None:
        return in_branch(word, inside=ALWAYS if is_true else NEVER, outside=NEVER if is_true else ALWAYS)
    if word in ("all", "any"):
        table = ALWAYS
    elif word == "others":
        table = ALWAYS & ~_TRUE["own"]
    else:
        table = _TRUE[word]
    return table if is_true else ALWAYS & ~table


def _simplest(split: Table) -> list[str]:
    """The case of a table in which the fewest words hold."""
    table, branches = plain(split)
    said = [branch if inside else f"!{branch}" for branch, inside in reversed(branches.items())]
    for atom in reversed(ATOMS):
        without = table & ~_TRUE[atom]
        said.append(f"!{atom}" if without else atom)
        table = without or table
    return said[::-1]


def _any(pairs: Iterable[tuple[str, str]]) -> Table:
    start: Table = NEVER
    return reduce(or_, (cases_of_pair(scope, when) for scope, when in pairs), start)


def _differs(table: int, atom: str) -> bool:
    """Whether there are two possible cases that differ in this atom alone and in the answer."""
    step, true = 1 << ATOMS.index(atom), _TRUE[atom]
    flipped = (table & true) >> step | (table & ~true & ALWAYS) << step
    both = (POSSIBLE & true) >> step | (POSSIBLE & ~true & ALWAYS) << step
    return bool((table ^ flipped) & POSSIBLE & both)
