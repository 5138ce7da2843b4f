"""The queries of the policy in force, its revisions, and the drafts."""

from collections.abc import Sequence
from datetime import datetime

import strawberry
from strawberry.scalars import JSON

import models
from models.errors import Forbidden, NotFound
from resolvers.access import policy_drafts as drafting
from resolvers.access import policy_revisions as revisions_of
from resolvers.runtime.ids import global_id
from resolvers.runtime.scope import Scope

from ..contract import GraphQLInfo, query
from ..nodes import node
from ..types.namespace import Node
from ..types.policy import PolicyPerson, person


@strawberry.type(description="The revision of the policy by which rights are decided at this moment.")
class PolicyInForce:
    number: int
    """The number of the revision in force."""
    text: str
    """Its lines, as `draftPolicy` takes them."""
    problems: list[str] = strawberry.field(description="Why the newest revision is not in force; nothing when it is.")
    foreign: str | None = strawberry.field(
        description="What somebody wrote into casbin_rule by hand; it has no effect."
    )


@strawberry.type(description="One state of the policy. A list leaves the text out.")
class PolicyRevision:
    number: int
    """Its number, from 1."""
    at: datetime
    """When it came into force."""
    author: PolicyPerson | None
    """Who put it in force; null for the system."""
    reason: str
    """Why, in their words."""
    parent: int | None
    """The number of the revision before it; null for the first one."""
    back_to: int | None
    """The number of the revision that it brought back; null for a new text."""
    review: JSON | None
    """What its review found, as JSON; null where there was none."""
    text: str | None
    """Its lines; null in a list."""


@strawberry.type(description="A policy that somebody is working on; it has no effect.")
class PolicyDraft(Node):
    id: strawberry.ID
    author: PolicyPerson
    """Who is working on it."""
    base: int
    """The number of the revision from which it began."""
    text: str
    """Its lines."""
    at: datetime
    """When it was stored last."""
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


@node(models.PolicyDraft)
async def _drafts_of(scope: Scope, ids: Sequence[int]) -> dict[int, PolicyDraft]:
    """The drafts with these ids; none for a caller who may not view the policy."""
    try:
        return {x.id: _draft(x) for x in await scope.read(drafting.drafts) if x.id in ids}
    except Forbidden:
        return {}


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
        author=person(x.author_id, x.author),
        base=x.base,
        text=x.text,
        at=x.at,
        is_behind=x.is_behind,
    )
