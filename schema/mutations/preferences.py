"""One's own preferences."""

import strawberry

from resolvers.people import preferences

from ..contract import DonePayload, GraphQLInfo, done, mutation


@strawberry.input(description="The language in which Millpond speaks to you: en or zh.")
class LanguageInput:
    language: str


@mutation("user.preferences")
async def set_language(info: GraphQLInfo, input: LanguageInput) -> DonePayload:
    """Asks for nothing: it is your own."""
    return await done(info.context.scope, preferences.set_language, input.language)
