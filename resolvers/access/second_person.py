"""Two persons: what widens the most delicate rights takes effect when a second person does it too.

The organisation may ask for that.  A policy draft waits for another user to activate it.  A role that brings such rights
is given twice: the first attempt is refused and logged, and the same attempt of another user within a week succeeds.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import AuditEntry, Organisation, User, UserRole
from models.actions import actions_in_chinese, actions_in_english
from models.audit.entries import Outcome
from models.database.bypass import Because, bypass_policy
from models.errors import NeedsSecond
from policies.reach import NOWHERE, Standing, gains
from policies.review import Excess, Roles

from ..runtime.scope import Scope

WIDENING = ("export", "purge")
"""Actions whose grant needs a second user, if the organisation says so; every right on the policy needs one too."""
WAITS = timedelta(days=7)
"""Time within which a second user has to do the same."""
Change = tuple[Standing, Standing]


def widened(found: Iterable[Excess]) -> tuple[str, ...]:
    """Which of the rights that need a second user are among these."""
    wide: set[str] = set()
    for x in found:
        wide |= {x.action} & {*WIDENING} | {x.object.partition(".")[0]} & {"policy"}
    return tuple(sorted(wide))


def wants_two(db: Session) -> bool:
    """Whether the organisation asks for a second user."""
    asked = select(Organisation.two_for_policy)
    return bool(db.execute(asked, execution_options=bypass_policy(Because.APPLIES_TO_ALL)).scalar())


def needs_second(wide: Sequence[str], how: str, how_zh: str) -> NeedsSecond:
    """The refusal that says which rights a change brings, and what a second user has to do."""
    words = {"what": actions_in_english(wide), "what_zh": actions_in_chinese(wide)}
    return NeedsSecond(**words, how=how, how_zh=how_zh)


def refuse_alone(scope: Scope, db: Session, changes: Mapping[int, Iterable[Change]]) -> None:
    """Raise NeedsSecond for new roles of a user, (before, after), that bring rights for which two have to decide."""
    if not wants_two(db):
        return
    for user_id, mine in changes.items():
        new = [(before, after) for before, after in mine if before.roles != after.roles]
        wide = widened(x for pair in new for x in gains(scope.policy, *pair, NOWHERE, is_self=False))
        proposal = _in_words(after.roles for _, after in new)
        if wide and not _is_second(scope, db, user_id, proposal):
            days = f"do the same within {WAITS.days} days", f"在 {WAITS.days} 天内作同样的操作"
            refusal = needs_second(wide, *days)
            raise scope.denied(refusal, User, user_id, "edit", changes={"roles": [None, proposal]})


# --- steps -----------------------------------------------------------------------------------------------


def _in_words(sets: Iterable[Roles]) -> str:
    """The roles that a user would hold, moment by moment."""
    return " / ".join(sorted({" + ".join(sorted(roles)) for roles in sets}))


def _is_second(scope: Scope, db: Session, user_id: int, proposal: str) -> bool:
    """Whether another active user has tried the same since the roles of this user last changed."""
    now = scope.person.now
    asked = select(func.max(UserRole.updated_at)).where(UserRole.user_id == user_id, UserRole.updated_at < now)
    last = db.execute(asked, execution_options=bypass_policy(Because.JUDGES_RIGHTS)).scalar()
    created = select(User.created_at).where(User.id == user_id)  # SQLite gives the id of an undone account again
    born = db.execute(created, execution_options=bypass_policy(Because.JUDGES_RIGHTS)).scalar_one()
    since = max(now - WAITS, last or now - WAITS, born)
    tried = (
        select(AuditEntry.changes)
        .join(User, User.id == AuditEntry.actor_id)
        .where(AuditEntry.entity == User.__tablename__, AuditEntry.record_id == user_id, AuditEntry.at >= since)
        .where(AuditEntry.outcome == Outcome.DENIED, User.active, User.id.not_in([scope.me, user_id]))
    )
    found = db.execute(tried, execution_options=bypass_policy(Because.JUDGES_RIGHTS)).scalars()
    return any(changes.get("roles") == [None, proposal] for changes in found)
