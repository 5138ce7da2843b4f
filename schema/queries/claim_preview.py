"""The query `claimPreview`: every rule that a claim of these customers would be checked against."""

from datetime import datetime

import strawberry

from models import Customer
from models.errors import Validation
from resolvers.pool import claim_preview as previews
from resolvers.pool.claim_rules import Check
from resolvers.runtime.batch import LARGEST
from resolvers.runtime.ids import number_of

from ..contract import GraphQLInfo, Pointer, query
from ..types.make import record_of


@strawberry.type(description="One rule about one claim, and when it would pass.")
class ClaimCheck:
    rule: str
    passed: bool
    detail: str
    message: str | None
    passes_at: datetime | None


@strawberry.type(description="Every rule about claiming one customer.")
class ClaimPreview:
    customer: Pointer = strawberry.field(graphql_type=record_of(Customer))
    allowed: bool
    checks: list[ClaimCheck]


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
        rule=check.rule,
        passed=check.passed,
        detail=check.detail.say(language),
        message=check.refusal.say(language) if check.refusal else None,
        passes_at=check.passes_at,
    )
