"""The queries of the policy in force, its revisions, and the drafts."""

from datetime import datetime

import strawberry
from strawberry.scalars import JSON

import models
from models.errors import NotFound
from resolvers.access import policy_drafts as drafting
from resolvers.access import policy_revisions as revisions_of
from resolvers.runtime.ids import global_id

from ..contract import GraphQLInfo, query
from ..types.policy import PolicyPerson, person


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


@query("policy.view")
async def policy(info: GraphQLInfo) -> PolicyInForce | None:
    """The policy in force."""
    found = await info.context.scope.read(revisions_of.in_force)
    return PolicyInForce(number=found.number, text=found.text, problems=found.problems, foreign=found.foreign)


@query("policy.view")
async def policy_revisions(
    info: GraphQLInfo, first: int = 50, before: int | None = None
) -> list[PolicyRevision] | None:
    """The states of the policy, the newest first; `before` is a number."""
    found = await info.context.scope.read(revisions_of.revisions, before, first)
    return [_revision(x) for x in found]


@query("policy.view")
async def policy_revision(info: GraphQLInfo, number: int) -> PolicyRevision | None:
    """One state of it, with its text."""
    try:
        return _revision(await info.context.scope.read(revisions_of.revision, number))
    except NotFound:
        return None


@query("policy.view")
async def policy_drafts(info: GraphQLInfo) -> list[PolicyDraft] | None:
    """All drafts that wait."""
    return [_draft(x) for x in await info.context.scope.read(drafting.drafts)]


def _revision(x: revisions_of.Revision) -> PolicyRevision:
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


def _draft(x: drafting.Draft) -> PolicyDraft:
    return PolicyDraft(
        id=strawberry.ID(global_id(models.PolicyDraft, x.id)),
        author=person(x.author_id or 0, x.author),  # of the system: an id that no user has
        base=x.base,
        text=x.text,
        at=x.at,
        is_behind=x.is_behind,
    )
