"""The query `claimPreview`: every rule that a claim of these customers would be checked against."""

from datetime import datetime

import strawberry

from models import Customer
from models.errors import Validation
from resolvers.pool import claim_preview as previews
from resolvers.pool.claim_rules import Check
from resolvers.runtime.batch import LARGEST
from resolvers.runtime.ids import number_of

from ..closed_lists import ClaimRuleName
from ..contract import GraphQLInfo, Pointer, query
from ..types.make import enum_of, record_of


@strawberry.type(description="One rule about one claim, and when it would pass.")
class ClaimCheck:
    rule: enum_of(ClaimRuleName)  # type: ignore[valid-type]  # made from a closed list
    """What is checked, by the code of the problem that a claim would have: `QUOTA_REACHED`."""
    passed: bool
    """Whether the customer and you fulfil it now."""
    detail: str
    """The numbers and times behind it, as a sentence in your language."""
    message: str | None
    """The refusal as a sentence in your language; null for a check that passes."""
    passes_at: datetime | None
    """When it passes by itself; null where time alone does not help."""


@strawberry.type(description="Every rule about claiming one customer.")
class ClaimPreview:
    customer: Pointer = strawberry.field(graphql_type=record_of(Customer))
    """The customer; null where they are out of your sight."""
    allowed: bool
    """Whether a claim would succeed at this moment: every check passes."""
    checks: list[ClaimCheck]
    """Every rule, in the order in which a claim asks them."""


@query("customer.claim")
async def claim_preview(info: GraphQLInfo, ids: list[strawberry.ID]) -> list[ClaimPreview]:
    """Every rule about claiming these customers, passed or not, with numbers and the time when it would pass."""
    scope = info.context.scope
    if len(ids) > LARGEST:
        raise Validation(f"At most {LARGEST} customers.", f"一次最多 {LARGEST} 个客户。", field="ids")
    numbers = [number_of(Customer, text) for text in ids]
    return [_preview(x, scope.language) for x in await scope.read(previews.claim_preview, numbers)]


def _preview(preview: previews.Preview, language: str) -> ClaimPreview:
    return ClaimPreview(
        customer=Pointer(Customer, preview.customer_id),
        allowed=preview.allowed,
        checks=[_check(check, language) for check in preview.checks],
    )


def _check(check: Check, language: str) -> ClaimCheck:
    return ClaimCheck(
        rule=ClaimRuleName(check.rule),
        passed=check.passed,
        detail=check.detail.say(language),
        message=check.refusal.say(language) if check.refusal else None,
        passes_at=check.passes_at,
    )
