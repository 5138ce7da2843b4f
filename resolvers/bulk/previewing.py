"""The preview of a bulk change: what it would come to, tried out on its first records and undone at once.

A field that the caller may not see is in none of it: a change of it is refused, and samples hold what lists show.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy.orm import Session

from models import Customer, Entity, User
from models.bulk_change import ItemState
from models.errors import Refusal
from models.names import OF_MODULE

from ..customers.lock import locked_among
from ..exports import reading
from ..exports.cells import Cell
from ..exports.kinds import ExportColumn, known_columns
from ..exports.listing import Listing
from ..ownership.assignees import Candidate, owner_candidates
from ..ownership.dependents import count_dependents
from ..reading.pages import names_of
from ..runtime.rights_on_many import allowed
from ..runtime.scope import Scope
from ..runtime.trial import trial
from . import wanted
from .changes import alike
from .judging import Became, carry_out, owners_of
from .wanted import OWNER, Given, Handover

MOST_TRIED, TRIED_AT_ONCE = 300, 100
"""Maximum number of records that a preview tries, and of those in one transaction, for which other writes wait."""
MOST_TRANSFERS_TRIED = 60
"""The same where the owner changes, all in one transaction, because they fill up one capacity."""
MOST_COUNTED = 100_000
"""Maximum count of the records of a list; beyond it the preview says that there are more."""
SAMPLES = 3


@dataclass(frozen=True)
class Sample:
    """A record that changes: its name, and column -> its value before and after, as lists show it."""

    model: type[Entity]
    id: int
    name: str
    before: Mapping[str, Cell]
    after: Mapping[str, Cell]


@dataclass(frozen=True)
class Handing:
    """What a transfer takes along: kind -> how many records, the receiver with their load, and the customers that are locked."""

    related: Mapping[type[Entity], int]
    receiver: Candidate | None
    locked: Sequence[str]


@dataclass(frozen=True)
class Preview:
    """What a bulk change would come to.

    `matches`: how many records it is about, at most MOST_COUNTED + 1.  `tried` of them, the first ones, were tried out: `changes`, `same`
    and `refused` are about these.  `refused`: (refusal, how many are refused alike).
    """

    matches: int
    tried: int
    changes: int = 0
    same: int = 0
    refused: Sequence[tuple[Refusal, int]] = ()
    samples: Sequence[Sample] = ()
    handing: Handing | None = None
    columns: Mapping[str, ExportColumn] = field(default_factory=dict)

    @property
    def is_counted(self) -> bool:
        return self.matches <= MOST_COUNTED

    @property
    def is_whole(self) -> bool:
        """Whether all records were tried out."""
        return self.tried == self.matches


async def preview(
    scope: Scope, model: type[Entity], chosen: Listing, given: Given, reason: str | None = None
) -> Preview:
    """What `changing.begin` would come to now; nothing is changed or logged.  Raises what `begin` raises."""
    wanted.check(scope, model, given, chosen)
    handover = given.get(OWNER) if isinstance(given.get(OWNER), Handover) else None
    most, at_once = (MOST_TRANSFERS_TRIED, MOST_TRANSFERS_TRIED) if handover else (MOST_TRIED, TRIED_AT_ONCE)
    matches, ids = await scope.read(_matching, model, chosen, most)
    became, after = list[Became](), dict[int, Mapping[str, Cell]]()
    for at in range(0, len(ids), at_once):
        some, shown = await scope.run(_tried, model, ids[at : at + at_once], given, reason, SAMPLES - len(after))
        became += some
        after |= shown
    handing = await scope.read(_handing, model, ids, handover) if handover is not None else None
    return Preview(
        matches,
        len(ids),
        sum(each.state is ItemState.DONE for each in became),
        sum(each.state is ItemState.SAME for each in became),
        alike((each.refusal for each in became if each.refusal is not None), scope.language),
        await scope.read(_samples, model, given, after),
        handing,
        _columns(scope, model, given),
    )


def _matching(scope: Scope, db: Session, model: type[Entity], chosen: Listing, most: int) -> tuple[int, list[int]]:
    """(number of records, the first ones in the order of the list)."""
    if chosen.ids:
        return len(chosen.ids), [*chosen.ids[:most]]
    found = reading.found(scope, db, model, chosen, right="view")
    first = [*islice((id for ids in found for id in ids), most)]
    if len(first) < most:
        return len(first), first
    return reading.count(scope, db, model, chosen, MOST_COUNTED + 1, right="view"), first


def _tried(
    scope: Scope, model: type[Entity], ids: Sequence[int], given: Given, reason: str | None, samples: int
) -> tuple[list[Became], dict[int, Mapping[str, Cell]]]:
    """(what would become of the records, the values after it of the first ones that would change)."""
    became, after = list[Became](), dict[int, Mapping[str, Cell]]()
    with trial(scope, f"{model.module}.edit") as db:
        became += carry_out(scope, db, model, ids, given, reason)
        changed = [each.id for each in became if each.state is ItemState.DONE][:samples]
        after |= {id: _cells(scope, db, model, given, id) for id in changed}
    return became, after


def _samples(
    scope: Scope, db: Session, model: type[Entity], given: Given, after: Mapping[int, Mapping[str, Cell]]
) -> list[Sample]:
    names = names_of(scope, db, model, [*after])
    if isinstance(to := given.get(OWNER), Handover):  # afterwards the caller may not see them any more
        owner = names_of(scope, db, User, [to.user_id]).get(to.user_id)
        after = {id: {OWNER: owner} for id in after}
    return [Sample(model, id, names.get(id, ""), _cells(scope, db, model, given, id), x) for id, x in after.items()]


def _cells(scope: Scope, db: Session, model: type[Entity], given: Given, id: int) -> dict[str, Cell]:
    columns = _columns(scope, model, given)
    rows = reading.rows(scope, db, model, Listing(binned=None), [*columns.values()], [id], right="view")
    return dict(zip(columns, rows[0], strict=True)) if rows else {}


def _columns(scope: Scope, model: type[Entity], given: Given) -> dict[str, ExportColumn]:
    known = known_columns(scope, model)
    return {key: known[key] for key in given if key in known}


def _handing(scope: Scope, db: Session, model: type[Entity], ids: Sequence[int], to: Handover) -> Handing:
    if model is not Customer:
        return Handing({}, None, ())
    seen = allowed(db, model, ids, "transfer")
    owners = {id: owner for id, owner in owners_of(db, model, [*seen]).items() if owner != to.user_id}
    receiver = next((each for each in owner_candidates(scope, db, ids) if each.id == to.user_id), None)
    return Handing(count_dependents(scope, db, owners), receiver, locked_among(scope, db, ids))


def called(column: ExportColumn, language: str) -> str:
    """What a column is called."""
    return column.said[language.startswith("zh")]


def kinds_said(kind: type[Entity], language: str) -> str:
    """What records of a kind are called, in the plural."""
    names = OF_MODULE[kind.module]
    return (names.zh_many or names.zh) if language.startswith("zh") else names.many


def room(receiver: Candidate | None) -> int | None:
    """How many customers more the receiver may hold; None for no limit, or for one that the caller may not know."""
    if receiver is None or receiver.limit is None or not receiver.is_known:
        return None
    return max(0, receiver.limit - receiver.held)
