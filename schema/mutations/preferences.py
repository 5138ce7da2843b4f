"""One's own preferences."""

import strawberry

from resolvers.people import preferences

from ..closed_lists import Language
from ..contract import DonePayload, GraphQLInfo, done, mutation
from ..types.make import enum_of


@strawberry.input(description="The language in which Millpond speaks to you.")
class LanguageInput:
    language: enum_of(Language)  # type: ignore[valid-type]  # made from a closed list
    """`en` or `zh`."""


@mutation("user.preferences")
async def set_language(info: GraphQLInfo, input: LanguageInput) -> DonePayload:
    """Choose the language in which sentences come to you, in answers, notices and the panel."""
    return await done(info.context.scope, preferences.set_language, str(input.language.value))
