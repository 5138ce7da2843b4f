"""The types that the policy queries share: people, conditions and rights."""

from collections.abc import Iterable

import strawberry

from models import User
from policies.logic import Rights
from policies.saying import phrase
from resolvers.runtime.ids import global_id


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
    """The words without `all` and `any`, which hold always; without words the condition holds always."""
    limiting = [word for word in words if word not in ("all", "any")]
    return PolicyCondition(words=limiting, sentence=phrase(limiting, language))


def rights_of(rights: Rights, language: str) -> PolicyRights:
    allow, deny = ([condition((scope, *when.split("&")), language) for scope, when in sorted(x)] for x in rights)
    return PolicyRights(allow=allow, deny=deny)
