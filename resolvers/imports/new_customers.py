"""New customers for rows that name a company which is not there: a contact, a follow-up, an opportunity.

All rows of one company get one customer, however its name is spelt in them: width, case and blanks do not matter.
"""

from collections.abc import Sequence

from models import Customer
from models.errors import Refusal
from models.text import fold

from ..runtime.inputs import invalid
from ..runtime.scope import Scope
from .fields import ImportField
from .references import WITHIN, not_found
from .row_values import Naming, RowValues

ACTION = "customer.import"
"""What the log says was done with a customer that came with a row."""


def names_customers(field: ImportField) -> bool:
    """Whether cells of this field name the customer of their row by its name."""
    return field.reference is Customer and field.input == "customer_id" and "name" in field.by


def settle_missing(scope: Scope, rows: Sequence[RowValues], *, are_created: bool) -> None:
    """Let rows whose company is not there belong to a new customer, or say in their cell that they could.

    A row that also names a customer by its number belongs to that one or to none.
    """
    may_create = scope.policy.ever(scope.person, "create", Customer.module)
    for row in rows:
        naming = next((each for each in row.namings if names_customers(each.field)), None)
        if naming is None or naming.field.key not in row.missing or _has_number(row):
            continue
        if are_created:
            _adopt(row, naming)
        elif may_create:
            row.refusals[naming.field.key] = _could_be_created(naming)


def companies(rows: Sequence[RowValues]) -> dict[str, str]:
    """Folded name -> the name of each new customer as its first row spells it."""
    found: dict[str, str] = {}
    for row in rows:
        if row.company is not None:
            found.setdefault(fold(row.company), row.company)
    return found


def company_refused(row: RowValues, why: Refusal) -> Refusal:
    """Why the customer of a row cannot be created, as the refusal of the cell that names it."""
    field = next(each.field.key for each in row.namings if names_customers(each.field))
    english, chinese = why.say("en").rstrip("."), why.say("zh").rstrip("。")
    said = (row.company or "")[:40]
    return invalid(field, f"“{said}” cannot become a customer: {english}", f"“{said}”无法新建为客户：{chinese}")


# --- one row ---------------------------------------------------------------------------------------------


def _has_number(row: RowValues) -> bool:
    return any(x.field.input == "customer_id" and not names_customers(x.field) for x in row.namings)


def _adopt(row: RowValues, naming: Naming) -> None:
    """The customer will be new, so no contact and no opportunity of it is there yet."""
    del row.refusals[naming.field.key]
    row.company = naming.text
    for each in row.namings:
        if each.field.reference in WITHIN:
            row.refusals[each.field.key] = not_found(each.field, each.text)


def _could_be_created(naming: Naming) -> Refusal:
    said = naming.text[:40]
    return invalid(
        naming.field.key,
        f"“{said}” was not found: correct it, or let the import create the customers that are not there",
        f"未找到“{said}”，请修改，或选择由导入新建缺少的客户",
    )
