"""The closed vocabulary of conditions in policy lines: scopes and states.

Every scope and state has three forms side by side: a Python test, an SQL clause that is never NULL, and a sentence.
An exhaustive test proves that they agree.  There are no expressions, and nothing is ever evaluated.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import False_, True_, and_, false, not_, or_, select, true

from models import Customer, Share
from models.customer import locked as locked_now
from models.pool import GranteeKind
from models.share import INCLUDED, ShareLevel

from .branches import Held, branch_of
from .objects import ACTIONS as ACTIONS
from .objects import field_name as field_name
from .principal import Principal
from .rows import Clause, Listed, Rows

# --- facts, and what columns are asked ------------------------------------------------------------------


@dataclass(frozen=True)
class Facts:
    """What words ask about one record, for the Python tests.  Shares: (kind, id, level) of those in force that open it."""

    owner_id: int | None = None
    department_id: int | None = None
    created_by_id: int | None = None
    pool_id: int | None = None
    locked: bool = False
    deleted: bool = False
    shares: frozenset[tuple[GranteeKind, int, ShareLevel]] = frozenset()
    branches: frozenset[Held] = frozenset()


def _equals(column: Any | None, value: int | None) -> Clause:
    if column is None or value is None:
        return false()
    return and_(column.is_not(None), column == value)


def _among(column: Any | None, values: Collection[int]) -> Clause:
    if column is None or not values:
        return false()
    return and_(column.is_not(None), column.in_(sorted(values)))


def _inherited(fact: str, test: Callable[[Any | None], Clause]) -> Callable[[Rows], Clause]:
    """`test` on the record's own column, or on its parent's where that is empty or missing."""

    def clause(rows: Rows) -> Clause:
        column = rows.column(fact)
        if not rows.model.visible_through:
            return test(column)
        above = rows.of_parent(clause)
        return above if column is None else or_(test(column), and_(column.is_(None), above))

    return clause


# --- scopes ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scope:
    """A relation of a person to a record."""

    test: Callable[[Principal, Facts], bool]
    sql: Callable[[Principal, Rows], Clause]
    sentence: str
    zh: str


@dataclass(frozen=True)
class State:
    """A condition of a record, the same for every person."""

    test: Callable[[Facts], bool]
    sql: Callable[[Principal, Rows], Clause]
    sentence: str
    zh: str


def _own(p: Principal, rows: Rows) -> Clause:
    return _inherited("owner_id", lambda column: _equals(column, p.id))(rows)


def _created(p: Principal, rows: Rows) -> Clause:
    return _equals(rows.column("created_by_id"), p.id)


def _team(p: Principal, rows: Rows) -> Clause:
    return _inherited("department_id", lambda column: _equals(column, p.department_id))(rows)


def _subtree(p: Principal, rows: Rows) -> Clause:
    return _inherited("department_id", lambda column: _among(column, p.subtree))(rows)


def _pools(which: Callable[[Principal], frozenset[int]]) -> Callable[[Principal, Rows], Clause]:
    return lambda p, rows: _inherited("pool_id", lambda column: _among(column, which(p)))(rows)


def _shared(levels: frozenset[ShareLevel]) -> Callable[[Principal, Rows], Clause]:
    def clause(p: Principal, rows: Rows) -> Clause:
        if rows.model is not Customer:
            return rows.of_parent(lambda parent: clause(p, parent)) if rows.model.visible_through else false()
        share = Share.__table__.c
        mine = {
            GranteeKind.USER: _equals(share.grantee_id, p.id),
            GranteeKind.DEPARTMENT: _among(share.grantee_id, p.departments),
            GranteeKind.ROLE: _among(share.grantee_id, p.role_ids),
        }
        in_force = and_(
            share.revoked_at.is_(None),
            share.starts_at <= p.now,
            or_(share.ends_at.is_(None), share.ends_at > p.now),
            share.level.in_(sorted(levels)),
            *([] if rows.below is None or rows.below.module not in INCLUDED else [share[INCLUDED[rows.below.module]]]),
        )
        given = [and_(share.grantee_kind == kind, me) for kind, me in mine.items() if not isinstance(me, False_)]
        if not given:
            return false()
        if rows.by_row:
            # The second clause is redundant, but keeps PostgreSQL from collecting all shares of the person first.
            mine_alone = share.customer_id == rows.e.id, share.customer_id >= rows.e.id
            one = select(Share.id).where(*mine_alone, or_(*given), in_force)
            return one.correlate_except(Share.__table__).exists()
        # One SELECT for each kind: of a single one SQLite reads all shares of all users where few people have many.
        return Listed(rows.e.id, *(select(share.customer_id).where(to_me, in_force).correlate(None) for to_me in given))

    return clause


def _shared_with(p: Principal, facts: Facts, levels: frozenset[ShareLevel]) -> bool:
    mine = {
        GranteeKind.USER: {p.id} - {None},
        GranteeKind.DEPARTMENT: p.departments,
        GranteeKind.ROLE: p.role_ids,
    }
    return any(level in levels and id in mine[kind] for kind, id, level in facts.shares)


_ANY_LEVEL = frozenset(ShareLevel)
_EDIT_LEVEL = frozenset({ShareLevel.EDIT})

SCOPES: dict[str, Scope] = {
    "all": Scope(lambda _p, _f: True, lambda _p, _r: true(), "every record", "所有记录"),
    "own": Scope(lambda p, f: f.owner_id is not None and f.owner_id == p.id, _own, "you are its owner", "您是负责人"),
    "created": Scope(
        lambda p, f: f.created_by_id is not None and f.created_by_id == p.id,
        _created,
        "you created it",
        "您是创建人",
    ),
    "team": Scope(
        lambda p, f: f.department_id is not None and f.department_id == p.department_id,
        _team,
        "its owner is in your department",
        "负责人与您同部门",
    ),
    "subtree": Scope(
        lambda p, f: f.department_id in p.subtree,
        _subtree,
        "its owner is in your department or one below it",
        "负责人在您的部门或下级部门",
    ),
    "pool": Scope(
        lambda p, f: f.pool_id in p.pools,
        _pools(lambda p: p.pools),
        "it lies in a pool where you have a seat",
        "在您可见的公海中",
    ),
    "pool_member": Scope(
        lambda p, f: f.pool_id in p.member_pools,
        _pools(lambda p: p.member_pools),
        "it lies in a pool where you may claim",
        "在您可领取的公海中",
    ),
    "pool_admin": Scope(
        lambda p, f: f.pool_id in p.admin_pools,
        _pools(lambda p: p.admin_pools),
        "it lies in a pool that you administer",
        "在您管理的公海中",
    ),
    "shared": Scope(
        lambda p, f: _shared_with(p, f, _ANY_LEVEL), _shared(_ANY_LEVEL), "it is shared with you", "已共享给您"
    ),
    "shared_edit": Scope(
        lambda p, f: _shared_with(p, f, _EDIT_LEVEL),
        _shared(_EDIT_LEVEL),
        "it is shared with you for editing",
        "已共享给您编辑",
    ),
    "others": Scope(
        lambda p, f: f.owner_id is None or f.owner_id != p.id,
        lambda p, rows: not_(_own(p, rows)),
        "you are not its owner",
        "您不是负责人",
    ),
}

_NEEDS: dict[str, Callable[[Principal], object]] = {
    "own": lambda p: p.id is not None,
    "created": lambda p: p.id is not None,
    "team": lambda p: p.department_id is not None,
    "subtree": lambda p: p.subtree,
    "pool": lambda p: p.pools,
    "pool_member": lambda p: p.member_pools,
    "pool_admin": lambda p: p.admin_pools,
}
"""What a person must have for a scope to hold for any record."""


def can_hold(scope: str, p: Principal) -> bool:
    """Whether there can be a record for which this scope holds of `p`."""
    needed = _NEEDS.get(scope)
    return needed is None or bool(needed(p))


# --- states ----------------------------------------------------------------------------------------------


def _locked(p: Principal, rows: Rows) -> Clause:
    if rows.model is Customer:
        return locked_now(rows.e, p.now)
    return rows.of_parent(lambda parent: _locked(p, parent)) if rows.model.visible_through else false()


def _in_pool(_p: Principal, rows: Rows) -> Clause:
    return _inherited("pool_id", lambda column: false() if column is None else column.is_not(None))(rows)


def _deleted(_p: Principal, rows: Rows) -> Clause:
    column = rows.column("deleted_at")
    return false() if column is None else column.is_not(None)


STATES: dict[str, State] = {
    "any": State(lambda _f: True, lambda _p, _r: true(), "in any state", "任何状态"),
    "locked": State(lambda f: f.locked, _locked, "it is locked", "已锁定"),
    "in_pool": State(lambda f: f.pool_id is not None, _in_pool, "it lies in a pool", "在公海中"),
    "deleted": State(lambda f: f.deleted, _deleted, "it is in the recycle bin", "在回收站中"),
}


@lru_cache(maxsize=4096)
def state(word: str) -> State:
    """The state that a word means: one of `STATES`, or that a record lies in a branch.  Raises KeyError."""
    if (branch := branch_of(word)) is None:
        return STATES[word]
    own = branch.field, branch.key
    return State(lambda facts: own in facts.branches, lambda _p, rows: branch.sql(rows), *branch.sentences())


def parts(when: str) -> list[tuple[str, bool]]:
    """`locked&!deleted` as [("locked", True), ("deleted", False)]."""
    return [(word.removeprefix("!"), not word.startswith("!")) for word in when.split("&")]


def holds(when: str, facts: Facts) -> bool:
    return all(state(word).test(facts) is wanted for word, wanted in parts(when))


def when_sql(when: str, p: Principal, rows: Rows) -> Clause:
    tests = [(state(word).sql(p, rows), wanted) for word, wanted in parts(when)]
    return together([clause if wanted else not_(clause) for clause, wanted in tests])


def together(clauses: Iterable[Clause]) -> Clause:
    """The conjunction.  One that can never be true is the constant false, which `either` leaves out."""
    left = [clause for clause in clauses if not isinstance(clause, True_)]
    if any(isinstance(clause, False_) for clause in left):
        return false()
    return and_(*left) if len(left) > 1 else left[0] if left else true()


def either(clauses: Iterable[Clause]) -> Clause:
    """The disjunction, without constants: a `0 = 1` in it keeps SQLite from using any index."""
    left = [clause for clause in clauses if not isinstance(clause, False_)]
    return or_(*left) if len(left) > 1 else left[0] if left else false()


def unmet(scope: str, when: str, p: Principal, facts: Facts) -> str | None:
    """The first word of a line that does not hold, `own` or `!locked`; None when the line fires."""
    if not SCOPES[scope].test(p, facts):
        return scope
    for word, wanted in parts(when):
        if state(word).test(facts) is not wanted:
            return word if wanted else f"!{word}"
    return None
