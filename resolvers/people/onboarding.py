"""Taking people in: users with department, roles and first password, one or two hundred in one transaction."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from models import User, UserRole
from models.errors import NeedsSecond, Refusal, Validation

from ..access.grant_limits import Held, RefusedTogether, guard_account, judged_together, refused_singly
from ..records import create_update
from ..runtime.batch import LARGEST, Outcome
from ..runtime.scope import Scope
from . import passwords


@dataclass(frozen=True)
class NewPerson:
    """A user to create; their password is the one behind `hashed`, for one use."""

    login: str
    name: str
    hashed: str = ""
    department_id: int | None = None
    role_ids: tuple[int, ...] = ()
    language: str | None = None
    email: str | None = None

    def values(self) -> dict[str, Any]:
        """The columns of the user, without those that are left to their defaults."""
        own = {key: getattr(self, key) for key in ("login", "name", "department_id", "language", "email")}
        return {key: value for key, value in own.items() if value is not None}


@dataclass(frozen=True)
class TakenIn:
    """The outcome, and the first password of each person in the same order, which can be read this once."""

    outcome: Outcome
    passwords: list[str]


class _Undo(Exception):
    """Leaves the transaction in which somebody could not be taken in."""


async def take_in(scope: Scope, people: Sequence[NewPerson], chosen: Mapping[int, str] | None = None) -> TakenIn:
    """Create these users as `create_people` does, with passwords for one use.

    `chosen`: place -> password, for those whose password is not generated.  Raises Validation for too many or none.
    """
    _check_count(people)
    secrets, hashed, weak = [], [], []
    for place, person in enumerate(people):
        password = (chosen or {}).get(place)
        secrets.append(password or passwords.one_time_password())
        try:
            hashed.append(
                await passwords.chosen_password(password, person.login, person.name)
                if password
                else passwords.hash_generated(secrets[-1])
            )
        except Refusal as refusal:
            weak.append(_placed(refusal, place, "password"))
    if weak:
        return TakenIn(Outcome([], weak), [])
    ready = [replace(person, hashed=hash) for person, hash in zip(people, hashed, strict=True)]
    outcome: Outcome = await scope.run(create_people, ready)
    return TakenIn(outcome, secrets if outcome.ids else [])


def create_people(scope: Scope, people: Sequence[NewPerson]) -> Outcome:
    """Create these users, or none of them: the ids in the order of `people`, else a problem for each who is refused.

    The limits of granting are those of giving each role singly.  The field of a problem begins with the place of the
    person, `people.3.login`.  Problems: VALIDATION, DUPLICATE, NOT_FOUND, FORBIDDEN, BEYOND_CEILING.
    Raises Validation for too many or none.
    """
    _check_count(people)
    outcome = Outcome()
    try:
        with scope.write("user.create") as db:
            outcome.ids, outcome.problems = _created(scope, db, people)
            if not outcome.problems:
                outcome.problems = list(_refused_accounts(scope, db, people, outcome.ids))
            if outcome.problems:
                raise _Undo
    except _Undo:
        outcome.ids = []
    return outcome


def create_with_roles(scope: Scope, values: Mapping[str, Any], role_ids: Sequence[int]) -> User:
    """A new user with these roles and no password yet, or none.

    Raises what `create_update.create` raises for the user and for each role; a refusal of a role is about `roles`.
    """
    with scope.write("user.create"):
        user = create_update.create(scope, User, values)
        for role_id in dict.fromkeys(role_ids):
            try:
                create_update.create(scope, UserRole, {"user_id": user.id, "role_id": role_id})
            except Refusal as refusal:
                raise _of_roles(refusal) from None
        return user


def row_of(refusal: Refusal) -> tuple[int, str] | None:
    """The place of the person whom a problem of `create_people` is about, and the field."""
    start, _, rest = (refusal.field or "").partition(".")
    place, _, field = rest.partition(".")
    return (int(place), field) if start == "people" and place.isdecimal() else None


# --- steps -----------------------------------------------------------------------------------------------


def _check_count(people: Sequence[NewPerson]) -> None:
    if not 1 <= len(people) <= LARGEST:
        raise Validation(f"Give 1 to {LARGEST} people at once.", f"一次可添加 1 至 {LARGEST} 人。", field="people")


def _created(scope: Scope, db: Session, people: Sequence[NewPerson]) -> tuple[list[int], list[Refusal]]:
    """(ids, refusals); the roles of all are judged together."""
    ids: list[int] = []
    problems: list[Refusal] = []
    try:
        with judged_together(scope, db) as held:
            for place, person in enumerate(people):
                try:
                    ids.append(_create(scope, person, held))
                except Refusal as refusal:
                    problems.append(_placed(refusal, place))
            if problems:
                raise _Undo
    except RefusedTogether as together:
        refused = refused_singly(scope, db, together.held, "role.create")
        if not refused:
            raise together.first from None
        problems = [_placed(refusal, ids.index(id), "roles") for id, refusal in refused.items()]
    except _Undo:
        pass
    return ids, problems


def _create(scope: Scope, person: NewPerson, held: dict[int, Sequence[Held]]) -> int:
    with scope.write("user.create") as db:
        user = create_update.create(scope, User, person.values())
        if person.role_ids:
            held[user.id] = ()
        for role_id in dict.fromkeys(person.role_ids):
            create_update.create(scope, UserRole, {"user_id": user.id, "role_id": role_id})
        passwords.set_first_password(scope, db, user, person.hashed)
        return user.id


def _refused_accounts(scope: Scope, db: Session, people: Sequence[NewPerson], ids: Sequence[int]) -> Iterator[Refusal]:
    """A refusal for each account into which the caller may not get, although they know its password.

    New users stand alike who have the same roles in the same department, so one of them is judged.
    """
    judged: dict[object, Refusal | None] = {}
    for place, (person, id) in enumerate(zip(people, ids, strict=True)):
        stands = person.department_id, frozenset(person.role_ids)
        if stands not in judged:
            judged[stands] = _account_refusal(scope, db, id)
        if (refusal := judged[stands]) is not None:
            yield _placed(type(refusal)(**refusal.params), place, "roles")


def _account_refusal(scope: Scope, db: Session, id: int) -> Refusal | None:
    try:
        with scope.write("user.password"):
            guard_account(scope, db, id)
    except Refusal as refusal:
        return refusal
    return None


def _placed(refusal: Refusal, place: int, field: str = "") -> Refusal:
    """The refusal at its place, and so those that it carries."""
    refusal.others = tuple(_placed(other, place, field) for other in refusal.others)
    others, refusal = refusal.others, _of_newcomer(refusal)
    refusal.others = others
    refusal.field = f"people.{place}.{field or refusal.field or 'login'}"
    refusal.record_id = None
    return refusal


def _of_roles(refusal: Refusal) -> Refusal:
    refusal = _of_newcomer(refusal)
    refusal.field, refusal.record_id = "roles", None
    return refusal


def _of_newcomer(refusal: Refusal) -> Refusal:
    """A new user has nobody who could have begun to give a role that takes two."""
    if not isinstance(refusal, NeedsSecond):
        return refusal
    refusal = Validation(
        "One of these roles takes two people to give. Take this person in without it, then let two people give it.",
        "其中有角色须由两人授予。请先不选该角色添加此人，再由两人授予。",
    )
    refusal.noted = True
    return refusal
