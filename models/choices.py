"""What sheets call the members of fixed choices: the kinds of follow-ups, colours, languages."""

from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

DATA = Path(__file__).with_name("choice_words.txt")
"""Lines `Choice.MEMBER | English label | Chinese label | other words …`."""


class Choice(NamedTuple):
    """One member: its name as use cases take it, its label in both languages, and what else it is called."""

    member: str
    english: str
    chinese: str
    others: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """All that a cell may say for it."""
        return (self.member, self.english, self.chinese, *self.others)


def choices_of(kind: str, members: Iterable[str]) -> tuple[Choice, ...]:
    """The members of a choice with their words, in this order; one without words is called by its name."""
    known = _lines().get(kind, {})
    return tuple(known.get(member) or Choice(member, member.capitalize(), member.capitalize()) for member in members)


@cache
def _lines() -> dict[str, dict[str, Choice]]:
    found: dict[str, dict[str, Choice]] = defaultdict(dict)
    for line in DATA.read_text(encoding="utf-8").splitlines():
        name, english, chinese, *others = line.split(" | ")
        kind, member = name.split(".")
        found[kind][member] = Choice(member, english, chinese, tuple(others))
    return dict(found)
