"""The questions of a proof: for each line one that it decides, then those just beside, then every kind mixed.

The questions are made from the text of the lines and the meaning of the words.  No cell is looked at, because the cells
are what the proof judges.  The same lines and sets of roles always make the same questions in the same order.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache, reduce
from itertools import islice, product
from operator import or_
from random import Random

from models.pool import GranteeKind
from models.share import ShareLevel

from .branches import branch_of
from .lines import Line, inheritance
from .logic import ATOMS, NEVER, POSSIBLE, cases_of_pair
from .objects import ACTIONS, APART, FIELDS, GROUPS, MODULES
from .principal import Principal, is_system_role
from .tables import Table, at, plain
from .words import Facts, parts

Roles = frozenset[str]
Place = tuple[Roles, str, str]
"""Who asks, about which object, to do what."""

PLACES_TRIED = 200
"""Maximum number of places in which a question is sought that a line decides."""
_CASES = tuple(case for case in range(1 << len(ATOMS)) if POSSIBLE >> case & 1)
"""Every combination of words that can be true of a person and a record."""
Case = tuple[int, frozenset[str]]
"""Which words are true, as a number, and the branches in which the record lies."""


@dataclass(frozen=True)
class Question:
    """Whether a user with exactly these roles may do it to a record of these facts; `line` is the line put to the test."""

    roles: Roles
    object: str
    action: str
    facts: Facts
    line: Line | None = None

    @property
    def person(self) -> Principal:
        return person(self.roles)


def questions(lines: Sequence[Line], sets: Iterable[Roles], changed: Collection[str] = ()) -> Iterator[Question]:
    """Questions without end.  `sets` are the role sets in use; the lines in `changed`, as text, come first."""
    book = _Book(lines, sets)
    judged = sorted((line for line in lines if line.kind != "p2"), key=lambda line: str(line) not in changed)
    decided = []
    for line in judged:
        if (found := book.decided_by(line)) is not None:
            decided.append((line, *found))
            yield book.question(*found, line)
    for line, place, case in decided:
        yield from (book.question(place, other, line) for other in _beside(line, case))
    yield from book.mixed()


# --- a person and a record for a case ---------------------------------------------------------------------

_DEPARTMENT, _BELOW, _ELSEWHERE = 10, 11, 12
_SEEN, _CLAIMED, _ADMINISTERED, _FOREIGN = 1, 2, 3, 4
_POOLS = (("pool_admin", _ADMINISTERED), ("pool_member", _CLAIMED), ("pool", _SEEN), ("in_pool", _FOREIGN))
_ME, _OTHER, _ABOVE, _ROLE = 1, 2, 100, 31
_TO_ME = ((GranteeKind.USER, _ME), (GranteeKind.DEPARTMENT, _ABOVE), (GranteeKind.ROLE, _ROLE))
_TO_OTHERS = frozenset({(GranteeKind.USER, _OTHER, ShareLevel.EDIT), (GranteeKind.ROLE, _OTHER, ShareLevel.VIEW)})
_NOW = datetime(2026, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=1024)
def person(roles: Roles) -> Principal:
    """A user with these roles, a department and a seat of each kind; a part of the system for roles that only it has."""
    if any(map(is_system_role, roles)):
        return Principal(None, "system", _NOW, roles)
    return Principal(
        _ME,
        "user",
        _NOW,
        roles,
        role_ids=frozenset({_ROLE}),
        department_id=_DEPARTMENT,
        departments=frozenset({_DEPARTMENT, _ABOVE}),
        subtree=frozenset({_DEPARTMENT, _BELOW}),
        pools=frozenset({_SEEN, _CLAIMED, _ADMINISTERED}),
        member_pools=frozenset({_CLAIMED, _ADMINISTERED}),
        admin_pools=frozenset({_ADMINISTERED}),
    )


def facts(case: int, chance: Random, branches: Collection[str] = ()) -> Facts:
    """A record of which, for that user, exactly the words of the case are true.  What the case leaves open is drawn."""
    held = (branch for word in branches if (branch := branch_of(word)) is not None)
    true = {atom for place, atom in enumerate(ATOMS) if case >> place & 1}
    elsewhere = chance.choice((_ELSEWHERE, None))
    return Facts(
        owner_id=_ME if "own" in true else chance.choice((_OTHER, None)),
        department_id=_DEPARTMENT if "team" in true else _BELOW if "subtree" in true else elsewhere,
        created_by_id=_ME if "created" in true else chance.choice((_OTHER, None)),
        pool_id=next((pool for word, pool in _POOLS if word in true), None),
        locked="locked" in true,
        deleted="deleted" in true,
        shares=_shares(true, chance),
        branches=frozenset((x.field, x.key) for x in held),
    )


def _shares(true: Collection[str], chance: Random) -> frozenset[tuple[GranteeKind, int, ShareLevel]]:
    if "shared" not in true:
        return chance.choice((_TO_OTHERS, frozenset()))
    kind, grantee = chance.choice(_TO_ME)
    return _TO_OTHERS | {(kind, grantee, ShareLevel.EDIT if "shared_edit" in true else ShareLevel.VIEW)}


# --- steps ------------------------------------------------------------------------------------------------


class _Book:
    """The lines by what they speak about, and the sets of roles to ask for."""

    def __init__(self, lines: Sequence[Line], sets: Iterable[Roles]) -> None:
        self.lines = lines
        self.chance = Random("\n".join(map(str, lines)))  # noqa: S311  the same draw for the same lines, not a secret
        self.in_use = sorted({*sets, frozenset()}, key=sorted)
        self.table = lru_cache(maxsize=4096)(self._table)
        self.speaking = lru_cache(maxsize=4096)(self._speaking)
        self.closure = lru_cache(maxsize=4096)(self._closure)

    @cached_property
    def by_object(self) -> dict[str, list[Line]]:
        found: dict[str, list[Line]] = {}
        for line in self.lines:
            if line.kind == "p":
                found.setdefault(line.columns[1], []).append(line)
        return found

    @cached_property
    def spoken(self) -> list[Roles]:
        """Each role of which a line speaks, by itself."""
        codes = {code for line in self.lines for code in (line.columns[:2] if line.kind == "g" else line.columns[:1])}
        return [frozenset({code}) for code in sorted(codes - {"*"})]

    @cached_property
    def objects(self) -> list[str]:
        """Every module, every field of which a line speaks or that has lines of its own, and of each module one more."""
        named = {name for name in self.by_object if name in FIELDS}
        more = {self.chance.choice(fields) for module in sorted(MODULES) if (fields := _fields_of(module))}
        return sorted(MODULES | named | APART | more)

    @cached_property
    def branches(self) -> list[str]:
        """The branches that lines name."""
        words = {word for line in self.lines if line.kind == "p" for word, _ in parts(line.columns[4])}
        return sorted(word for word in words if branch_of(word) is not None)

    def question(self, place: Place, case: Case, line: Line | None = None) -> Question:
        return Question(*place, facts(case[0], self.chance, case[1]), line)

    def decided_by(self, line: Line) -> tuple[Place, Case] | None:
        """A place and a case where the answer is another one without the line, or else where at least the line fires."""
        places = list(islice(self._places(line), PLACES_TRIED))
        for place in places:
            if deciding := self.table(place) ^ self.table(place, line):
                return place, _first(deciding)
        fires: Table = cases_of_pair(*line.columns[3:5]) if line.kind == "p" else NEVER
        return (places[0], _first(fires)) if places and fires else None

    def mixed(self) -> Iterator[Question]:
        """Every object and action in a drawn order, each with a role set in use and a kind of record; and again."""
        pairs = list(product(self.objects, ACTIONS))
        while True:
            self.chance.shuffle(pairs)
            for object, action in pairs:
                place = (self.chance.choice(self.in_use), object, action)
                some = frozenset(word for word in self.branches if self.chance.random() < 0.5)
                yield self.question(place, (self.chance.choice(_CASES), some))

    # -- where a line may decide ---------------------------------------------------------------------------

    def _places(self, line: Line) -> Iterator[Place]:
        """Places about which a line speaks: all of them, or as many drawn, the role alone first."""
        if line.kind == "g":
            yield from self._inherited(*line.columns)
            return
        role, object, action = line.columns[:3]
        sets, objects, actions = self._sets(role), _objects(object), _actions(action)
        yield sets[0], objects[0], actions[0]
        if len(sets) * len(objects) * len(actions) <= PLACES_TRIED:
            yield from product(sets, objects, actions)
        while True:
            yield self.chance.choice(sets), self.chance.choice(objects), self.chance.choice(actions)

    def _inherited(self, narrow: str, wide: str) -> Iterator[Place]:
        """Places about which the lines of the wider role speak, for the narrow one."""
        above = self.closure(frozenset({wide})) - {"*"}
        lines = [line for line in self.lines if line.kind == "p" and line.columns[0] in above]
        for line in self.chance.sample(lines, len(lines)):
            yield (
                frozenset({narrow}),
                self.chance.choice(_objects(line.columns[1])[:2]),
                self.chance.choice(_actions(line.columns[2])),
            )

    def _sets(self, role: str) -> list[Roles]:
        """The role alone, the sets in use that reach it, and the roles of the lines that do."""
        alone: Roles = frozenset() if role == "*" else frozenset({role})
        return [alone, *(roles for roles in (*self.in_use, *self.spoken) if role in self.closure(roles))]

    def _table(self, place: Place, without: Line | None = None) -> Table:
        """The cases in which these lines allow it."""
        roles, object, action = place
        held = self.closure(roles, without)
        fired: dict[str, Table] = {"allow": NEVER, "deny": NEVER}
        for line in self.speaking(object, action):
            if line is not without and line.columns[0] in held:
                fired[line.columns[5]] |= cases_of_pair(*line.columns[3:5])
        return fired["allow"] & ~fired["deny"]

    def _speaking(self, object: str, action: str) -> list[Line]:
        objects = [object, "*"] if object in APART or object not in FIELDS else [object, FIELDS[object], "*"]
        actions = {action, "*", *(group for group, members in GROUPS.items() if action in members)}
        return [line for name in objects for line in self.by_object.get(name, ()) if line.columns[2] in actions]

    def _closure(self, roles: Roles, without: Line | None = None) -> Roles:
        up = inheritance(line for line in self.lines if line is not without) if without else self._up
        held, wider = roles | {"*"}, roles
        while wider := frozenset(reduce(or_, (up.get(role, set()) for role in wider), set[str]())) - held:
            held |= wider
        return held

    @cached_property
    def _up(self) -> dict[str, set[str]]:
        return inheritance(self.lines)


def _objects(object: str) -> list[str]:
    """The objects that a line speaks about: a module with its fields, or every module for `*`."""
    return sorted(MODULES) if object == "*" else [object, *(x for x in _fields_of(object) if x not in APART)]


def _actions(action: str) -> Sequence[str]:
    return ACTIONS if action == "*" else GROUPS.get(action, (action,))


@lru_cache(maxsize=256)
def _fields_of(module: str) -> list[str]:
    return sorted(field for field, of in FIELDS.items() if of == module)


def _first(table: Table) -> Case:
    """The case of a table in which the fewest words are true, roughly: the lowest bit."""
    number, branches = plain(table)
    return (number & -number).bit_length() - 1, frozenset(word for word, inside in branches.items() if inside)


def _beside(line: Line, case: Case) -> Iterator[Case]:
    """Cases that differ from this one in one word of the line, and in which the line does not fire."""
    if line.kind != "p":
        return
    scope, when = line.columns[3:5]
    fires, (number, branches) = cases_of_pair(scope, when), case
    words = ["own" if scope == "others" else scope, *(word for word, _ in parts(when))]
    for word in words:
        other = number ^ 1 << ATOMS.index(word) if word in ATOMS else number
        lies = branches ^ {word} if branch_of(word) is not None else branches
        if POSSIBLE & ~at(fires, lies) & 1 << other:
            yield other, lies
