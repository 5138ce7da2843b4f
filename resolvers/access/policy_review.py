"""Review of a policy text before it takes effect: its problems, what it changes for whom, and whether that is allowed.

Reads only.  The records that users gain or lose are counted in `policy_impact.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import User
from models.database.bypass import Because, bypass_policy
from models.errors import BeyondCeiling, GrantsToSelf, LastAdministrator
from policies import InvalidPolicy, Snapshot
from policies.administrators import Binding, bindings
from policies.edit import difference
from policies.objects import FIELDS, is_custom_object
from policies.remarks import Remark, remarks
from policies.review import Change, Roles, can_administer, changes, excesses, may_use
from policies.saying import Called

from ..runtime.policy_store import Stored, checked, hash_of, newest, role_codes
from ..runtime.scope import Scope
from .branch_names import branches_in, called, known_branches
from .excess_refusals import excess_refusal, refuse_bindings
from .grant_limits import Holdings, holdings, keep_an_administrator, sets_of
from .second_person import needs_second, wants_two, widened
from .user_names import or_somebody, shown_name

MOST_BINDINGS = 50
"""Maximum number of rights named that administrators would lose."""


@dataclass(frozen=True)
class Person:
    """A user whom a change concerns."""

    id: int
    name: str


@dataclass(frozen=True)
class Group:
    """The users who hold exactly these roles now or at some later moment; none for a role that is not given yet."""

    roles: Roles
    people: tuple[Person, ...]


@dataclass(frozen=True)
class Beyond:
    """Rights that these roles would bring and that the author may not grant."""

    roles: Roles
    object: str
    actions: tuple[str, ...]
    when: tuple[str, ...]
    as_ceiling: bool
    people: tuple[Person, ...]
    to_self: bool = False
    """Whether the author may grant it to others, but not to themselves."""


@dataclass(frozen=True)
class Review:
    """What a text would change in place of revision `base`.  With `problems` the other fields are empty."""

    base: int
    text: str
    hash: str
    problems: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    groups: dict[Roles, Group] = field(default_factory=dict)
    beyond: list[Beyond] = field(default_factory=list)
    binds: list[Binding] = field(default_factory=list)
    """What administrators could no longer grant, or use because of an inherited denial."""
    remarks: list[Remark] = field(default_factory=list)
    keeps_an_administrator: bool = True
    widens: tuple[str, ...] = ()
    """Which of export, purge and the rights on the policy a user would gain."""
    needs_second: bool = False
    called: Called = field(default_factory=dict)
    """What the words of the branches are called that lines name."""

    @property
    def may_take_effect(self) -> bool:
        return not self.problems and not self.beyond and not self.binds and self.keeps_an_administrator

    def people_of(self, change: Change) -> list[Person]:
        """The users whom a change concerns, ordered by name."""
        found = {person for roles in change.roles for person in self.groups[roles].people}
        return sorted(found, key=lambda person: (person.name, person.id))

    def in_short(self) -> dict[str, Any]:
        """The review as JSON for the revision, with at most 200 changes."""
        summary = [
            {
                "roles": [sorted(roles) for roles in change.roles],
                "people": len(self.people_of(change)),
                "objects": list(change.objects),
                "actions": list(change.actions),
                "gains": bool(change.gained),
                "loses": bool(change.lost),
            }
            for change in self.changes
        ]
        return {"added": self.added, "removed": self.removed, "changes": summary[:200], "widens": list(self.widens)}


def review_policy(scope: Scope, db: Session, text: str) -> Review:
    """What `text` would change.  Raises Forbidden for a caller who may not review policies."""
    scope.allow("review", "policy")
    return judge(scope, db, text)


def judge(scope: Scope, db: Session, text: str) -> Review:
    """What `text` would change, for use cases that check a right of their own."""
    stored = newest(db)
    try:
        codes = role_codes(db)
        checked(text, codes, _customs(scope.policy), known_branches(db) | branches_in(scope.policy.lines))
        new = Snapshot(text, stored.number, book=scope.policy.book)
    except InvalidPolicy as failure:
        return Review(stored.number, text, hash_of(text), problems=failure.problems)
    old, now = current_policy(scope, stored), scope.now()
    held = holdings(db, now)
    groups = _groups(scope, db, held, codes, old, new, now)
    found = changes(old, new, groups)
    is_lost = False
    try:
        keep_an_administrator(db, (old, held), (new, held), now)
    except LastAdministrator:
        is_lost = True
    widens = _widened(old, new, groups)
    removed, added = difference(old.text, text)
    return Review(
        stored.number,
        text,
        hash_of(text),
        added=added,
        removed=removed,
        changes=found,
        groups=groups,
        beyond=_beyond(scope, old, new, groups, _sets_of_author(scope, held, now)),
        binds=list(
            islice(bindings(old, new, ((roles, roles) for roles in groups if groups[roles].people)), MOST_BINDINGS)
        ),
        remarks=remarks(new, codes),
        keeps_an_administrator=not is_lost,
        widens=widens,
        needs_second=bool(widens) and wants_two(db),
        called=called(db, branches_in([*old.lines, *new.lines])),
    )


def _customs(policy: Snapshot) -> frozenset[str]:
    """The custom fields of which lines may speak: those that there are, and those of which lines in force speak already."""
    named = (line.columns[1] for line in policy.lines if line.kind != "g")
    return frozenset(
        {x.object for x in policy.book.fields.values()} | {word for word in named if is_custom_object(word)}
    )


def current_policy(scope: Scope, stored: Stored) -> Snapshot:
    """The policy to compare with: the newest revision, or the last valid one where that was changed by hand."""
    if scope.policy.revision == stored.number or not stored.is_whole:
        return scope.policy
    try:
        return Snapshot(stored.text, stored.number, book=scope.policy.book)
    except InvalidPolicy:
        return scope.policy


def refuse_excess_of(scope: Scope, db: Session, review: Review, author_id: int | None) -> None:
    """Raise what stands against a revision, except against the last one that an administrator made."""
    for first in review.beyond:
        kind = GrantsToSelf if first.to_self else BeyondCeiling
        raise excess_refusal(db, first.roles, first.actions, first.object, first.when, kind)
    refuse_bindings(db, review.binds)
    if review.needs_second and author_id == scope.person.id is not None:
        raise needs_second(review.widens, "put it in force", "启用")


# --- steps -----------------------------------------------------------------------------------------------


def _groups(
    scope: Scope, db: Session, held: Any, codes: Iterable[str], old: Snapshot, new: Snapshot, now: Any
) -> dict[Roles, Group]:
    """All active users by the sets of roles that they hold, the empty set too; and each role by itself."""
    people_by_name = select(User.id, shown_name(scope)).where(User.active, User.deleted_at.is_(None)).order_by(User.id)
    names = {
        id: or_somebody(scope, name)
        for id, name in db.execute(people_by_name, execution_options=bypass_policy(Because.JUDGES_RIGHTS))
    }
    people: dict[Roles, list[Person]] = {}
    for id, name in names.items():
        for roles in sets_of(held.get(id, ()), now):
            people.setdefault(roles, []).append(Person(id, name))
    people.setdefault(frozenset(), [])  # a new user has no role yet
    named = {line.columns[0] for policy in (old, new) for line in policy.lines} - {"*"}
    for code in {*codes, *named}:
        people.setdefault(frozenset({code}), [])
    return {roles: Group(roles, tuple(members)) for roles, members in people.items()}


def _sets_of_author(scope: Scope, held: Holdings, now: datetime) -> set[Roles]:
    """The sets of roles that the author holds now or at some later moment; none where they may grant to themselves."""
    if scope.person.id is None or can_administer(scope.policy, scope.person.roles):
        return set()
    return {scope.person.roles, *sets_of(held.get(scope.person.id, ()), now)}


def _beyond(
    scope: Scope, old: Snapshot, new: Snapshot, groups: dict[Roles, Group], mine: Iterable[Roles]
) -> list[Beyond]:
    """The rights that the author may not grant, equal actions together.  A system principal may grant everything."""
    if scope.person.id is None:
        return []
    author = scope.person.roles
    others = excesses(old, new, [(roles, roles) for roles in groups], author)
    own = excesses(old, new, [(roles, roles) for roles in mine], author, may_use)
    alike: dict[tuple[Roles, str, tuple[str, ...], bool, bool], list[str]] = {}
    for to_self, found in ((False, others), (True, own)):
        for x in found:
            alike.setdefault((x.roles, x.object, x.when, x.as_ceiling, to_self), []).append(x.action)
    return [
        Beyond(roles, object, tuple(actions), when, as_ceiling, groups[roles].people, to_self)
        for (roles, object, when, as_ceiling, to_self), actions in alike.items()
        if object not in FIELDS or alike.get((roles, FIELDS[object], when, as_ceiling, to_self)) != actions
    ]


def _widened(old: Snapshot, new: Snapshot, groups: Iterable[Roles]) -> tuple[str, ...]:
    """Which of the rights that need a second user a user gains, to use or to grant."""
    return widened(excesses(old, new, [(roles, roles) for roles in groups], frozenset()))
