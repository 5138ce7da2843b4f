"""People: take users in with department, roles and first password, and give and take the roles of many."""

import strawberry

from models import Department, Role, User
from models.errors import Refusal
from resolvers.people import accounts, onboarding
from resolvers.people.onboarding import NewPerson
from resolvers.runtime.batch import Mode
from resolvers.runtime.ids import global_id, number_of

from ..contract import Answered, GraphQLInfo, act, mutation
from ..problems import Problem, problems_of
from ..types.enums import LanguageType
from ..types.payloads import batch_payload_of


@strawberry.input(description="A user to create.  Without a password one is generated; it is for one use in any case.")
class NewPersonInput:
    login: str
    """The name to sign in with: 2 to 40 small letters, digits and `._-`."""
    name: str
    """What the person is called. At most 200 characters."""
    department_id: strawberry.ID | None = None
    """The team of the person."""
    role_ids: list[strawberry.ID] = strawberry.field(default_factory=list)
    """Roles that the person gets; it needs the right role.create."""
    language: LanguageType | None = None
    """`en` or `zh`; without it that of the organisation."""
    email: str | None = None
    """The address to which notices go."""
    password: str | None = None
    """A password for the first sign-in; without it one is made. 10 to 200 characters, not easily guessed."""


@strawberry.input(description="At most 200 users to create: all of them, or none.")
class CreatePeopleInput:
    people: list[NewPersonInput]
    """The users, at most 200."""


@strawberry.type(
    description="A user who was created; `secret` is the password for the first sign-in, readable this once."
)
class NewPersonAnswer:
    user_id: strawberry.ID
    """The global id of the user, `usr_…`."""
    login: str
    """The name to sign in with."""
    secret: str
    """The password for the first sign-in; it is shown this once, and has to be changed then."""


@strawberry.type(
    description="The users in the order of the input, or what was refused: `people.3.login` is a field of the fourth one."
)
class CreatePeoplePayload:
    people: list[NewPersonAnswer] = strawberry.field(default_factory=list)
    """The users who were created, in the order of the input; empty where one was refused."""
    problems: list[Problem] = strawberry.field(default_factory=list)


@strawberry.input(description="Which users, and which roles.")
class RolesOfManyInput:
    user_ids: list[strawberry.ID]
    """The users, each once."""
    role_ids: list[strawberry.ID]
    """The roles that each of them gets or loses."""
    mode: Mode = Mode.BEST_EFFORT
    idempotency_key: str | None = None


@mutation("user.create")
async def create_people(info: GraphQLInfo, input: CreatePeopleInput) -> CreatePeoplePayload:
    """Create users with department, roles and a password for the first sign-in.

    Asks for the right user.create, and for role.create where roles are given.

    It takes no idempotency key: a repeated request is refused, because the logins are taken.
    """
    scope = info.context.scope
    people = [_person(person) for person in input.people]
    chosen = {place: person.password for place, person in enumerate(input.people) if person.password}
    try:
        taken_in = await onboarding.take_in(scope, people, chosen)
    except Refusal as refusal:
        return CreatePeoplePayload(problems=problems_of([refusal], scope.language))
    made = zip(taken_in.outcome.ids, people, taken_in.passwords, strict=False)
    return CreatePeoplePayload(
        people=[
            NewPersonAnswer(user_id=strawberry.ID(global_id(User, id)), login=person.login, secret=secret)
            for id, person, secret in made
        ],
        problems=problems_of(taken_in.outcome.problems, scope.language),
    )


@mutation("role.create", returns=batch_payload_of(User))
async def give_roles(info: GraphQLInfo, input: RolesOfManyInput) -> Answered:
    """Give roles to users, who may use them at once.  Needs the right `role.create`; nobody gives a role to themselves."""
    return await _of_many(info, input, accounts.give_roles)


@mutation("role.delete", returns=batch_payload_of(User))
async def take_roles(info: GraphQLInfo, input: RolesOfManyInput) -> Answered:
    """Take roles from users, who lose what they allow at once.  Needs the right `role.delete`."""
    return await _of_many(info, input, accounts.take_roles)


async def _of_many(info: GraphQLInfo, input: RolesOfManyInput, use_case: accounts.RolesOfMany) -> Answered:
    users, roles = (
        [number_of(kind, id) for id in ids] for kind, ids in ((User, input.user_ids), (Role, input.role_ids))
    )
    arguments = {"users": users, "roles": roles, "mode": input.mode}
    key = input.idempotency_key
    return await act(
        info.context, User, info.field_name, key, arguments, lambda scope: use_case(scope, users, roles, input.mode)
    )


def _person(given: NewPersonInput) -> NewPerson:
    department = number_of(Department, given.department_id) if given.department_id else None
    roles = tuple(number_of(Role, id) for id in given.role_ids)
    return NewPerson(
        given.login,
        given.name,
        department_id=department,
        role_ids=roles,
        language=given.language,
        email=given.email,
    )
