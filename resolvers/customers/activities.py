"""Rules of opportunities and follow-ups: their author becomes their owner, and they stay with one customer."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Approval, Contact, Customer, Opportunity
from models.errors import NotApproved

from ..records.organisation import currency_of
from ..runtime.form_terms import FormTerms
from ..runtime.inputs import invalid
from ..runtime.lifecycle import Rules, is_new
from ..runtime.scope import Scope
from .contacts import check_looks_after
from .stages import check_opportunity, default_pipeline, default_place, needed_in_stages, place_in_pipeline, today

OF_THE_SAME_CUSTOMER: tuple[tuple[type[Contact | Opportunity], str], ...] = (
    (Contact, "contact_id"),
    (Opportunity, "opportunity_id"),
)
"""What a follow-up or an opportunity may name: (entity, column)."""


class Activity:
    """The author is the owner unless another one is named; contact and opportunity belong to the same customer."""

    form: ClassVar[FormTerms] = FormTerms(mine=frozenset({"owner_id"}))

    def prepare(self, scope: Scope, db: Session, values: dict[str, Any], extra: dict[str, Any]) -> None:
        values.setdefault("owner_id", scope.person.id)

    def check(self, scope: Scope, db: Session, row: Any, values: dict[str, Any]) -> None:
        if is_new(row) and values.get("owner_id") not in (None, scope.person.id):
            self._check_owner(scope, db, row)
        if values.get("currency") is not None:
            row.currency = values["currency"] = currency_of(values["currency"])
        for model, key in OF_THE_SAME_CUSTOMER:
            if values.get(key) is not None:
                _same_customer(db, model, values[key], row.customer_id, key)

    def _check_owner(self, scope: Scope, db: Session, row: Any) -> None:
        """Judge the owner of a new record who is not the caller."""
        check_looks_after(scope, db, row.owner_id, row.customer_id, model=type(row))


class OpportunityRules(Activity, Rules[Opportunity]):
    """An opportunity stands in a stage of a pipeline, which may ask for steps and fields."""

    form: ClassVar[FormTerms] = replace(Activity.form, bounds={"probability": (0, 100)})

    def form_terms(self, scope: Scope, db: Session) -> FormTerms:
        terms = self.form.needing((), needed_in_stages(scope, db, Opportunity))
        return replace(terms, defaults=default_place(db), times={"closed_on": (None, today(scope))})

    def prepare(self, scope: Scope, db: Session, values: dict[str, Any], extra: dict[str, Any]) -> None:
        super().prepare(scope, db, values, extra)
        place_in_pipeline(db, values)

    def check(self, scope: Scope, db: Session, row: Opportunity, values: dict[str, Any]) -> None:
        super().check(scope, db, row, values)
        if is_new(row):
            for refusal in refusals_of_unapproved(db, [row.customer_id]).values():
                raise refusal
        if "pipeline_id" in values and values["pipeline_id"] is None:
            row.pipeline_id = values["pipeline_id"] = default_pipeline(db)
        check_opportunity(scope, db, row, values)


def refusals_of_unapproved(db: Session, customer_ids: Collection[int]) -> dict[int, NotApproved]:
    """Customer -> the refusal of an opportunity at it, for those of these that have to be approved first."""
    wait = Customer.approval.in_([Approval.PENDING, Approval.REJECTED])
    asked = select(Customer).where(Customer.id.in_(customer_ids), wait)
    found = db.execute(asked).scalars() if customer_ids else ()
    return {row.id: NotApproved(label=row.label, field="customerId") for row in found}


def customers_of(db: Session, model: Any, ids: Collection[int]) -> dict[int, int]:
    """Record of `model` -> its customer, of those that the caller may see."""
    found = db.execute(select(model.id, model.customer_id).where(model.id.in_(ids))) if ids else ()
    return {id: customer_id for id, customer_id in found}  # noqa: C416  rows are no pairs


def _same_customer(db: Session, model: Any, id: int, customer_id: int, key: str) -> None:
    if customers_of(db, model, [id]).get(id, customer_id) != customer_id:
        raise invalid(key, "belongs to another customer", "属于其他客户")
