"""The labelled headings of real sheets, and what a proposal makes of them."""

import csv
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import resolvers
from models.text import fold
from policies import STARTER, Principal, Snapshot
from resolvers.imports.fields import ImportField
from resolvers.imports.matching import EVERY_STRATEGY, Column, Proposal, propose
from resolvers.imports.meaning import Strategy
from resolvers.imports.targets import fields_for, target_of
from resolvers.runtime.scope import Scope
from resolvers.setup.install import starter_words
from tests.support.world import START

LABELLED = Path(__file__).parent.parent / "imports" / "headers.csv"
BETWEEN = " ‖ "
TUNED_ON, KEPT = "tuned on", "kept"


@dataclass(frozen=True)
class Sheet:
    """One sheet, each column with the key of its field, "" for a foreign one."""

    name: str
    target: str
    columns: tuple[Column, ...]
    right: tuple[str, ...]

    @property
    def half(self) -> str:
        """The half on which the matching was tuned, or the one that nobody looked at; by the name of the sheet."""
        return TUNED_ON if zlib.crc32(self.name.encode()) % 2 else KEPT


@dataclass
class Score:
    """Columns by what became of them; `bad` lists (sheet, heading, right field, proposed field)."""

    counts: Counter[str] = field(default_factory=Counter)
    bad: list[tuple[str, str, str, str]] = field(default_factory=list)

    @property
    def columns(self) -> int:
        return self.counts.total()

    @property
    def share(self) -> float:
        """Right ones, foreign columns that were left out included."""
        return (self.counts["right"] + self.counts["left out"]) / self.columns

    def add(self, sheet: Sheet, proposal: Proposal) -> None:
        right, got = sheet.right[proposal.place], proposal.field.key if proposal.field else ""
        what = _judged(right, got)
        self.counts[what] += 1
        if what not in ("right", "left out"):
            self.bad.append((sheet.name, proposal.header, right, got))


def labelled() -> list[Sheet]:
    """Every sheet of the labelled set."""
    with LABELLED.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = dict.fromkeys((row["sheet"], row["target"]) for row in rows)
    return [_sheet(name, target, [row for row in rows if row["sheet"] == name]) for name, target in names]


def judged(sheets: Sequence[Sheet], using: frozenset[Strategy] = EVERY_STRATEGY) -> Score:
    """What becomes of the columns of these sheets, in an installation with the words that it starts with."""
    score = Score()
    for sheet in sheets:
        for proposal in proposals(sheet, using):
            score.add(sheet, proposal)
    return score


def proposals(sheet: Sheet, using: frozenset[Strategy] = EVERY_STRATEGY) -> list[Proposal]:
    return propose(fields_of(sheet.target), sheet.columns, words=spellings(), using=using)


@cache
def fields_of(target: str) -> tuple[ImportField, ...]:
    """The fields of a target as an administrator of a new installation has them."""
    resolvers.load()
    person = Principal(1, "Ada", START, roles=frozenset({"administrator"}))
    return fields_for(cast("Scope", SimpleNamespace(policy=Snapshot(STARTER), person=person)), target_of(target))


@cache
def spellings() -> dict[str, frozenset[str]]:
    """Code of a dictionary -> the spellings of its words in a new installation."""
    found: dict[str, set[str]] = {}
    for word in starter_words():
        said: tuple[Any, ...] = (word.key, word.english, word.chinese, *word.aliases)
        found.setdefault(word.dictionary, set()).update(fold(x) for x in said if word.key and x)
    return {code: frozenset(words) for code, words in found.items()}


def _sheet(name: str, target: str, rows: Sequence[dict[str, str]]) -> Sheet:
    columns = tuple(Column(row["header"], tuple(row["samples"].split(BETWEEN))) for row in rows)
    return Sheet(name, target, columns, tuple(row["field"] for row in rows))


def _judged(right: str, got: str) -> str:
    if right == got:
        return "right" if right else "left out"
    if not right:
        return "captured"
    return "wrong" if got else "unmatched"


def halves() -> Iterator[tuple[str, list[Sheet]]]:
    """Both halves by their names."""
    for half in (TUNED_ON, KEPT):
        yield half, [sheet for sheet in labelled() if sheet.half == half]
