"""Extensions: an owner puts off the release of customers."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer, ReleaseRule
from models.database.bypass import Because, bypass_policy
from models.errors import ExtensionsUsed, NoReleaseDate, Validation

from ..ownership.locate import load_owned
from ..ownership.release_book import calendar_of
from ..runtime.batch import Mode, Outcome, each
from ..runtime.inputs import line
from ..runtime.scope import Scope


def extend(scope: Scope, ids: Sequence[int], reason: str | None, mode: Mode = Mode.BEST_EFFORT) -> Outcome:
    """Put off the release of customers by the days of the rule that sets the date, as often as the rule lets.

    Problems: NOT_FOUND, FORBIDDEN, LOCKED, IN_BIN, ALREADY_IN_POOL, NO_RELEASE_DATE, EXTENSIONS_USED.  Raises
    Validation without a reason.
    """
    reason = line(reason, "reason")
    if reason is None:
        raise Validation("Say why the release is put off.", "请填写延期原因。", field="reason")

    def work(db: Session, id: int) -> None:
        customer = load_owned(scope, db, id, "extend")
        rule = _rule_of(db, customer)
        if rule is None or customer.release_due_at is None:
            raise NoReleaseDate(label=customer.label)
        if customer.extensions >= rule.max_extensions:
            raise ExtensionsUsed(label=customer.label, used=customer.extensions, limit=rule.max_extensions)
        calendar = calendar_of(db.connection())
        customer.extend(calendar.after(customer.release_due_at, rule.extension_days, business=rule.business_days))

    return each(scope, "customer.extend", Customer, ids, mode, work, reason=reason)


def _rule_of(db: Session, customer: Customer) -> ReleaseRule | None:
    """The rule that sets the release date, whether or not the owner may view the settings of the pool."""
    found = select(ReleaseRule).where(ReleaseRule.id == customer.release_rule_id)
    return db.execute(found, execution_options=bypass_policy(Because.APPLIES_TO_ALL)).scalar_one_or_none()
