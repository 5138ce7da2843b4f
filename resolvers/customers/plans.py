"""Plans: to complete one with its result, to cancel one, to put one off; and a follow-up with the next date."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from models import FollowUp, Plan
from models.last_contact import lock_customers
from models.plan import PlanState

from ..records import create_update
from ..runtime.form_terms import FormTerms
from ..runtime.inputs import invalid, line, moment, out_of_range, required
from ..runtime.lifecycle import Rules
from ..runtime.scope import Scope
from ..runtime.write_guard import action_of, permit
from .activities import Activity

FURTHEST = timedelta(days=3_650)
"""Maximum time by which a plan may lie ahead; more is a typing error."""
MOST_MINUTES = 28 * 24 * 60
"""Maximum number of minutes by which a reminder comes before the plan is due."""


class PlanRules(Activity, Rules[Plan]):
    """A plan lies ahead when it is made or put off, and one that has ended stays as it is."""

    form: ClassVar[FormTerms] = replace(Activity.form, bounds={"remind_minutes": (0, MOST_MINUTES)})

    def form_terms(self, scope: Scope, db: Session) -> FormTerms:
        now = scope.person.now
        return replace(self.form, times={"due_at": (now.replace(second=0, microsecond=0), now + FURTHEST)})

    def prepare(self, scope: Scope, db: Session, values: dict[str, Any], extra: dict[str, Any]) -> None:
        super().prepare(scope, db, values, extra)
        values["state"] = PlanState.OPEN
        values.setdefault("remind_minutes", Plan.__table__.c.remind_minutes.default.arg)

    def check(self, scope: Scope, db: Session, row: Plan, values: dict[str, Any]) -> None:
        super().check(scope, db, row, values)
        row.must_be_open()
        if values.get("remind_minutes") is not None and values["remind_minutes"] > MOST_MINUTES:
            raise out_of_range("remind_minutes", largest=MOST_MINUTES, said=("is at most four weeks", "最多为四周"))
        if values.get("due_at") is not None:
            _check_due(scope, row.due_at)
        if not values.keys().isdisjoint(("due_at", "remind_minutes")):
            row.remind_at = _remind_at(row, scope.person.now)

    def lock_first(self, db: Session, ids: Sequence[int], assignee_id: int | None) -> None:
        """Lock the customers, whose next contact the batch changes."""
        lock_customers(db, Plan, ids)

    def restored(self, scope: Scope, db: Session, row: Plan) -> None:
        """Remind of an open plan that is still ahead, and never of one that was due in the bin."""
        if row.is_open:
            row.remind_at = _remind_at(row, scope.person.now) if row.due_at > scope.person.now else None


def follow_up(scope: Scope, given: Mapping[str, Any], next_at: datetime | None, next_text: str | None) -> FollowUp:
    """A new follow-up, and a plan for the next contact if a date is given.  It was done now unless a time is given.

    Raises what `create` raises of both.
    """
    with scope.write("followup.create"):
        said = {**given, "happened_at": given.get("happened_at") or scope.person.now}
        return _written(scope, said, next_at, next_text)


def complete(
    scope: Scope, id: int, given: Mapping[str, Any], next_at: datetime | None = None, next_text: str | None = None
) -> Plan:
    """The plan as done, with the follow-up that says what came of it, and perhaps a plan for the next contact.

    `given` are values of the follow-up; kind, contact and opportunity are those of the plan unless they are given.
    Raises NotFound, Forbidden, Locked, InBin, PlanEnded, Validation (no result).
    """
    with scope.write("plan.complete") as db:
        plan = _load(scope, db, id)
        plan.must_be_open()
        kept = {key: getattr(plan, key) for key in ("customer_id", "contact_id", "opportunity_id", "kind")}
        said = {**kept, "happened_at": scope.person.now, **{key: x for key, x in given.items() if x is not None}}
        result = _written(scope, said, next_at, next_text)
        plan.end(PlanState.DONE, scope.person.now)
        plan.result_id = result.id
        db.flush()
        plan.notices.extend(result.notices)
        return plan


def cancel(scope: Scope, id: int, reason: str | None = None) -> Plan:
    """The plan as cancelled.  Raises NotFound, Forbidden, Locked, InBin, PlanEnded, Validation."""
    reason = line(reason, "reason")
    with scope.write("plan.cancel", reason) as db:
        plan = _load(scope, db, id)
        plan.end(PlanState.CANCELLED, scope.person.now)
        plan.cancel_reason = reason
        db.flush()
        return plan


def reschedule(scope: Scope, id: int, due_at: datetime | None, reason: str | None = None) -> Plan:
    """The plan with another time, of which its owner is reminded anew.

    Raises NotFound, Forbidden, Locked, InBin, PlanEnded, Validation.
    """
    reason = line(reason, "reason")
    with scope.write("plan.reschedule", reason) as db:
        plan = _load(scope, db, id)
        plan.must_be_open()
        due = moment(due_at, "due_at")
        if due is None:
            raise required("due_at")
        _check_due(scope, due)
        plan.due_at = due
        plan.remind_at = _remind_at(plan, scope.person.now)
        db.flush()
        return plan


# --- steps -----------------------------------------------------------------------------------------------


def _load(scope: Scope, db: Session, id: int) -> Plan:
    """The plan, which the caller may edit."""
    plan = scope.load(db, Plan, id, to="edit")
    permit(db, plan, action_of(db))
    return plan


def _written(scope: Scope, given: Mapping[str, Any], next_at: datetime | None, next_text: str | None) -> FollowUp:
    made = create_update.create(scope, FollowUp, given)
    if next_at is not None:
        hung = {key: getattr(made, key) for key in ("customer_id", "contact_id", "opportunity_id", "kind")}
        create_update.create(scope, Plan, {**hung, "due_at": next_at, "content": next_text})
    return made


def _check_due(scope: Scope, due: datetime) -> None:
    """Raise Validation for a time that is past, to the minute, or too far ahead."""
    now = scope.person.now
    if due < now.replace(second=0, microsecond=0):
        raise invalid("due_at", "lies in the past; a plan says what is to be done", "不能早于当前时间")
    if due > now + FURTHEST:
        raise invalid("due_at", "lies more than ten years ahead; check the year", "超过十年，请检查年份")


def _remind_at(plan: Plan, now: datetime) -> datetime | None:
    """When its owner is to be reminded: at once if that time is past already and the plan is not due."""
    if plan.remind_minutes is None or plan.due_at is None:
        return None
    return max(plan.due_at - timedelta(minutes=plan.remind_minutes), now)
