"""Preview of a claim: every rule with its result, without claiming.  Reads only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer
from models.errors import Forbidden

from ..ownership.capacity import Capacity, capacity
from ..ownership.locate import why_not_pooled
from ..ownership.periods import all_left_at
from ..ownership.quota import quotas
from ..runtime.batch import Note, distinct
from ..runtime.scope import Scope
from .claim_rules import Check, ClaimTerms, counted_checks, rule_checks, terms_of
from .conditions import Judged, check_of, judged


@dataclass(frozen=True)
class Preview:
    """Every rule about claiming one customer, in the order in which a claim checks them."""

    customer_id: int
    checks: list[Check]

    @property
    def allowed(self) -> bool:
        return all(check.passed for check in self.checks)


def claim_preview(scope: Scope, db: Session, ids: Sequence[int]) -> list[Preview]:
    """One preview for each visible customer, in the order of `ids`.  Raises Validation for too many ids.

    Each customer is judged as if it were the only one claimed.
    """
    batch = _PreviewBatch(scope, db, distinct(ids))
    return [Preview(id, list(batch.checks(*batch.seen[id]))) for id in batch.ids if id in batch.seen]


class _PreviewBatch:
    """The rows, claim terms and counters that the previews of one request share, fetched once."""

    def __init__(self, scope: Scope, db: Session, ids: list[int]) -> None:
        self.scope, self.db, self.ids, self.person = scope, db, ids, scope.person
        may = scope.policy.where(self.person, "claim", Customer).label("may")
        found = db.execute(select(Customer, may).where(Customer.id.in_(ids)))
        self.seen: dict[int, tuple[Customer, bool]] = {row.id: (row, bool(allowed)) for row, allowed in found}
        self.terms = {id: terms_of(db, id) for id in {row.pool_id for row, _ in self.seen.values()} if id is not None}
        self.left = all_left_at(db, list(self.seen), scope.me)
        self.judged = {id: found for pool_id in self._conditional for id, found in self._judged(pool_id).items()}
        self._counted: dict[int, list[Check]] = {}

    @property
    def _conditional(self) -> set[int]:
        """The pools with claim conditions."""
        return {id for id, terms in self.terms.items() if terms.pool_id is not None}

    def _judged(self, pool_id: int) -> dict[int, list[Judged]]:
        return judged(
            self.scope, self.db, pool_id, [id for id, (row, _) in self.seen.items() if row.pool_id == pool_id]
        )

    @cached_property
    def _capacity(self) -> Capacity:
        return capacity(self.db, self.scope.me)

    def checks(self, customer: Customer, may: bool) -> Iterator[Check]:
        refusal = why_not_pooled(self.scope, self.db, customer.id, customer)
        if refusal is None and not self.scope.policy.ever(self.person, "claim", Customer.module):
            yield _right(may=False)
            return
        yield Check("IN_POOL", _POOLED if refusal is None else _NOT_POOLED, refusal)
        if refusal is None and customer.pool_id is not None:
            yield _right(may=may)
            terms = self.terms[customer.pool_id]
            yield from rule_checks(terms, customer, self.left.get(customer.id), self.person)
            if customer.id in self.judged:
                yield check_of(self.judged[customer.id], self.person)
            yield from self._counters(customer.pool_id, terms)

    def _counters(self, pool_id: int, terms: ClaimTerms) -> list[Check]:
        if pool_id not in self._counted:
            used = quotas(self.db, terms.rule, self.scope.me, self.person.now, terms.zone)
            self._counted[pool_id] = list(counted_checks(terms, used, self._capacity, self.person))
        return self._counted[pool_id]


_POOLED, _NOT_POOLED = Note("it is in a pool", "该客户在公海中"), Note("it is not in a pool", "该客户不在公海中")
_MAY = Note("you may claim here", "您可以从此处领取")
_MAY_NOT = Note("your roles and seats do not allow it", "您的角色和成员身份不允许领取")


def _right(*, may: bool) -> Check:
    return Check("RIGHT", _MAY if may else _MAY_NOT, None if may else Forbidden(action="customer.claim"))
