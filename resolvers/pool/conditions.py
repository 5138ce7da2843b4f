"""Claim conditions of a pool: which of its customers a user may claim, or be assigned.

A condition is judged as its reader sees the customer.  Where a field is hidden from them, it stands against the claim,
whatever the field holds, so a refusal tells nothing about it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, and_, false, func, literal, not_, or_, select, true
from sqlalchemy.orm import Session

from models import ClaimCondition, Customer
from models.claim_condition import Covers, Effect
from models.database.bypass import Because, bypass_policy
from models.errors import ConditionNotMet, NotFound, Validation
from models.pool import GranteeKind
from policies import Principal
from policies.objects import field_name

from ..reading.conditions import Asker, filter_of
from ..reading.matching import matching
from ..reading.pages import ListRequest, Row, page
from ..runtime.batch import Note
from ..runtime.custom_fields import visible_book
from ..runtime.form_terms import FormTerms, given, holds
from ..runtime.lifecycle import Rules
from ..runtime.scope import Scope
from .claim_rules import Check, ClaimTerms
from .condition_text import fields_in, parsed, stored
from .members import GRANTEES


@dataclass(frozen=True)
class Judged:
    """A claim condition, and whether it matches one customer as far as the reader may know."""

    row: ClaimCondition
    matches: bool


def conditions_of(db: Session, pool_id: int) -> list[ClaimCondition]:
    """The claim conditions of a pool, whether or not the caller may view them."""
    there = select(ClaimCondition).where(ClaimCondition.pool_id == pool_id, ClaimCondition.deleted_at.is_(None))
    bound = bypass_policy(Because.APPLIES_TO_ALL)
    return list(db.execute(there.order_by(ClaimCondition.id), execution_options=bound).scalars())


def judged(scope: Scope, db: Session, pool_id: int, ids: Sequence[int]) -> dict[int, list[Judged]]:
    """Customer id -> every claim condition of the pool, as the caller sees the customer.  Two statements."""
    rows = conditions_of(db, pool_id)
    found = matches(scope, db, ids, [(row.condition, row.effect is Effect.RESERVES) for row in rows])
    return {id: [Judged(row, is_met) for row, is_met in zip(rows, met, strict=True)] for id, met in found.items()}


def matches(scope: Scope, db: Session, ids: Sequence[int], asked: Sequence[tuple[str, bool]]) -> dict[int, list[bool]]:
    """Customer id -> whether each (condition, what it comes to where the caller may not see a field) matches it."""
    if not asked:
        return {id: [] for id in ids}
    clauses = [_clause(scope, text, hidden=hidden).label(f"c{n}") for n, (text, hidden) in enumerate(asked)]
    found = db.execute(select(Customer.id, *clauses).where(Customer.id.in_(ids)))
    return {id: [bool(x) for x in met] for id, *met in found}


def _clause(scope: Scope, text: str, *, hidden: bool) -> ColumnElement[bool]:
    viewer, row, book = scope.viewer, Customer, scope.policy.book
    try:
        condition, keys = parsed(text, book), fields_in(text, book)
    except Validation:
        return literal(hidden)  # a custom field is not what it was: as if nobody saw it
    tree = filter_of(Customer, condition, Asker.of(scope.person, scope.person.now, book))
    met = func.coalesce(matching(viewer, Customer, row, tree), false())
    guards = [guard for key in keys if (guard := viewer.guard(Customer, field_name(key), row)) is not None]
    is_visible = func.coalesce(and_(true(), *guards), false())
    return or_(met, not_(is_visible)) if hidden else and_(met, is_visible)


# --- what they come to -----------------------------------------------------------------------------------


def obstacle(found: Sequence[Judged], person: Principal, way: Covers) -> ConditionNotMet | None:
    """The refusal to let this user claim, or be assigned, the customer."""
    rows = [x for x in found if x.row.covers in (Covers.BOTH, way)]
    opening = [x.row for x in rows if x.row.effect is Effect.OPENS]
    reserving = [x.row for x in rows if x.row.effect is Effect.RESERVES and x.matches]
    if opening and not any(x.matches and applies_to(x.row, person) for x in rows if x.row.effect is Effect.OPENS):
        return _refusal(person, opening, reserved=False)
    if reserving and not any(applies_to(row, person) for row in reserving):
        return _refusal(person, reserving, reserved=True)
    return None


def applies_to(row: ClaimCondition, person: Principal) -> bool:
    """Whether the user is the one to whom a condition applies, belongs to that department, or has that role."""
    match row.grantee_kind:
        case None:
            return True
        case GranteeKind.USER:
            return row.grantee_id == person.id
        case GranteeKind.DEPARTMENT:
            return row.grantee_id in person.departments
    return row.grantee_id in person.role_ids


def _refusal(person: Principal, rows: Sequence[ClaimCondition], *, reserved: bool) -> ConditionNotMet:
    named, named_zh = (mark.join(row.name for row in rows) for mark in (", ", "、"))
    return ConditionNotMet(name=person.name, conditions=named, conditions_zh=named_zh, reserved=reserved)


def condition_checks(scope: Scope, db: Session, terms: ClaimTerms, customer: Customer) -> Iterator[Check]:
    """The check of a claim by the caller against the conditions of its pool; none for a pool without conditions."""
    if terms.pool_id is not None:
        yield check_of(judged(scope, db, terms.pool_id, [customer.id]).get(customer.id, []), scope.person)


def check_of(found: Sequence[Judged], person: Principal) -> Check:
    """The check of a claim of this user."""
    return Check("CONDITIONS", _MET, obstacle(found, person, Covers.CLAIM))


_MET = Note("the conditions of the pool are met", "符合公海的领取条件")


# --- editing ---------------------------------------------------------------------------------------------


class ClaimConditionRules(Rules[ClaimCondition]):
    """A claim condition says something about the customer, and applies to a grantee that exists."""

    form: ClassVar[FormTerms] = FormTerms(
        required_when={
            "grantee_kind": (*given("grantee_id"), *holds("effect", Effect.RESERVES.name)),
            "grantee_id": (*given("grantee_kind"), *holds("effect", Effect.RESERVES.name)),
        }
    )

    def check(self, scope: Scope, db: Session, row: ClaimCondition, values: dict[str, Any]) -> None:
        if "condition" in values:
            row.condition = stored(row.condition, visible_book(scope.policy, scope.person))
        if (row.grantee_kind is None) != (row.grantee_id is None):
            raise Validation(
                "Choose a person, a department or a role, or nobody in particular.",
                "请选择人员、部门或角色，或不指定。",
                field="granteeId",
            )
        if row.effect is Effect.RESERVES and row.grantee_id is None:
            raise Validation(
                "Say for whom these customers are reserved: a person, a department or a role.",
                "请选择为谁保留：人员、部门或角色。",
                field="granteeId",
            )
        if row.grantee_kind is not None and values.keys() & _GRANTEE:
            model = GRANTEES[row.grantee_kind]
            there = select(model.id).where(model.id == row.grantee_id, model.deleted_at.is_(None))
            if db.execute(there).first() is None:
                raise NotFound(what=model.names, field="granteeId")


_GRANTEE: Mapping[str, None] = dict.fromkeys(("grantee_id", "grantee_kind"))


def conditions_shown(scope: Scope, db: Session, pool_id: int) -> list[Row]:
    """The claim conditions of a pool, as far as the caller sees them."""
    keys = ("name", "effect", "covers", "grantee_kind", "grantee_id", "condition")
    wanted = ListRequest(
        ClaimCondition, keys, filter={"pool_id": {"eq": pool_id}}, order=(("id", False),), size=100, counts=False
    )
    return page(scope, db, wanted).rows
