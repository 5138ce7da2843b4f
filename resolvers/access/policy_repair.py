"""Repair of the policy past review, for a policy that is broken, missing, or denies everything to everyone."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import PolicyRevision
from models.audit.entries import Changes, entry
from models.audit.recording import write_row
from models.errors import Forbidden, InvalidPolicyText, NotFound, Validation
from policies import InvalidPolicy

from ..runtime import policy_proof
from ..runtime.inputs import line
from ..runtime.policy_store import Stored, checked, hash_of, put_in_force, role_codes
from ..runtime.scope import Scope
from .grant_limits import lock_rights


def repair_policy(scope: Scope, reason: str, *, text: str | None = None, to: int | None = None) -> int:
    """Put a text, or the text of revision `to`, in force without asking for any right; returns the new number.

    Without either, the newest revision that is valid and unchanged comes back.  Only for the system principal of the
    command line, because a user of the machine can write to the database anyway; the log names it.  Raises Forbidden
    for other callers, NotFound, InvalidPolicyText, Validation (no reason).
    """
    if scope.person.id is not None:
        raise Forbidden(action="policy.repair")
    why = line(reason, "reason")
    if not why:
        raise Validation("Say why: the history keeps it.", "请填写原因，历史中会保留。", field="reason")
    with scope.write("policy.repair", why) as db:
        lock_rights(scope, db)
        codes = None if text is None else role_codes(db)  # an older text may name a role that is gone by now
        text = text if text is not None else _text_of(db, to) if to is not None else _last_good(db)
        try:
            lines = checked(text, codes)
        except InvalidPolicy as failure:
            raise InvalidPolicyText(problems=failure.problems) from None
        proof = policy_proof.recorded(policy_proof.demand(db, text, scope.person.now), text)
        number = put_in_force(db, text, why, scope.person.now, back_to=to, proof=proof)
        changes: Changes = {"lines": [None, [f"{len(lines)} lines, without review"]]}
        write_row(db, entry(db.info["signature"], scope.person.now, "policy", None, changes, label=f"#{number}"))
        scope.tell(db, "policy", number)
        scope.after_commit(lambda: scope.backend.take_policy(Stored(number, text, is_whole=True, is_proved=True)))
        return number


def _text_of(db: Session, number: int) -> str:
    asked = select(PolicyRevision.text).where(PolicyRevision.number == number)
    found = db.execute(asked).scalar()
    if found is None:
        raise NotFound(what=PolicyRevision.names, field="number")
    return found


def _last_good(db: Session) -> str:
    """The newest text that is a valid policy and has the hash of its activation.  Raises NotFound."""
    asked = select(PolicyRevision.text, PolicyRevision.hash).order_by(PolicyRevision.number.desc())
    for text, hash in db.execute(asked):
        if hash == hash_of(text) and _is_valid(text):
            found: str = text
            return found
    raise NotFound(what=PolicyRevision.names, field="number")


def _is_valid(text: str) -> bool:
    try:
        return bool(checked(text))
    except InvalidPolicy:
        return False
