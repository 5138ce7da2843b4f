"""Which root fields a caller may ask for before they have signed in, or have chosen a password of their own."""

from collections.abc import Set

from models.errors import NotSignedIn, PasswordMustChange, Refusal
from resolvers.runtime.scope import Scope

WITHOUT_SIGN_IN = {"signIn", "__typename"}
"""Root fields for a caller who is not signed in."""
WITH_ONE_TIME_PASSWORD = {"signIn", "signOut", "changePassword", "__typename"}
"""Root fields for a user who has to choose a password first."""


def entrance_refusal(scope: Scope, names: Set[str]) -> Refusal | None:
    """What keeps the caller from asking for these root fields; None where nothing does."""
    if scope.principal is None:
        return None if names <= WITHOUT_SIGN_IN else NotSignedIn()
    is_stopped = scope.principal.must_change_password and not names <= WITH_ONE_TIME_PASSWORD
    return PasswordMustChange() if is_stopped else None
