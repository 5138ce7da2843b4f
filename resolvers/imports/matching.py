"""Which column of a sheet holds which field: a proposal with its reason, that a person looks over.

The heading proposes, the values decide between what it may mean, and a field goes to the column that fits it best.  A
heading that is known to mean something else, and one that says something unknown, never get a field, however the values
look: a fax number is no phone.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from models.text import fold

from .bids import LEAST, Bid, assigned, bids_for, in_context, meaning_of
from .cells import cells_of, samples_of
from .fields import FieldKind, ImportField
from .fit import Fit, Words
from .heading_match import headings_of_fields
from .meaning import UNKNOWN, Meaning, Strategy
from .reasons import Reason, left_out, proposed, remembered_as, told_by_template, unit_note
from .units import PLAIN, Unit, unit_of

EVERY_STRATEGY = frozenset(Strategy)


class Column(NamedTuple):
    """A column of a sheet: its heading, its first cells as texts, and what the sheet says of each (`date`, `number` …)."""

    header: str
    cells: Sequence[str] = ()
    kinds: Sequence[str] = ()


@dataclass(frozen=True)
class Proposal:
    """What is proposed for the column at `place`: a field, or to leave it out where `field` is None.

    `confidence` is between 0 and 1.  `unit`: what amounts are multiplied by, and their currency.  `samples`: up to three
    values as they stand in the sheet.
    """

    place: int
    header: str
    field: ImportField | None
    confidence: float
    strategy: Strategy
    reason: Reason
    samples: tuple[str, ...] = ()
    unit: Unit = PLAIN


def propose(
    fields: Sequence[ImportField],
    columns: Sequence[Column],
    remembered: Mapping[str, str | None] | None = None,
    words: Words | None = None,
    marked: Mapping[int, str] | None = None,
    using: frozenset[Strategy] = EVERY_STRATEGY,
) -> list[Proposal]:
    """A proposal for each column, in their order.  Each field is proposed once, and their order decides nothing.

    `remembered`: `header_key` of a heading -> the key of its field, or None for a column that was left out.  `words`: the
    spellings of dictionaries, see `vocabulary`.  `marked`: place -> the key of its field, as a template says.  `using`: the ways to find a field, all of them but in measurements.
    """
    looked = [cells_of(column.cells, column.kinds) for column in columns]
    told = _told(fields, columns, marked or {})
    fixed = {**_remembered(fields, columns, remembered or {}, told), **told}
    taken = {each.key for each in fixed.values() if each is not None}
    headings = headings_of_fields(tuple(fields))
    meanings = [
        UNKNOWN
        if place in fixed
        else meaning_of(headings, column.header, looked[place], words or {}, by_values=Strategy.CONTENT in using)
        for place, column in enumerate(columns)
    ]
    bids = [
        bid
        for place, meaning in enumerate(meanings)
        for bid in bids_for(place, meaning, looked[place], words or {})
        if bid.candidate.strategy in using
    ]
    bids = in_context(bids, taken)
    free = [bid for bid in bids if bid.field.key not in taken]
    won = assigned(free, [(fold(column.header), column.header, *column.cells) for column in columns])
    taken |= {bid.field.key for bid in won.values()}
    return [
        _known(place, column, fixed[place], is_told=place in told)
        if place in fixed
        else _proposal(place, column, meanings[place], bids, won.get(place), taken)
        for place, column in enumerate(columns)
    ]


def header_key(header: str) -> str:
    """What a mapping is remembered by for one heading: its text whatever width, case and blanks it has."""
    return fold(header)


def signature(headers: Iterable[str]) -> str:
    """A hash of a set of headings, whatever their order: sheets with one signature are mapped in the same way."""
    text = "\n".join(sorted({header_key(header) for header in headers}))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


# --- proposals -------------------------------------------------------------------------------------------


def _told(
    fields: Sequence[ImportField], columns: Sequence[Column], marked: Mapping[int, str]
) -> dict[int, ImportField | None]:
    """Place -> the field that a template says, as far as the caller may set it."""
    known = {each.key: each for each in fields}
    return {place: known[key] for place, key in marked.items() if key in known and place < len(columns)}


def _remembered(
    fields: Sequence[ImportField],
    columns: Sequence[Column],
    remembered: Mapping[str, str | None],
    told: Mapping[int, ImportField | None],
) -> dict[int, ImportField | None]:
    """Place -> the field that it had last time, None for one left out; a field that is no longer there is matched anew."""
    known, found = {each.key: each for each in fields}, dict[int, ImportField | None]()
    used = {each.key for each in told.values() if each is not None}
    for place, column in enumerate(columns):
        key = header_key(column.header)
        if key not in remembered or place in told:
            continue
        wanted = remembered[key]
        if wanted is None:
            found[place] = None
        elif wanted in known and wanted not in used:
            found[place] = known[wanted]
            used.add(wanted)
    return found


def _known(place: int, column: Column, field: ImportField | None, *, is_told: bool) -> Proposal:
    unit = _unit(column, field)
    reason = told_by_template(field) if is_told and field is not None else remembered_as(field)
    return Proposal(
        place,
        column.header,
        field,
        1.0,
        Strategy.TEMPLATE if is_told else Strategy.REMEMBERED,
        reason,
        samples_of(column.cells),
        unit,
    )


def _proposal(
    place: int, column: Column, meaning: Meaning, bids: Sequence[Bid], bid: Bid | None, taken: Set[str]
) -> Proposal:
    samples = samples_of(column.cells)
    if bid is None:
        reason = left_out(column.header, meaning, *_why_not(place, bids, taken))
        return Proposal(place, column.header, None, 0.0, Strategy.NONE, reason, samples)
    unit = _unit(column, bid.field)
    reason = proposed(column.header, bid.candidate, bid.fit).followed_by(unit_note(unit))
    return Proposal(
        place, column.header, bid.field, round(min(bid.score, 1.0), 2), bid.candidate.strategy, reason, samples, unit
    )


def _why_not(place: int, bids: Sequence[Bid], taken: Set[str]) -> tuple[ImportField | None, Fit | None]:
    """(the field that another column has, how the values differ from the likeliest field)."""
    mine = sorted((bid for bid in bids if bid.place == place), key=lambda bid: (-bid.candidate.weight, bid.field.key))
    for bid in mine:
        if bid.score >= LEAST and bid.field.key in taken:
            return bid.field, None
    return None, next((bid.fit for bid in mine if bid.fit.differs), None)


def _unit(column: Column, field: ImportField | None) -> Unit:
    if field is None or field.kind not in (FieldKind.AMOUNT, FieldKind.NUMBER):
        return PLAIN
    return unit_of(column.header)
