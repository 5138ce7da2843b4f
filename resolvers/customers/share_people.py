"""The people of shares: whom one reaches, how its grantee is called, and what they are told of it."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer, Department, Entity, Role, Share, User
from models.audit.entries import Changes, entry, plain
from models.audit.recording import write_row
from models.database.bypass import Because, bypass_policy
from models.errors import NotFound
from models.pool import GRANTEE_KINDS, GranteeKind
from models.share import ShareLevel
from policies import Principal

from ..audit.value_names import visible_names
from ..notices.notify import Fact, notify
from ..runtime import principals
from ..runtime.scope import Scope

Grantee = tuple[GranteeKind, int]
GRANTEES: dict[GranteeKind, type[Entity]] = {
    GranteeKind.USER: User,
    GranteeKind.DEPARTMENT: Department,
    GranteeKind.ROLE: Role,
}
assert GRANTEES.keys() == {*GRANTEE_KINDS.values()}, "a share goes to what a seat goes to"
AHEAD = (timedelta(days=3), timedelta(days=1), timedelta())
"""Times before the end of a share at which its grantee is told."""
LEVELS: dict[ShareLevel, tuple[str, str]] = {ShareLevel.VIEW: ("view", "查看"), ShareLevel.EDIT: ("edit", "编辑")}
_NO_END = ("without an end", "无期限")


def check_grantees(db: Session, grantees: Iterable[Grantee]) -> None:
    """Raise NotFound for a user, department or role that the caller does not see, that is in the bin, or left."""
    for kind, id in grantees:
        model = GRANTEES[kind]
        there = select(model.id).where(model.id == id, model.deleted_at.is_(None))
        if model is User:
            there = there.where(User.active)
        if not id or db.execute(there).first() is None:
            raise NotFound(what=model.names, field=f"{kind.lower()}Ids")


def names_of_grantees(scope: Scope, db: Session, grantees: Iterable[Grantee]) -> dict[Grantee, str]:
    """The names of grantees, as far as the caller sees them."""
    found: dict[Grantee, str] = {}
    wanted = {*grantees}
    for kind, model in GRANTEES.items():
        ids = {id for of, id in wanted if of is kind}
        names = visible_names(scope.viewer, db, model, ids) if ids else {}
        found |= {(kind, id): name for id, name in names.items()}
    return found


def reached(db: Session, share: Share, now: datetime, everybody: Sequence[Principal] | None = None) -> list[int]:
    """The active users whom a share reaches: its user, those of its department and of all below, those with its role."""
    if share.grantee_kind is GranteeKind.USER:
        return [share.grantee_id]
    people = everybody if everybody is not None else principals.everybody(db.connection(), now)
    return [p.id for p in people if p.id is not None and is_grantee(p, (share.grantee_kind, share.grantee_id))]


def is_grantee(person: Principal, grantee: Grantee) -> bool:
    kind, id = grantee
    if kind is GranteeKind.USER:
        return person.id == id
    return id in (person.departments if kind is GranteeKind.DEPARTMENT else person.role_ids)


def next_notice(ends_at: datetime | None, after: datetime) -> datetime | None:
    """When a grantee is told next of an end; None when nothing is left to tell."""
    if ends_at is None:
        return None
    return min((ends_at - ahead for ahead in AHEAD if ends_at - ahead > after), default=None)


def tell(scope: Scope, db: Session, kind: str, share: Share, customer: Customer, **facts: Fact) -> None:
    """Tell those whom a share reaches something about it, but the owner of its customer."""
    people = (id for id in reached(db, share, scope.now()) if id != customer.owner_id)
    notify(scope, db, kind, people, customer, **facts)


def terms_in_words(share: Share) -> dict[str, Fact]:
    """The level and the end of a share, as facts of a notice."""
    return {"level": LEVELS[share.level], "until": share.ends_at or _NO_END}


def customer_of(db: Session, id: int) -> Customer | None:
    """The customer of a share, for what is told of it or logged; its readers are checked as they read."""
    found = select(Customer).where(Customer.id == id)
    return db.execute(found, execution_options=bypass_policy(Because.FOLLOWS_CHECK)).scalar_one_or_none()


def log_share(scope: Scope, db: Session, customer: Customer, changes: Changes) -> None:
    """Log what became of a share or of a request for one, in the history of its customer."""
    stored: Changes = {key: [plain(value) for value in pair] for key, pair in changes.items()}
    row = entry(db.info["signature"], scope.now(), Customer.__tablename__, customer.id, stored, label=customer.label)
    write_row(db, row)
