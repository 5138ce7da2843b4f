"""Asking for a share: a user asks the owner of a customer, who grants it or declines with a reason."""

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer, ShareRequest
from models.database.bypass import Because, bypass_policy
from models.errors import AlreadyInPool, NotFound, Refusal, Validation
from models.pool import GranteeKind
from models.share import SHARE_REQUEST, RequestState, ShareLevel

from ..notices.notify import notify
from ..runtime.ids import global_id
from ..runtime.inputs import line, required
from ..runtime.scope import Scope
from .share_people import LEVELS, log_share
from .sharing import Terms, load_shareable, share_customers

MAX_WAITING = 50
"""Maximum number of requests of one user that wait for an answer."""


def request_share(
    scope: Scope,
    *,
    customer_id: int | None = None,
    number: str | None = None,
    level: ShareLevel = ShareLevel.VIEW,
    reason: str | None = None,
) -> int:
    """Ask the owner of a customer for a share; returns the id of the request.

    A customer that the caller does not see is named by its whole number, which needs the right to look for duplicates.
    Raises NotFound, AlreadyInPool, Validation: no reason, an own customer, a request that waits already.
    """
    said = line(reason, "reason")
    if not said:
        raise required("reason")
    with scope.write("customer.ask_share") as db:
        customer = _named(scope, db, customer_id, line(number, "number"))
        if customer.owner_id is None:
            raise AlreadyInPool(label=customer.label)
        if customer.owner_id == scope.me:
            raise Validation(f"{customer.label} is yours.", f"{customer.label} 由您本人负责。", field="customerId")
        _refuse_waiting(scope, db, customer.id)
        asked = ShareRequest(customer_id=customer.id, asked_by_id=scope.me, level=level, reason=said)
        asked.asked_at, asked.state = scope.now(), RequestState.WAITING
        db.add(asked)
        db.flush()
        log_share(scope, db, customer, {"share_level": [None, level]})
        notify(scope, db, "share_asked", [customer.owner_id], customer, level=LEVELS[level], reason=said)
        return asked.id


def grant_share_request(scope: Scope, id: int, terms: Terms | None = None) -> None:
    """Share the customer with the user who asked, at the level that they asked for or by these terms.

    Raises NotFound, Validation for one that was answered, and what `share_customers` refuses.
    """
    with scope.write("customer.share") as db:
        asked, customer = _to_answer(scope, db, id)
        terms = terms if terms is not None else Terms(asked.level)
        outcome = share_customers(scope, [customer.id], [(GranteeKind.USER, asked.asked_by_id)], terms)
        if outcome.problems:
            raise outcome.problems[0]
        _answer(scope, db, asked, RequestState.GRANTED)


def decline_share_request(scope: Scope, id: int, reason: str | None) -> None:
    """Decline to share the customer; the user who asked is told why.  Raises NotFound, Validation without a reason."""
    said = line(reason, "reason")
    if not said:
        raise required("reason")
    with scope.write("customer.share", said) as db:
        asked, customer = _to_answer(scope, db, id)
        _answer(scope, db, asked, RequestState.DECLINED, said)
        log_share(scope, db, customer, {"share_request": [RequestState.WAITING, RequestState.DECLINED]})
        notify(scope, db, "share_declined", [asked.asked_by_id], customer, reason=said)


def requests(
    scope: Scope, db: Session, *, waiting: bool = False, ids: Collection[int] | None = None
) -> Sequence[ShareRequest]:
    """The requests of the caller, and those about their own customers; the newest first, at most 200.

    `waiting`: only those without an answer.  `ids`: only these.
    """
    own = select(Customer.id).where(Customer.owner_id == scope.me)
    asked = select(ShareRequest).where((ShareRequest.asked_by_id == scope.me) | ShareRequest.customer_id.in_(own))
    if ids is not None:
        asked = asked.where(ShareRequest.id.in_(ids))
    if waiting:
        asked = asked.where(ShareRequest.state == RequestState.WAITING)
    return db.execute(asked.order_by(ShareRequest.id.desc()).limit(200)).scalars().all()


# --- steps -----------------------------------------------------------------------------------------------


def _named(scope: Scope, db: Session, id: int | None, number: str | None) -> Customer:
    """The customer that is asked for, seen or not.  An unseen one is answered by nothing but its number."""
    if id is not None:
        return scope.load(db, Customer, id, to="view")
    if not number:
        raise required("number")
    scope.allow("dupcheck", Customer.module)
    wanted = select(Customer).where(Customer.number == number, Customer.deleted_at.is_(None))
    found = db.execute(wanted, execution_options=bypass_policy(Because.WARNS_OF_DUPLICATE)).scalar_one_or_none()
    if found is None:
        raise scope.denied(NotFound(what=Customer.names, field="number"), Customer, None, "view")
    return found


def _refuse_waiting(scope: Scope, db: Session, customer_id: int) -> None:
    mine = select(ShareRequest.customer_id).where(ShareRequest.asked_by_id == scope.me)
    held = [*db.execute(mine.where(ShareRequest.state == RequestState.WAITING)).scalars()]
    if customer_id in held:
        raise Validation("You have asked already; the owner has not answered yet.", "您已提交申请，负责人尚未处理。")
    if len(held) >= MAX_WAITING:
        raise Validation(f"You wait for {MAX_WAITING} answers already.", f"您已有 {MAX_WAITING} 个待处理的申请。")


def _to_answer(scope: Scope, db: Session, id: int) -> tuple[ShareRequest, Customer]:
    found = select(ShareRequest).where(ShareRequest.id == id).with_for_update()
    asked = db.execute(found).scalar_one_or_none()
    if asked is None:
        raise _missing(id)
    try:
        customer, _ = load_shareable(scope, db, asked.customer_id)
    except NotFound:
        raise _missing(id) from None
    if asked.state is not RequestState.WAITING:
        raise Validation("The request was answered already.", "该申请已处理。", field="id")
    return asked, customer


def _missing(id: int) -> Refusal:
    return NotFound(what=SHARE_REQUEST, record_id=global_id(ShareRequest, id) if id else None)


def _answer(scope: Scope, db: Session, asked: ShareRequest, state: RequestState, answer: str | None = None) -> None:
    asked.state, asked.answer = state, answer
    asked.answered_by_id, asked.answered_at = scope.me, scope.now()
    db.flush()
