"""Offers: what a user could do to the records that are there now, asked before a menu or a button leads to it.

The policy alone says too much.  A line about shares holds for every user, though few have a share; so a menu asks
whether there is a record, and a button “New” whether a draft of one would be accepted.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Integer, Select, bindparam, cast, inspect, literal, literal_column, null, or_, select, true
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Session

from models import ENTITIES, Base, Entity
from models.base import column_of, trait_of
from models.customer import locked
from models.database.compiled import CompiledStatement, compile_statement
from policies import NOW, Facts, Principal
from policies.rows import Rows, WithParent

from ..runtime.scope import Scope
from ..runtime.viewer import Viewer
from .clauses import in_bin, join_parents


class Place(NamedTuple):
    """The records of a list: those of `model` outside the bin in which none of the columns `filled` is empty.

    `action`: what the user may do to them.  `locked_by_others`: only customers that another user keeps locked.
    """

    model: type[Base]
    filled: tuple[str, ...] = ()
    action: str = "view"
    locked_by_others: bool = False


@dataclass(frozen=True)
class Offers:
    """The places in which the user finds a record, and the kinds of records that they could create.

    `drafted` are those kinds and what could be created below a record that is not there yet.
    """

    found: frozenset[Place] = frozenset()
    creatable: frozenset[type[Base]] = frozenset()
    drafted: frozenset[type[Base]] = frozenset()


async def offers(scope: Scope, places: tuple[Place, ...]) -> Offers:
    """What is offered to the caller, in these places and as new records.  At most one statement."""
    viewer = scope.viewer
    alone = frozenset(x for x in ENTITIES if not x.visible_through and _may_draft(viewer, x, {}))
    below = tuple(x for x in ENTITIES if x.visible_through and viewer.policy.ever(viewer.person, "create", x.module))
    asked = tuple(x for x in places if viewer.policy.ever(viewer.person, x.action, x.model.module))
    answers = await _answers(scope, asked, below)
    made = alone | {model for model, yes in zip(below, answers[len(asked) :], strict=True) if yes}
    found = frozenset(place for place, yes in zip(asked, answers, strict=False) if yes)
    return Offers(found, made, made | {x for x in below if _parent(x) in alone and _may_draft(viewer, x, {})})


async def may_create(scope: Scope, model: type[Base], given: Mapping[str, Any]) -> bool:
    """Whether the caller could create a record of `model` with these values of its foreign keys."""
    viewer = scope.viewer
    if not issubclass(model, Entity) or not viewer.policy.ever(viewer.person, "create", model.module):
        return False
    if not model.visible_through:
        return _may_draft(viewer, model, given)
    id = given.get(f"{model.visible_through}_id")
    if id is None:
        return (await _answers(scope, (), (model,)))[0]
    statement = _compiled_under(viewer.at_once, model, scope.backend.read_engine.dialect)
    return bool(await scope.backend.reads.rows(statement.text, statement.values({"id": id, NOW.key: scope.now()})))


def may_be_placed(viewer: Viewer, model: type[Entity], key: str) -> bool:
    """Whether the caller could give a new record somebody else, or a pool, in this column; True for any other column."""
    if key == _settable(model, "pool_id") and key == "pool_id" and "owner_id" in model.__table__.c:
        pools = [*sorted(viewer.person.pools), _ELSE]
        return any(_may_draft(viewer, model, {key: pool}) for pool in pools)
    return key != "owner_id" or _may_draft(viewer, model, {key: _ELSE})


def creatable_under(scope: Scope, db: Session, model: type[Entity], ids: Sequence[int]) -> set[int]:
    """Those of the parents with these ids under which the caller could create a record of `model`.  One query."""
    if not ids or not scope.policy.ever(scope.person, "create", model.module):
        return set()
    return {*db.execute(_creatable_among(scope.viewer, model), {"ids": list(ids)}).scalars()}


# --- drafts of records without a parent: decided without the database -------------------------------------

_ELSE = -1
"""The number of a user, pool or record that is not the caller's."""


def _may_draft(viewer: Viewer, model: type[Entity], given: Mapping[str, Any]) -> bool:
    if model.singleton:
        return False
    drafts = _drafts(viewer.person, model, given)
    return any(viewer.policy.might(viewer.person, "create", model.module, draft) for draft in drafts)


def _drafts(person: Principal, model: type[Entity], given: Mapping[str, Any]) -> Iterator[Facts]:
    """What a new record could be to this user: their own, a colleague's, in a pool of theirs or elsewhere."""
    new = Facts(created_by_id=person.id)
    owner, pool, department = (_settable(model, x) for x in ("owner_id", "pool_id", "department_id"))
    pools = [given[pool]] if given.get(pool) else [*sorted(person.pools), _ELSE]
    owners = [given[owner]] if given.get(owner) else [person.id, _ELSE]
    if pool and not given.get(owner):
        yield from (replace(new, pool_id=id) for id in pools)
    if (owner or model.visible_through) and not given.get(pool):
        places = [given["department_id"]] if "department_id" in given else [person.department_id, *person.subtree]
        yield from (replace(new, owner_id=x, department_id=place) for x in owners for place in places)
    if department:
        yield from (replace(new, department_id=place) for place in person.subtree)
    yield replace(new, pool_id=None if _is_fact(model, "pool_id") is None else _ELSE)


def _is_fact(model: type[Base], fact: str) -> str | None:
    """The column in which a policy word finds this fact; None where the model has none."""
    name = model.policy_columns.get(fact, fact)
    return name if name in model.__table__.c else None


def _settable(model: type[Base], fact: str) -> str:
    """The column in which a user sets this fact of a new record; "" where there is none."""
    name = _is_fact(model, fact)
    if name is None or name == "id" or trait_of(column_of(model, name)).system_managed:
        return ""
    return name


# --- records that are there, and drafts below them: one statement -----------------------------------------


async def _answers(scope: Scope, places: tuple[Place, ...], below: tuple[type[Entity], ...]) -> Sequence[bool]:
    if not (places or below):
        return ()
    statement = _compiled(scope.viewer, places, below, scope.backend.read_engine.dialect)
    (row,) = await scope.backend.reads.rows(statement.text, statement.values({NOW.key: scope.now()}))
    return [bool(x) for x in row]


@lru_cache(maxsize=512)
def _compiled(
    viewer: Viewer, places: tuple[Place, ...], below: tuple[type[Entity], ...], dialect: Dialect
) -> CompiledStatement:
    """Cached: it takes longer to write than to run."""
    found = [_rows_of(viewer, x).limit(1).exists() for x in places]
    drafted = [_parents_for(viewer.at_once, x).limit(1).exists() for x in below]
    return compile_statement(select(*found, *drafted).execution_options(policy=True), dialect)


@lru_cache(maxsize=512)
def _compiled_under(viewer: Viewer, model: type[Entity], dialect: Dialect) -> CompiledStatement:
    below = _parents_for(viewer, model).where(_parent(model).__table__.c.id == bindparam("id", type_=Integer()))
    return compile_statement(below, dialect)


@lru_cache(maxsize=512)
def _creatable_among(viewer: Viewer, model: type[Entity]) -> Select[Any]:
    parent = _parent(model).__table__.c.id
    among = _parents_for(viewer, model).with_only_columns(parent)
    return among.where(parent.in_(bindparam("ids", expanding=True))).execution_options(policy=True)


def _rows_of(viewer: Viewer, place: Place) -> Select[Any]:
    model, columns = place.model, place.model.__table__.c
    statement, e = _source(model)
    statement = statement.where(viewer.where(place.action, model, e), *(columns[x].is_not(None) for x in place.filled))
    if place.locked_by_others:
        statement = statement.where(locked(columns, viewer.person.now), columns.owner_id != viewer.person.id)
    return statement.where(in_bin(model, columns, wanted=False)) if "deleted_at" in columns else statement


def _parents_for(viewer: Viewer, model: type[Entity]) -> Select[Any]:
    """The records under which the user could create one of `model`, owned by themselves or by nobody in particular."""
    parent = _parent(model)
    statement, e = _source(parent)
    drafts = [WithParent(_Draft(model, viewer.person.id, owner), Rows(parent, e)) for owner in (None, viewer.person.id)]
    return statement.where(
        or_(*(viewer.where("create", model, draft) for draft in drafts)),
        in_bin(parent, parent.__table__.c, wanted=False) if "deleted_at" in parent.__table__.c else true(),
    )


def _source(model: type[Base]) -> tuple[Select[Any], Any]:
    """SELECT from a model joined with its parents, and its columns, which know these parents."""
    table = model.__table__
    above, e = join_parents(model, table.c)
    source: Any = table
    for parent, on in above:
        source = source.outerjoin(parent, on)
    return select(literal_column("1")).select_from(source).correlate(None).execution_options(policy=True), e


def _parent(model: type[Base]) -> type[Any]:
    parent: type[Any] = inspect(model).relationships[model.visible_through].mapper.class_
    return parent


class _Draft:
    """The columns of a record that is not there yet: its creator and owner, and otherwise nothing."""

    def __init__(self, model: type[Base], creator: int | None, owner: int | None) -> None:
        self._columns = model.__table__.c
        self._given = {"created_by_id": creator, _is_fact(model, "owner_id") or "": owner}

    def __getattr__(self, name: str) -> Any:
        kind, value = self._columns[name].type, self._given.get(name)
        return cast(null(), kind) if value is None else literal(value, kind)
