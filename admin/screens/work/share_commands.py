"""The dialog that shares customers, from their own screens and from those of their contacts and opportunities."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Department, Role, User
from models.pool import GranteeKind
from models.share import INCLUDED, ShareLevel
from resolvers.customers import sharing
from resolvers.customers.sharing import Terms
from resolvers.runtime.batch import Outcome
from resolvers.runtime.scope import Scope

from ...kit.commands import command
from ...kit.fields import Field, Kind
from ...kit.translation import Label

_TO = {
    "to_user": (GranteeKind.USER, User, Label("User")),
    "to_department": (GranteeKind.DEPARTMENT, Department, Label("Department")),
    "to_role": (GranteeKind.ROLE, Role, Label("Role")),
}
_WITHOUT = {
    "contact": Label("Without contacts"),
    "opportunity": Label("Without opportunities"),
    "followup": Label("Without follow-ups"),
    "plan": Label("Without plans"),
}
FIELDS = (
    *(Field(key, Kind.RECORD, target=model, name=name) for key, (_kind, model, name) in _TO.items()),
    Field("level", Kind.CHOICE, choices=tuple(ShareLevel), name=Label("Share level"), is_required=True),
    Field("starts_at", Kind.TIME, name=Label("Shared from"), help=Label("Empty: at once.")),
    Field("ends_at", Kind.TIME, name=Label("Shared until"), help=Label("Empty: until it is revoked.")),
    *(Field(f"without_{module}", Kind.YES_NO, name=name) for module, name in _WITHOUT.items()),
    Field("may_reshare", Kind.YES_NO, name=Label("They may share it further")),
    Field("note", Kind.TEXT, name=Label("Note"), length=200),
)


def share_with(scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
    """Share customers as the dialog says."""
    to = [(kind, given[key]) for key, (kind, _model, _name) in _TO.items() if given.get(key)]
    terms = Terms(
        level=ShareLevel(given["level"]),
        include=frozenset(module for module in INCLUDED if not given.get(f"without_{module}")),
        starts_at=given.get("starts_at"),
        ends_at=given.get("ends_at"),
        may_reshare=bool(given.get("may_reshare")),
        note=given.get("note"),
    )
    return sharing.share_customers(scope, ids, to, terms)


@command(
    Label("Share the customer"),
    icon="share",
    action="*.view",
    when=lambda row: row["deleted_at"] is None,
    needs="customer.share",
    fields=FIELDS,
)
def share_customer(self: Any, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
    """A command of the screens over records of customers: it shares these customers, each once, all or none."""
    outcome = share_of(scope, self.model, ids, given)
    return Outcome(ids if not outcome.problems else [], outcome.problems, outcome.notes)


def share_of(scope: Scope, model: Any, ids: list[int], given: Mapping[str, Any]) -> Outcome:
    """Share the customers of these records."""
    with scope.write("customer.share") as db:
        customers = customers_of(db, model, ids)
        outcome = share_with(scope, customers, given)
        if outcome.problems:
            raise outcome.problems[0]
        return outcome


def customers_of(db: Session, model: Any, ids: list[int]) -> list[int]:
    """The customers of the records that the caller sees."""
    return [*db.execute(select(model.customer_id).where(model.id.in_(ids)).distinct()).scalars()]
