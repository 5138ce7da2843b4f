"""Former names and numbers of customers, as far as the viewer may see the present ones."""

from typing import Any

from sqlalchemy import and_, or_, select, true
from sqlalchemy.orm import Session

from models import Customer, FormerName
from models.former_name import NameKind

from ..runtime.scope import Scope
from ..runtime.viewer import Clause, Viewer


def former_of(viewer: Viewer, e: Any) -> tuple[Any, Clause]:
    """(former names as a table, the condition that they are the customer's `e` and may be seen), within a statement.

    The present name is left out: a customer may have got an old name back.
    """
    former = FormerName.__table__.alias()
    kinds = [(NameKind.NAME, "name"), (NameKind.NUMBER, "number")]
    seen = or_(*(and_(former.c.kind == kind, _sees(viewer, e, field)) for kind, field in kinds))
    return former, and_(former.c.customer_id == e.id, seen, former.c.value.not_in([e.name, e.number]))


def former_names(scope: Scope, db: Session, customer_id: int) -> list[str]:
    """The former names and numbers of a customer in sight, the latest first, each once."""
    customer = Customer.__table__.alias()
    former, of_it = former_of(scope.viewer, customer.c)
    found = select(former.c.value).join_from(customer, former, of_it)
    found = found.where(customer.c.id == customer_id, scope.viewer.rows(Customer, customer.c))
    latest = found.order_by(former.c.at.desc(), former.c.id.desc()).execution_options(policy=True)
    return list(dict.fromkeys(db.execute(latest).scalars()))


def _sees(viewer: Viewer, e: Any, field: str) -> Clause:
    guard = viewer.guard(Customer, field, e)
    return true() if guard is None else guard
