"""The query `reviewPolicy`: what a policy text would change, for whom, and what stands against it."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import strawberry

from models import PolicyDraft
from models.errors import Validation
from policies.logic import witness
from policies.remarks import Remark
from policies.review import Change, possible
from policies.saying import Called
from resolvers.access import policy_drafts, policy_impact
from resolvers.access import policy_review as reviewing
from resolvers.runtime.ids import number_of

from ..closed_lists import Action, RemarkKind
from ..contract import GraphQLInfo, query
from ..types.make import enum_of
from ..types.policy import PolicyCondition, PolicyPerson, PolicyRights, condition, person, rights_of

ActionType: Any = enum_of(Action)
RemarkKindType: Any = enum_of(RemarkKind)


@strawberry.type(description="A record; its name for whoever may see it.")
class PolicySample:
    record_id: strawberry.ID
    """The global id of the record."""
    label: str | None
    """What the record is called; null where it is out of your sight."""


@strawberry.type(description="Records of one object that somebody wins or loses for an action, each counted once.")
class PolicyEffect:
    object: str
    """The module, or the field."""
    action: ActionType
    """What is done to the records, like `view` or `claim`."""
    won: int
    """Number of records for which it would be allowed."""
    lost: int
    """Number of records for which it would not be allowed any more."""
    samples_won: list[PolicySample]
    """A few of those records."""
    samples_lost: list[PolicySample]
    """A few of those records."""


@dataclass
class _Counting:
    """Counts the effects of a review one after the other: each takes a connection."""

    review: reviewing.Review
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@strawberry.type(
    description="What becomes of some actions on some objects for whoever holds one of these sets of roles."
)
class PolicyChange:
    roles: list[list[str]]
    """The sets of roles, each as the codes that a user holds together."""
    people: list[PolicyPerson]
    """Users who hold one of these sets now."""
    objects: list[str]
    """Modules, or fields as `customer.phone`."""
    actions: list[ActionType]
    """What is done to them, like `view` or `claim`."""
    before: PolicyRights
    """When they are allowed and denied now."""
    after: PolicyRights
    """When they would be allowed and denied."""
    gained_when: PolicyCondition | None
    """When it would be allowed that is not allowed now; null for never."""
    lost_when: PolicyCondition | None
    """When it would not be allowed any more; null for never."""
    change: strawberry.Private[Change]
    counting: strawberry.Private[_Counting]

    @strawberry.field(description="Counted in the records that you may see; takes its time, so ask only to look.")  # type: ignore[untyped-decorator]  # Strawberry's overloads
    async def effects(self, info: GraphQLInfo) -> list[PolicyEffect]:
        async with self.counting.lock:
            found = await info.context.scope.read(policy_impact.effects, self.counting.review, self.change)
        return [
            PolicyEffect(
                object=x.object,
                action=Action(x.action),
                won=x.won,
                lost=x.lost,
                samples_won=[PolicySample(record_id=strawberry.ID(s.id), label=s.label) for s in x.samples_won],
                samples_lost=[PolicySample(record_id=strawberry.ID(s.id), label=s.label) for s in x.samples_lost],
            )
            for x in found
        ]


@strawberry.type(description="Rights that these roles would bring, in this case, and that you may not hand out.")
class PolicyBeyond:
    roles: list[str]
    """The sets of roles that would get it."""
    people: list[PolicyPerson]
    """Users who hold one of these sets now."""
    object: str
    """The module, or the field."""
    actions: list[ActionType]
    """What they could do, like `view` or `claim`."""
    when: PolicyCondition
    """When it would be allowed, as a sentence in your language."""
    as_ceiling: bool = strawberry.field(description="Whether it is a right to hand out, not to use.")
    to_self: bool = strawberry.field(description="Whether you may hand it out to others, but not to yourself.")


@strawberry.type(
    description="A right about which administrators with these roles could no longer decide, in this case."
)
class PolicyBinding:
    roles: list[str]
    """The sets of roles."""
    object: str
    """The module, or the field."""
    action: ActionType
    """What is denied, like `view` or `claim`."""
    when: PolicyCondition
    """When it is denied, as a sentence in your language."""


@strawberry.type(description="A line that is allowed and probably not meant: repeated, denied, impossible, nobody.")
class PolicyRemark:
    line: str
    """The line as it stands."""
    number: int
    """The number of the line in the text, from 1."""
    what: RemarkKindType
    """What is odd about it, by its code."""
    others: list[int] = strawberry.field(description="The lines, by number, that repeat or deny it.")


@strawberry.type(
    description="What a text would do in place of revision `base`. With `problems` nothing else was looked at."
)
class PolicyReview:
    base: int
    """The number of the revision that it is compared with."""
    reviewed: str = strawberry.field(description="Say it to activatePolicy: what you have read is what takes effect.")
    problems: list[str]
    added: list[str]
    """Lines that are new."""
    removed: list[str]
    """Lines that are gone."""
    changes: list[PolicyChange]
    """What becomes of rights, for which roles and users."""
    beyond: list[PolicyBeyond]
    """Rights that it would give and that you may not give; one is enough to refuse it."""
    binds: list[PolicyBinding] = strawberry.field(description="What administrators would lose and have to keep.")
    remarks: list[PolicyRemark]
    """What is odd about lines, though it does not stop them."""
    keeps_an_administrator: bool
    """Whether an administrator remains; without one it is refused."""
    widens: list[str]
    """Whether it gives any right that nobody has now."""
    needs_second: bool
    """Whether a second user has to activate it."""
    may_take_effect: bool
    """Whether you may activate it."""


@query("policy.review")
async def review_policy(
    info: GraphQLInfo, text: str | None = None, draft_id: strawberry.ID | None = None
) -> PolicyReview | None:
    """What a text, or a draft, would change, for whom, and what stands against it. Nothing happens."""
    scope = info.context.scope
    if text is not None and draft_id is None:
        review = await scope.read(reviewing.review_policy, text)
    elif draft_id is not None and text is None:
        review = await scope.read(policy_drafts.review_draft, number_of(PolicyDraft, draft_id))
    else:
        raise Validation("Give a text or a draftId.", "请提供 text 或 draftId。", field="text")
    return _review(review, scope.language)


def _review(review: reviewing.Review, language: str) -> PolicyReview:
    counting = _Counting(review)
    return PolicyReview(
        base=review.base,
        reviewed=review.hash,
        problems=review.problems,
        added=review.added,
        removed=review.removed,
        changes=[_change(counting, change, language) for change in review.changes],
        beyond=[_beyond(x, language, review.called) for x in review.beyond],
        binds=[
            PolicyBinding(
                roles=sorted(x.roles),
                object=x.object,
                action=Action(x.action),
                when=condition(x.when, language, review.called),
            )
            for x in review.binds
        ],
        remarks=[_remark(x) for x in review.remarks],
        keeps_an_administrator=review.keeps_an_administrator,
        widens=list(review.widens),
        needs_second=review.needs_second,
        may_take_effect=review.may_take_effect,
    )


def _change(counting: _Counting, change: Change, language: str) -> PolicyChange:
    called = counting.review.called
    gained, lost = (witness(table, possible(change.objects[0])) for table in (change.gained, change.lost))
    return PolicyChange(
        roles=[sorted(roles) for roles in change.roles],
        people=[person(x.id, x.name) for x in counting.review.people_of(change)],
        objects=list(change.objects),
        actions=[Action(x) for x in change.actions],
        before=rights_of(change.before, language, called),
        after=rights_of(change.after, language, called),
        gained_when=None if gained is None else condition(gained, language, called),
        lost_when=None if lost is None else condition(lost, language, called),
        change=change,
        counting=counting,
    )


def _beyond(x: reviewing.Beyond, language: str, called: Called) -> PolicyBeyond:
    return PolicyBeyond(
        roles=sorted(x.roles),
        people=[person(one.id, one.name) for one in x.people],
        object=x.object,
        actions=[Action(name) for name in x.actions],
        when=condition(x.when, language, called),
        as_ceiling=x.as_ceiling,
        to_self=x.to_self,
    )


def _remark(x: Remark) -> PolicyRemark:
    return PolicyRemark(line=str(x.line), number=x.line.number, what=RemarkKind(x.what), others=list(x.others))
