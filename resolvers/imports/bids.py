"""What speaks for a field in a column: its heading, its values, and the other columns of the sheet."""

from collections.abc import Hashable, Iterator, Sequence, Set
from dataclasses import dataclass, replace

from models.headings import Mark

from .cells import Cells, Shape
from .fields import FieldKind, ImportField
from .fit import FEWEST, Fit, Words, fit_of, shape_of
from .heading_match import Headings, is_nameless
from .meaning import Candidate, Meaning, Strategy

LEAST = 0.55
"""The score from which on a field is proposed."""
_SURE = 0.7
"""The score from which on two columns change places for each other."""
_LEAST_OF_REQUIRED = 0.4
"""The score from which on a required field is proposed that no other column has."""
_FITS = {Mark.ALWAYS: 0.02, Mark.BESIDE_NAME: 0.02, Mark.USUALLY: 0.15, Mark.IF_VALUES_FIT: 0.33}
_DIFFERS, _DIFFERS_FROM_LABEL = 0.45, 0.35
_ALONE, _BY_VALUES, _NEARLY_ALL = 0.6, 0.6, 0.8
_TELLING = (Shape.EMAIL, Shape.PHONE, Shape.COMPANY, Shape.REGISTRATION, Shape.ADDRESS)
"""The shapes that name a field where the heading says nothing."""


@dataclass(frozen=True)
class Bid:
    """One field for the column at `place`, with the score that heading and values come to."""

    place: int
    candidate: Candidate
    score: float
    fit: Fit

    @property
    def field(self) -> ImportField:
        return self.candidate.field


def meaning_of(headings: Headings, header: str, cells: Cells, words: Words, *, by_values: bool = True) -> Meaning:
    """What a heading may mean; where it says nothing, what the values say."""
    found = headings.meaning(header)
    if found or not by_values or cells.count < FEWEST or not is_nameless(header):
        return found
    telling = [each for each in headings.fields if _is_told(each, cells, words)]
    fits = Mark.IF_VALUES_FIT
    weight = _BY_VALUES - _FITS[fits]
    return Meaning(tuple(Candidate(each, weight, Strategy.CONTENT, "", fits) for each in telling))


def bids_for(place: int, meaning: Meaning, cells: Cells, words: Words) -> Iterator[Bid]:
    """A bid for each field that a heading may mean."""
    for candidate in meaning.candidates:
        fit = fit_of(candidate.field, cells, words)
        score = candidate.weight
        if fit.fits:
            score = min(1.0, score + _FITS[candidate.mark])
        elif fit.differs:
            score -= _DIFFERS_FROM_LABEL if candidate.strategy is Strategy.LABEL else _DIFFERS
        yield Bid(place, candidate, round(score, 6), fit)


def in_context(bids: Sequence[Bid], taken: Set[str] = frozenset()) -> list[Bid]:
    """The bids, those for the contact of a customer lowered where no column has the contact's name.

    `taken`: the keys of fields whose columns are known without a bid.
    """
    if "contact_name" in taken or any(bid.field.key == "contact_name" and bid.score >= LEAST for bid in bids):
        return [*bids]
    return [replace(bid, score=bid.score - _ALONE) if _needs_name(bid.candidate) else bid for bid in bids]


def assigned(bids: Sequence[Bid], names: Sequence[tuple[Hashable, ...]]) -> dict[int, Bid]:
    """Place -> the bid that won it: each field and each column once, the best bids first.

    A column that is left over takes the field of another one if that has a further field of its own.  `names` decide
    between equal scores, so that the order of columns does not matter.
    """
    ordered = sorted(bids, key=lambda bid: (-bid.score, bid.candidate.strategy, -bid.fit.count, *_text(names, bid)))
    won = _best_first(ordered)
    _move_over(ordered, won)
    _fill_required(ordered, won)
    return won


# --- steps -----------------------------------------------------------------------------------------------


def _is_told(each: ImportField, cells: Cells, words: Words) -> bool:
    """Whether the values alone say that a column holds this field."""
    if each.kind is FieldKind.WORD:
        return cells.among(words.get(each.dictionary or "", ())) / cells.count >= _NEARLY_ALL
    shape = shape_of(each)
    return shape in _TELLING and cells.share(shape) >= _NEARLY_ALL


def _needs_name(candidate: Candidate) -> bool:
    """Whether this is the address of a contact, though the heading does not say so by itself."""
    key, word = candidate.field.key, candidate.word
    if key == "contact_title":
        return "contact" not in word and "联" not in word
    return key in ("contact_phone", "contact_email") and candidate.mark is not Mark.ALWAYS


def _text(names: Sequence[tuple[Hashable, ...]], bid: Bid) -> tuple[str, ...]:
    """What decides between equal scores: the column, then the field with the plainest key, `email` before `contact_email`."""
    return (*map(str, names[bid.place]), f"{len(bid.field.key):3}", bid.field.key)


def _best_first(ordered: Sequence[Bid]) -> dict[int, Bid]:
    won: dict[int, Bid] = {}
    fields: set[str] = set()
    for bid in ordered:
        if bid.score >= LEAST and bid.place not in won and bid.field.key not in fields:
            won[bid.place] = bid
            fields.add(bid.field.key)
    return won


def _move_over(ordered: Sequence[Bid], won: dict[int, Bid]) -> None:
    """Let columns that are left over have the field of one that can move to a free field."""
    for bid in ordered:
        if bid.score < _SURE or bid.place in won:
            continue
        holder = next((x for x in won.values() if x.field.key == bid.field.key), None)
        held = {x.field.key for x in won.values()}
        further = next(
            (x for x in ordered if holder and x.place == holder.place and x.score >= _SURE and x.field.key not in held),
            None,
        )
        if holder is not None and further is not None:
            won[holder.place], won[bid.place] = further, bid


def _fill_required(ordered: Sequence[Bid], won: dict[int, Bid]) -> None:
    """Let a required field that nothing has take the likeliest column, unless that holds another required one."""
    for bid in ordered:
        if not bid.field.is_required or bid.score < _LEAST_OF_REQUIRED or bid.fit.differs:
            continue
        is_free = bid.place not in won or not won[bid.place].field.is_required
        if is_free and bid.field.input not in {x.field.input for x in won.values()}:
            won[bid.place] = bid
