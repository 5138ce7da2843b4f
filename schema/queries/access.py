"""The queries `explainAccess` and `whoCanAccess`: which policy lines allow an action on a record, and for whom."""

from typing import Any

import strawberry

from models import ENTITIES, Entity, User
from models.errors import NotFound
from policies.saying import Called
from policies.snapshot import Reason
from resolvers.access import explain
from resolvers.access.branch_names import called_in_force
from resolvers.runtime.ids import BY_PREFIX, number_of

from ..closed_lists import Action, LineEffect
from ..contract import GraphQLInfo, query
from ..types.make import enum_of
from ..types.policy import PolicyPerson, person

ActionType: Any = enum_of(Action)
LineEffectType: Any = enum_of(LineEffect)


@strawberry.type(description="One line about it: whether it fired, and if not, the first word that did not hold.")
class PolicyReason:
    line: str
    """The line as it stands in the policy."""
    effect: LineEffectType
    """`allow` or `deny`; a line that denies beats all that allow."""
    fired: bool
    """Whether all of its conditions hold for this record and user."""
    missing: str | None
    """The first condition that does not hold; null where the line fired."""
    sentence: str | None = strawberry.field(description="What would have to be true for the line to fire.")


@strawberry.type(description="Whether somebody may do it, and every line about that.")
class AccessExplanation:
    person: str
    """The name of the user who was asked about."""
    action: ActionType
    """What was asked about, like `claim`."""
    object: str
    """The object of the policy: a module, or one of its fields as `customer.phone`."""
    allowed: bool
    """Whether the policy allows it. Other rules, like a lock, may still refuse it."""
    reasons: list[PolicyReason]
    """Every line of the policy about it."""
    whole: "AccessExplanation | None" = strawberry.field(
        description="Why the record that this one hangs on may be seen; without that nobody sees this one."
    )
    explained: strawberry.Private[explain.Explained]

    @strawberry.field(description="The verdict of Casbin's own Enforcer over the same lines, beside `allowed`.")  # type: ignore[untyped-decorator]  # Strawberry's overloads
    async def casbin(self, info: GraphQLInfo) -> bool:
        return await explain.verdict_of_casbin(info.context.scope, self.explained)


@strawberry.type(description="Somebody who may do it, and the lines that let him.")
class PersonWithAccess:
    person: PolicyPerson
    """The user."""
    lines: list[str]
    """The lines of the policy that allow it."""


@query("policy.view")
async def explain_access(
    info: GraphQLInfo, user_id: strawberry.ID, action: ActionType, record_id: strawberry.ID, field: str | None = None
) -> AccessExplanation | None:
    """Why somebody may do it to a record, or to a field of it, or not: yourself, or anybody for who may see the policy."""
    scope, (model, id) = info.context.scope, _record(record_id)
    found = await scope.read(explain.explain_access, number_of(User, user_id), str(action.value), model, id, field)
    return _explanation(found, scope.language, await scope.read(called_in_force))


@query("policy.view")
async def who_can_access(
    info: GraphQLInfo, record_id: strawberry.ID, action: ActionType = Action.VIEW
) -> list[PersonWithAccess] | None:
    """Everybody who may do it to a record, by name."""
    model, id = _record(record_id)
    found = await info.context.scope.read(explain.who_can_access, model, id, str(action.value))
    return [PersonWithAccess(person=person(x.user_id, x.name), lines=x.lines) for x in found]


def _record(id: str) -> tuple[type[Entity], int]:
    """The model and number of a global id.  Raises NotFound where it is no id of an entity."""
    model = BY_PREFIX.get(id.partition("_")[0])
    if model is None or model not in ENTITIES or not issubclass(model, Entity):
        raise NotFound(field="recordId")
    return model, number_of(model, id)


def _explanation(x: explain.Explained, language: str, called: Called) -> AccessExplanation:
    return AccessExplanation(
        person=x.person.name,
        action=Action(x.action),
        object=x.object,
        allowed=x.allowed,
        reasons=[_reason(reason, language, called) for reason in x.reasons],
        whole=None if x.whole is None else _explanation(x.whole, language, called),
        explained=x,
    )


def _reason(x: Reason, language: str, called: Called) -> PolicyReason:
    return PolicyReason(
        line=x.line,
        effect=LineEffect(x.effect),
        fired=x.fired,
        missing=x.missing,
        sentence=x.why_not(language, called),
    )
