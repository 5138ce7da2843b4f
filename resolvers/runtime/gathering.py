"""Gathering: what is wrong with a request is told at once, and not one mistake after the other."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from models.errors import Refusal

from .ids import camel


class Gathering:
    """The refusals of one request.  What goes on after the first of them is undone when they are raised.

    Of several about the same input the first one stays, because the others mostly follow from it.
    """

    def __init__(self) -> None:
        self.refusals: list[Refusal] = []

    def __bool__(self) -> bool:
        return bool(self.refusals)

    def note(self, refusal: Refusal) -> None:
        """Take a refusal and those that it carries."""
        for each in refusal.all:
            if each.path is None or all(each.path != known.path for known in self.refusals):
                self.refusals.append(each)

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Take what is refused within, and go on behind it."""
        try:
            yield
        except Refusal as refusal:
            self.note(refusal)

    def blames(self, key: str) -> bool:
        """Whether a refusal is about this input."""
        return any(refusal.field == camel(key) for refusal in self.refusals)

    def settle(self) -> None:
        """Raise the first refusal, which carries the others."""
        if self.refusals:
            raise together(self.refusals)


def together(refusals: Sequence[Refusal]) -> Refusal:
    """The first of these, which carries the others."""
    first, *others = refusals
    first.others = tuple(others)
    for other in others:
        other.others = ()
    return first
