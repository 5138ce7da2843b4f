"""Which column of a sheet holds which field: a proposal with its reason, that a person looks over.

The heading proposes, the values decide between what it may mean, and a field goes to the column that fits it best.  A
heading that is known to mean something else, and one that says something unknown, never get a field, however the values
look: a fax number is no phone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import NamedTuple

from models.headings import Mark
from models.text import fold

from .cells import Cells, Shape, cells_of, samples_of
from .fields import FieldKind, ImportField
from .fit import FEWEST, Fit, Words, fit_of, shape_of
from .heading_match import Candidate, Headings, Meaning, Strategy, headings_of_fields, is_nameless
from .reasons import Reason, left_out, proposed, remembered_as, unit_note
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


@dataclass(frozen=True)
class _Bid:
    """What speaks for one field for one column."""

    place: int
    candidate: Candidate
    score: float
    fit: Fit

    @property
    def field(self) -> ImportField:
        return self.candidate.field


def propose(
    fields: Sequence[ImportField],
    columns: Sequence[Column],
    remembered: Mapping[str, str | None] | None = None,
    words: Words | None = None,
    using: frozenset[Strategy] = EVERY_STRATEGY,
) -> list[Proposal]:
    """A proposal for each column, in their order.  Each field is proposed once, and their order decides nothing.

    `remembered`: `header_key` of a heading -> the key of its field, or None for a column that was left out.  `words`: the
    spellings of dictionaries, see `vocabulary`.  `using`: the ways to find a field, all of them but in measurements.
    """
    looked = [cells_of(column.cells, column.kinds) for column in columns]
    fixed = _remembered(fields, columns, remembered or {})
    taken = {each.key for each in fixed.values() if each is not None}
    free = tuple(each for each in fields if each.key not in taken)
    headings = headings_of_fields(free)
    meanings = [
        Meaning() if place in fixed else _meaning(headings, column.header, looked[place], words or {}, using)
        for place, column in enumerate(columns)
    ]
    bids = [
        bid
        for place, meaning in enumerate(meanings)
        for bid in _bids(place, meaning, looked[place], words or {})
        if bid.candidate.strategy in using
    ]
    won = _assigned(_in_context(bids), columns)
    return [
        _known(place, column, fixed[place]) if place in fixed else _proposal(place, column, meanings[place], bids, won)
        for place, column in enumerate(columns)
    ]


def header_key(header: str) -> str:
    """What a mapping is remembered by for one heading: its text whatever width, case and blanks it has."""
    return fold(header)


def signature(headers: Iterable[str]) -> str:
    """A hash of a set of headings, whatever their order: sheets with one signature are mapped in the same way."""
    text = "\n".join(sorted({header_key(header) for header in headers}))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


# --- bids ------------------------------------------------------------------------------------------------

_LEAST = 0.55
"""The score from which on a field is proposed."""
_FITS = {Mark.ALWAYS: 0.02, Mark.BESIDE_NAME: 0.02, Mark.USUALLY: 0.15, Mark.IF_VALUES_FIT: 0.33}
_DIFFERS, _DIFFERS_IN_SPITE_OF_NAME = 0.45, 0.35
_ALONE, _BY_VALUES, _NEARLY_ALL = 0.6, 0.6, 0.8
_TELLING = (Shape.EMAIL, Shape.PHONE, Shape.COMPANY, Shape.REGISTRATION, Shape.ADDRESS)
"""The shapes that name a field where the heading says nothing."""


def _meaning(headings: Headings, header: str, cells: Cells, words: Words, using: frozenset[Strategy]) -> Meaning:
    found = headings.meaning(header)
    if found or not is_nameless(header) or Strategy.CONTENT not in using or cells.count < FEWEST:
        return found
    telling = [each for each in headings.fields if _is_told(each, cells, words)]
    return Meaning(tuple(Candidate(each, _BY_VALUES, Strategy.CONTENT, "") for each in telling))


def _is_told(each: ImportField, cells: Cells, words: Words) -> bool:
    """Whether the values alone say that a column holds this field."""
    shape = shape_of(each)
    if each.kind is FieldKind.WORD:
        return cells.among(words.get(each.dictionary or "", ())) / cells.count >= _NEARLY_ALL
    return shape in _TELLING and cells.share(shape) >= _NEARLY_ALL


def _bids(place: int, meaning: Meaning, cells: Cells, words: Words) -> Iterable[_Bid]:
    for candidate in meaning.candidates:
        fit = fit_of(candidate.field, cells, words)
        score = candidate.weight
        if fit.fits:
            score = min(1.0, score + _FITS[candidate.mark])
        elif fit.differs:
            score -= _DIFFERS_IN_SPITE_OF_NAME if candidate.strategy is Strategy.LABEL else _DIFFERS
        yield _Bid(place, candidate, round(score, 4), fit)


def _in_context(bids: list[_Bid]) -> list[_Bid]:
    """Lower what is about the contact of a customer where no column has the contact's name."""
    if any(bid.field.key == "contact_name" and bid.score > _LEAST for bid in bids):
        return bids
    return [replace(bid, score=bid.score - _ALONE) if _needs_name(bid.candidate) else bid for bid in bids]


def _needs_name(candidate: Candidate) -> bool:
    key = candidate.field.key
    return (
        key.startswith("contact_") and key not in ("contact_name", "contact_id") and candidate.mark is not Mark.ALWAYS
    )


def _assigned(bids: list[_Bid], columns: Sequence[Column]) -> dict[int, _Bid]:
    """Place -> the bid that won it: the best ones first, each field and each column once."""
    won: dict[int, _Bid] = {}
    fields: set[str] = set()
    for bid in sorted(bids, key=lambda bid: (-bid.score, *_order(columns[bid.place], bid))):
        if bid.score >= _LEAST and bid.place not in won and bid.field.key not in fields:
            won[bid.place] = bid
            fields.add(bid.field.key)
    return won


def _order(column: Column, bid: _Bid) -> tuple[object, ...]:
    """What decides between equal scores: nothing that depends on the order of columns but for equal ones."""
    return (bid.candidate.strategy, -bid.fit.count, fold(column.header), column.header, *column.cells, bid.field.key)


# --- proposals -------------------------------------------------------------------------------------------


def _remembered(
    fields: Sequence[ImportField], columns: Sequence[Column], remembered: Mapping[str, str | None]
) -> dict[int, ImportField | None]:
    """Place -> the field that it had last time, None for one left out; a field that is no longer there is matched anew."""
    known, found, used = {each.key: each for each in fields}, dict[int, ImportField | None](), set[str]()
    for place, column in enumerate(columns):
        key = header_key(column.header)
        if key not in remembered:
            continue
        wanted = remembered[key]
        if wanted is None:
            found[place] = None
        elif wanted in known and wanted not in used:
            found[place] = known[wanted]
            used.add(wanted)
    return found


def _known(place: int, column: Column, field: ImportField | None) -> Proposal:
    unit = _unit(column, field)
    return Proposal(
        place,
        column.header,
        field,
        1.0,
        Strategy.REMEMBERED,
        remembered_as(field),
        samples_of(column.cells),
        unit,
    )


def _proposal(place: int, column: Column, meaning: Meaning, bids: Sequence[_Bid], won: Mapping[int, _Bid]) -> Proposal:
    samples = samples_of(column.cells)
    if (bid := won.get(place)) is None:
        reason = left_out(column.header, meaning, *_why_not(place, bids, won))
        return Proposal(place, column.header, None, 0.0, Strategy.NONE, reason, samples)
    unit = _unit(column, bid.field)
    reason = proposed(column.header, bid.candidate, bid.fit).followed_by(unit_note(unit))
    return Proposal(place, column.header, bid.field, min(bid.score, 1.0), bid.candidate.strategy, reason, samples, unit)


def _why_not(place: int, bids: Sequence[_Bid], won: Mapping[int, _Bid]) -> tuple[ImportField | None, Fit | None]:
    """(the field that another column has, how the values differ from the likeliest field)."""
    mine = sorted((bid for bid in bids if bid.place == place), key=lambda bid: (-bid.candidate.weight, bid.field.key))
    holders = {bid.field.key: bid for bid in won.values()}
    for bid in mine:
        if bid.score >= _LEAST and bid.field.key in holders:
            return bid.field, None
    return None, next((bid.fit for bid in mine if bid.fit.differs), None)


def _unit(column: Column, field: ImportField | None) -> Unit:
    if field is None or field.kind not in (FieldKind.AMOUNT, FieldKind.NUMBER):
        return PLAIN
    return unit_of(column.header)
