"""The types that the policy queries share: people, conditions and rights."""

from collections.abc import Iterable

import strawberry

from models import User
from policies.logic import Rights
from policies.saying import Called, phrase
from resolvers.runtime.ids import global_id


@strawberry.type(description="A user by their id and name.")
class PolicyPerson:
    user_id: strawberry.ID | None = strawberry.field(description="Null for the system, which is no user.")
    name: str = strawberry.field(description="What the user is called.")
    """What the user is called."""


@strawberry.type(description="Words of policy lines, all of which have to hold, and what they mean together.")
class PolicyCondition:
    words: list[str]
    """The condition in words of the policy."""
    sentence: str
    """The condition as a sentence in your language."""


@strawberry.type(
    description="What is left of lines for some roles, an object and an action: one of `allow`, none of `deny`."
)
class PolicyRights:
    allow: list[PolicyCondition]
    """Conditions under which it is allowed; one is enough."""
    deny: list[PolicyCondition]
    """Conditions under which it is denied; one is enough, and beats all that allow."""


def person(id: int | None, name: str) -> PolicyPerson:
    return PolicyPerson(user_id=strawberry.ID(global_id(User, id)) if id is not None else None, name=name)


def condition(words: Iterable[str], language: str, called: Called) -> PolicyCondition:
    """The words without `all` and `any`, which hold always; without words the condition holds always."""
    limiting = [word for word in words if word not in ("all", "any")]
    return PolicyCondition(words=limiting, sentence=phrase(limiting, language, called))


def rights_of(rights: Rights, language: str, called: Called) -> PolicyRights:
    allow, deny = (
        [condition((scope, *when.split("&")), language, called) for scope, when in sorted(x)] for x in rights
    )
    return PolicyRights(allow=allow, deny=deny)
