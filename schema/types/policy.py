"""The types in which the policy is spoken about: reviews, revisions, drafts, explanations, forms."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import strawberry
from strawberry.scalars import JSON
from strawberry.types import Info

from models import User
from policies.logic import Rights, witness
from policies.review import Change, Remark, possible
from policies.saying import phrase
from policies.snapshot import Reason
from resolvers.access import explain, policy_drafts, policy_impact, policy_review, policy_revisions
from resolvers.records import form_schema
from resolvers.runtime.ids import global_id

from ..contract import Context
from . import derive

# --- small things ----------------------------------------------------------------------------------------


@strawberry.type(description="Somebody by his id and name.")
class PolicyPerson:
    id: strawberry.ID
    name: str


@strawberry.type(description="Words of policy lines, all of which have to hold, and what they mean together.")
class PolicyCondition:
    words: list[str]
    sentence: str


@strawberry.type(
    description="What is left of lines for some roles, an object and an action: one of `allow`, none of `deny`."
)
class PolicyRights:
    allow: list[PolicyCondition]
    deny: list[PolicyCondition]


def person(id: int, name: str) -> PolicyPerson:
    return PolicyPerson(id=strawberry.ID(global_id(User, id)), name=name)


def condition(words: Iterable[str], language: str) -> PolicyCondition:
    """Words that mean nothing, `all` and `any`, are left out: without any word it is always."""
    said = [word for word in words if word not in ("all", "any")]
    return PolicyCondition(words=said, sentence=phrase(said, language))


def _rights(rights: Rights, language: str) -> PolicyRights:
    allow, deny = ([condition((scope, *when.split("&")), language) for scope, when in sorted(x)] for x in rights)
    return PolicyRights(allow=allow, deny=deny)


# --- reviews ---------------------------------------------------------------------------------------------


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

    review: policy_review.Review
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

    @strawberry.field(description="Counted in the records that there are; takes its time, so ask only to look.")  # type: ignore[untyped-decorator]  # Strawberry's overloads
    async def effects(self, info: Info[Context, None]) -> list[PolicyEffect]:
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
    remarks: list[PolicyRemark]
    keeps_an_administrator: bool
    widens: list[str]
    needs_second: bool
    may_take_effect: bool


def review_of(review: policy_review.Review, language: str) -> PolicyReview:
    counting = _Counting(review)
    return PolicyReview(
        base=review.base,
        reviewed=review.hash,
        problems=review.problems,
        added=review.added,
        removed=review.removed,
        changes=[_change(counting, change, language) for change in review.changes],
        beyond=[_beyond(x, language) for x in review.beyond],
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
        before=_rights(change.before, language),
        after=_rights(change.after, language),
        gained_when=None if gained is None else condition(gained, language),
        lost_when=None if lost is None else condition(lost, language),
        change=change,
        counting=counting,
    )


def _beyond(x: policy_review.Beyond, language: str) -> PolicyBeyond:
    return PolicyBeyond(
        roles=sorted(x.roles),
        people=[person(one.id, one.name) for one in x.people],
        object=x.object,
        actions=list(x.actions),
        when=condition(x.when, language),
        as_ceiling=x.as_ceiling,
    )


def _remark(x: Remark) -> PolicyRemark:
    return PolicyRemark(line=str(x.line), number=x.line.number, what=x.what, others=list(x.others))


# --- the policy and its history --------------------------------------------------------------------------


@strawberry.type(description="The policy in force.")
class PolicyInForce:
    number: int
    text: str
    problems: list[str] = strawberry.field(description="Why the newest revision is not in force; nothing when it is.")
    foreign: str | None = strawberry.field(
        description="What somebody wrote into casbin_rule by hand; it has no effect."
    )


@strawberry.type(description="One state of the policy. A list leaves the text out.")
class PolicyRevision:
    number: int
    at: datetime
    author: PolicyPerson | None
    reason: str
    parent: int | None
    back_to: int | None
    review: JSON | None
    text: str | None


@strawberry.type(description="A policy that somebody is working on; it has no effect.")
class PolicyDraft:
    id: strawberry.ID
    author: PolicyPerson
    base: int
    text: str
    at: datetime
    is_behind: bool = strawberry.field(description="Whether another revision has come since it began.")


def revision_of(x: policy_revisions.Revision) -> PolicyRevision:
    return PolicyRevision(
        number=x.number,
        at=x.at,
        author=person(x.author_id, x.author or "") if x.author_id is not None else None,
        reason=x.reason,
        parent=x.parent,
        back_to=x.back_to,
        review=None if x.review is None else JSON(x.review),
        text=x.text,
    )


def draft_of(x: policy_drafts.Draft) -> PolicyDraft:
    author = person(x.author_id, x.author)
    return PolicyDraft(
        id=strawberry.ID(f"drf_{x.id}"), author=author, base=x.base, text=x.text, at=x.at, is_behind=x.is_behind
    )


# --- why -------------------------------------------------------------------------------------------------


@strawberry.type(description="One line about it: whether it fired, and if not, the first word that did not hold.")
class PolicyReason:
    line: str
    effect: str
    fired: bool
    missing: str | None
    sentence: str | None = strawberry.field(description="What would have to be true for the line to fire.")


@strawberry.type(description="Whether somebody may do it, and every line about that.")
class AccessExplanation:
    person: str
    action: str
    object: str
    allowed: bool
    reasons: list[PolicyReason]
    whole: "AccessExplanation | None" = strawberry.field(
        description="Why the record that this one hangs on may be seen; without that nobody sees this one."
    )
    explained: strawberry.Private[explain.Explained]

    @strawberry.field(description="The verdict of Casbin's own Enforcer over the same lines, beside `allowed`.")  # type: ignore[untyped-decorator]  # Strawberry's overloads
    async def casbin(self, info: Info[Context, None]) -> bool:
        return await explain.verdict_of_casbin(info.context.scope, self.explained)


@strawberry.type(description="Somebody who may do it, and the lines that let him.")
class PersonWithAccess:
    person: PolicyPerson
    lines: list[str]


def explanation_of(x: explain.Explained, language: str) -> AccessExplanation:
    return AccessExplanation(
        person=x.person.name,
        action=x.action,
        object=x.object,
        allowed=x.allowed,
        reasons=[_reason(reason, language) for reason in x.reasons],
        whole=None if x.whole is None else explanation_of(x.whole, language),
        explained=x,
    )


def _reason(x: Reason, language: str) -> PolicyReason:
    return PolicyReason(line=x.line, effect=x.effect, fired=x.fired, missing=x.missing, sentence=x.why_not(language))


# --- forms -----------------------------------------------------------------------------------------------


@strawberry.type(description="A field of a form: what it holds, and what you may do with it.")
class FormField:
    name: str
    type: derive.enum_of(form_schema.FieldType)  # type: ignore[valid-type]  # made from the use case's enum
    required: bool
    visible: bool
    editable: bool
    length: int | None
    dictionary: str | None = strawberry.field(description="The code of the dictionary whose words it holds.")
    choices: list[str]
    reference: str | None = strawberry.field(description="The type of the record whose id it holds.")


def form_field(x: form_schema.FormField) -> FormField:
    return FormField(
        name=x.name,
        type=x.type,
        required=x.required,
        visible=x.visible,
        editable=x.editable,
        length=x.length,
        dictionary=x.dictionary,
        choices=list(x.choices),
        reference=x.reference,
    )
