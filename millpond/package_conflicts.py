"""Package conflicts: whether another distribution hides or overwrites one of our packages, whose names are plain.

Imports nothing but the standard library, because it has to report before a wrong package is imported.
"""

from collections.abc import Iterator
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("admin", "millpond", "models", "policies", "resolvers", "schema", "tasks")
HOME = Path(__file__).resolve().parent.parent
"""The folder that holds all seven packages."""


def clashes() -> list[str]:
    """One sentence for each distribution or folder that hides or overwrites a package of ours, with the remedy."""
    owners = packages_distributions()
    return [sentence for name in PACKAGES for sentence in (*_hidden(name), *_shared(name, owners.get(name, [])))]


def _hidden(name: str) -> Iterator[str]:
    spec = find_spec(name)
    places = [] if spec is None else [Path(place).resolve() for place in spec.submodule_search_locations or ()]
    if places != [HOME / name]:
        found = places[0] if places else "nowhere"
        yield f"The package “{name}” is found at {found} instead of {HOME / name}. {_REMEDY}"


def _shared(name: str, owners: list[str]) -> Iterator[str]:
    others = sorted({owner for owner in owners if owner.lower() != "millpond"})
    if others:
        yield f"The package “{name}” is also installed by {', '.join(others)}. {_REMEDY}"


_REMEDY = "Install Millpond into an environment of its own."
