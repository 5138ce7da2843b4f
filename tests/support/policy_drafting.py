"""Drafts of a policy, activated."""

from resolvers.access import policy_drafts, policy_review
from tests.support.world import World

EXPORT = "p, sales, customer, export, own, any, allow"
HIDE = "p, support, contact.points, view, all, any, deny"


def draft(world: World, login: str, *more: str, without: str = "") -> tuple[int, policy_review.Review]:
    """Somebody's draft with lines more, or one less, and its review."""
    text = world.backend.policy.text.replace(f"{without}\n", "") if without else world.backend.policy.text
    text += "".join(f"{line}\n" for line in more)
    id = world.scope(login).do(policy_drafts.draft_policy, text)
    return id, world.run(world.scope(login).read(policy_review.review_policy, text))


def activate(world: World, login: str, *more: str, without: str = "") -> int:
    id, review = draft(world, login, *more, without=without)
    return world.scope(login).do(policy_drafts.activate_policy, id, "a test", review.hash)
