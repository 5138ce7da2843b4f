"""The query `reviewPolicy`: what a policy text would change, for whom, and what stands against it."""

import asyncio
from dataclasses import dataclass, field

import strawberry

from models import PolicyDraft
from models.errors import Validation
from policies.logic import witness
from policies.review import Change, Remark, possible
from resolvers.access import policy_drafts, policy_impact
from resolvers.access import policy_review as reviewing
from resolvers.runtime.ids import number_of

from ..contract import GraphQLInfo, query
from ..types.policy import PolicyCondition, PolicyPerson, PolicyRights, condition, person, rights_of


@strawberry.type(description="A record; its name for whoever may see it.")
class PolicySample:
    id: strawberry.ID
    label: str | None


@strawberry.type(description="Records of one object that somebody wins or loses for an action, each counted once.")
class PolicyEffect:
    object: str
    action: str
    won: int
    lost: int
    samples_won: list[PolicySample]
    samples_lost: list[PolicySample]


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
    people: list[PolicyPerson]
    objects: list[str]
    actions: list[str]
    before: PolicyRights
    after: PolicyRights
    gained_when: PolicyCondition | None
    lost_when: PolicyCondition | None
    change: strawberry.Private[Change]
    counting: strawberry.Private[_Counting]

    @strawberry.field(description="Counted in the records that you may see; takes its time, so ask only to look.")  # type: ignore[untyped-decorator]  # Strawberry's overloads
    async def effects(self, info: GraphQLInfo) -> list[PolicyEffect]:
        async with self.counting.lock:
            found = await info.context.scope.read(policy_impact.effects, self.counting.review, self.change)
        return [
            PolicyEffect(
                object=x.object,
                action=x.action,
                won=x.won,
                lost=x.lost,
                samples_won=[PolicySample(id=strawberry.ID(s.id), label=s.label) for s in x.samples_won],
                samples_lost=[PolicySample(id=strawberry.ID(s.id), label=s.label) for s in x.samples_lost],
            )
            for x in found
        ]


@strawberry.type(description="Rights that these roles would bring, in this case, and that you may not hand out.")
class PolicyBeyond:
    roles: list[str]
    people: list[PolicyPerson]
    object: str
    actions: list[str]
    when: PolicyCondition
    as_ceiling: bool = strawberry.field(description="Whether it is a right to hand out, not to use.")
    to_self: bool = strawberry.field(description="Whether you may hand it out to others, but not to yourself.")


@strawberry.type(
    description="A right about which administrators with these roles could no longer decide, in this case."
)
class PolicyBinding:
    roles: list[str]
    object: str
    action: str
    when: PolicyCondition


@strawberry.type(description="A line that is allowed and probably not meant: repeated, denied, impossible, nobody.")
class PolicyRemark:
    line: str
    number: int
    what: str
    others: list[int] = strawberry.field(description="The lines, by number, that repeat or deny it.")


@strawberry.type(
    description="What a text would do in place of revision `base`. With `problems` nothing else was looked at."
)
class PolicyReview:
    base: int
    reviewed: str = strawberry.field(description="Say it to activatePolicy: what you have read is what takes effect.")
    problems: list[str]
    added: list[str]
    removed: list[str]
    changes: list[PolicyChange]
    beyond: list[PolicyBeyond]
    binds: list[PolicyBinding] = strawberry.field(description="What administrators would lose and have to keep.")
    remarks: list[PolicyRemark]
    keeps_an_administrator: bool
    widens: list[str]
    needs_second: bool
    may_take_effect: bool


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
        beyond=[_beyond(x, language) for x in review.beyond],
        binds=[
            PolicyBinding(roles=sorted(x.roles), object=x.object, action=x.action, when=condition(x.when, language))
            for x in review.binds
        ],
        remarks=[_remark(x) for x in review.remarks],
        keeps_an_administrator=review.keeps_an_administrator,
        widens=list(review.widens),
        needs_second=review.needs_second,
        may_take_effect=review.may_take_effect,
    )


def _change(counting: _Counting, change: Change, language: str) -> PolicyChange:
    gained, lost = (witness(table, possible(change.objects[0])) for table in (change.gained, change.lost))
    return PolicyChange(
        roles=[sorted(roles) for roles in change.roles],
        people=[person(x.id, x.name) for x in counting.review.people_of(change)],
        objects=list(change.objects),
        actions=list(change.actions),
        before=rights_of(change.before, language),
        after=rights_of(change.after, language),
        gained_when=None if gained is None else condition(gained, language),
        lost_when=None if lost is None else condition(lost, language),
        change=change,
        counting=counting,
    )


def _beyond(x: reviewing.Beyond, language: str) -> PolicyBeyond:
    return PolicyBeyond(
        roles=sorted(x.roles),
        people=[person(one.id, one.name) for one in x.people],
        object=x.object,
        actions=list(x.actions),
        when=condition(x.when, language),
        as_ceiling=x.as_ceiling,
        to_self=x.to_self,
    )


def _remark(x: Remark) -> PolicyRemark:
    return PolicyRemark(line=str(x.line), number=x.line.number, what=x.what, others=list(x.others))
