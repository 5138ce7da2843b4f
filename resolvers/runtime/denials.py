"""Denials: an attempt without the right is refused and logged."""

from models.errors import Forbidden

from .scope import Scope


def refuse(scope: Scope, module: str, action: str) -> None:
    """Log the attempt to do this and raise Forbidden, whatever other rights the person has."""
    with scope.write(f"{module}.{action}"):
        raise Forbidden(action=f"{module}.{action}")
