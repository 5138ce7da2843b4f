"""Which fields a heading may mean: by its form, without neutral words, part by part, and in spite of its spelling."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from models.headings import (
    LATIN_WORDS,
    Mark,
    by_script,
    foreign_headings,
    heading_form,
    in_brackets,
    is_chinese,
    neutral_words,
    without_brackets,
)
from models.pinyin import syllables

from .fields import ImportField
from .meaning import UNKNOWN, WEIGHTS, Candidate, Meaning, Strategy
from .units import PLAIN, unit_of, without_unit

_WITHOUT_NEUTRAL, _SECOND, _ALL_PARTS, _A_PART, _CONFLICT, _IN_BRACKETS, _MISSPELT = (
    0.93,
    0.95,
    0.93,
    0.88,
    0.7,
    0.85,
    0.82,
)
_OR = "或者|或|和|及"
_PARTS = re.compile(
    rf"[/\\|、,，;&]|(?<=[\u4e00-\u9fff])\.(?=[\u4e00-\u9fff])|(?<=[\u4e00-\u9fff])(?:{_OR})(?=[\u4e00-\u9fff])| or | and "
)
_LESS_USUAL = 1e-5
"""What a heading weighs less than the one before it in the list: of two columns the one with the more usual heading wins."""
_MADE = 0.02
"""What a heading weighs less that is made of parts."""
_DIGITS = re.compile(r"(?<!\d)\d{1,2}(?!\d)")
_SHORTEST_LATIN, _SHORTEST_INITIALS = 5, 3
_COLUMN = "列|栏|字段|第|column|col|field|unnamed|f|c|"
_NO_NAME = "未命名|无标题|untitled"
_NAMELESS = re.compile(rf"(?:{_COLUMN}) ?\d{{0,3}} ?{_COLUMN[0]}?|[a-z]|{_NO_NAME}")


def is_nameless(heading: str) -> bool:
    """Whether a heading says nothing: it is empty, or what a program puts there."""
    form = heading_form(heading)
    return bool(_NAMELESS.fullmatch(form)) and form not in ("no", "id", "qq")


@dataclass(frozen=True)
class Headings:
    """What is known of the headings of some fields."""

    fields: tuple[ImportField, ...]
    words: Mapping[str, tuple[Candidate, ...]] = field(hash=False)
    foreign: frozenset[str] = field(hash=False)
    neutral: frozenset[str] = field(hash=False)

    def meaning(self, heading: str) -> Meaning:
        """What a heading may mean: the surest way that says anything."""
        bare = without_unit(heading) if unit_of(heading) != PLAIN else heading
        form = heading_form(bare)
        for found in (self._plain(form), self._numbered(form), self._parts(bare, form)):
            if found:
                return self._with_brackets(heading, form, found)
        for inside in in_brackets(heading):
            if inside != form and (found := self._plain(inside)):
                return found.weighed(_IN_BRACKETS)
        return self._misspelt(form)

    # -- ways ---------------------------------------------------------------------------------------------

    def _exact(self, form: str) -> Meaning:
        if form in self.words:
            return Meaning(self.words[form])
        return Meaning(foreign=form) if form in self.foreign else UNKNOWN

    def _plain(self, form: str) -> Meaning:
        """The form itself, or what is left of it without neutral words."""
        found = self._exact(form)
        if found or not form:
            return found
        pieces = list(form) if is_chinese(form) else form.split(" ")
        return self._core(pieces, "" if is_chinese(form) else " ")

    def _core(self, pieces: list[str], glue: str) -> Meaning:
        """The longest known heading inside a form of which everything else is neutral."""
        count = min(len(pieces), _MOST_PIECES)
        for length in range(count - 1, 0, -1):
            for at in range(count - length + 1):
                core = glue.join(pieces[at : at + length])
                if (found := self._exact(core)) and all(
                    self._is_neutral(glue.join(rest), glue) for rest in (pieces[:at], pieces[at + length :])
                ):
                    return found.weighed(_WITHOUT_NEUTRAL, Strategy.WITHIN)
        return UNKNOWN

    def _is_neutral(self, text: str, glue: str) -> bool:
        if glue:
            return all(word in self.neutral or word.isdigit() for word in text.split())
        ends = {0}
        for at in range(1, len(text) + 1):
            if any(text[start:at] in self.neutral for start in ends):
                ends.add(at)
        return len(text) in ends

    def _numbered(self, form: str) -> Meaning:
        """`电话2` as 电话 and `联系人1电话` as 联系人电话: a column with the first number, or with none, goes before it."""
        numbers = _DIGITS.findall(form)
        if len(numbers) != 1:
            return UNKNOWN
        plain = heading_form(_DIGITS.sub(" ", form))
        return self._plain(plain).weighed(1.0 if numbers[0] in ("1", "01") else _SECOND)

    def _parts(self, heading: str, form: str) -> Meaning:
        """`手机/电话`, and a heading in two languages."""
        text = without_brackets(heading)
        is_parted = bool(_PARTS.search(text))
        parts = [heading_form(part) for part in _PARTS.split(text)] if is_parted else [*by_script(form)]
        known = [found for part in parts if part and (found := self._plain(part) or self._numbered(part))]
        if len(parts) < 2 or not known or (len(known) < len(parts) and not is_parted):
            return UNKNOWN  # ERP编码 is no 编码
        meant: dict[str, list[Candidate]] = defaultdict(list)
        for each in known:
            for candidate in each.candidates:
                meant[candidate.field.key].append(candidate)
        factor = _A_PART if len(known) < len(parts) else _ALL_PARTS
        best = tuple(
            replace(
                max(found, key=lambda x: x.weight),
                weight=max(x.weight for x in found) * (factor if len(found) == len(known) else _CONFLICT),
                strategy=Strategy.WITHIN,
            )
            for found in meant.values()
        )
        return Meaning(best) if best else known[0]

    def _with_brackets(self, heading: str, form: str, found: Meaning) -> Meaning:
        """What brackets add: `地址（开票）` is an address for invoices, `电话（手机）` a mobile number."""
        for inside in in_brackets(heading):
            both = [heading_form(f"{inside} {form}"), heading_form(f"{form} {inside}")]
            if any(x in self.foreign for x in both):
                return Meaning(foreign=next(x for x in both if x in self.foreign))
            more = next((self.words[x] for x in (*both, inside) if x in self.words), ())
            if more and not found.foreign:
                keys = {x.field.key for x in more}
                return Meaning((*more, *(x for x in found.candidates if x.field.key not in keys)))
            if inside in self.foreign:
                return Meaning(foreign=inside)
        return found

    def _misspelt(self, form: str) -> Meaning:
        if is_chinese(form):
            found = self._agreed(self._by_pinyin.get(_sound(form), ()) if len(form) > 1 else ())
            return (found if len(form) > _SHORT_CHINESE else found.doubted()).weighed(_MISSPELT, Strategy.SPELLING)
        glued = form.replace(" ", "")
        words = (
            self._by_pinyin.get(glued, ())
            or (self._by_initials.get(glued, ()) if len(glued) >= _SHORTEST_INITIALS else ())
            or self._split(glued)
            or self._close(glued)
        )
        return self._agreed(words).weighed(_MISSPELT, Strategy.SPELLING)

    def _agreed(self, words: Iterable[str]) -> Meaning:
        """What these words mean, unless one of them is foreign."""
        found = [self._exact(word) for word in words]
        if any(x.foreign for x in found):
            return next(x for x in found if x.foreign)
        best: dict[str, Candidate] = {}
        for candidate in (x for each in found for x in each.candidates):
            if candidate.weight > getattr(best.get(candidate.field.key), "weight", 0.0):
                best[candidate.field.key] = candidate
        return Meaning(tuple(best.values()))

    def _split(self, glued: str) -> tuple[str, ...]:
        """The known heading whose words are written as one: `custname` is `customer name`."""
        if not (_SHORTEST_LATIN <= len(glued) <= _LONGEST_GLUED and glued.isascii() and glued.isalpha()):
            return ()
        found: dict[int, list[str]] = {0: [""]}
        for end in range(2, len(glued) + 1):
            found[end] = [
                f"{before} {glued[start:end]}"
                for start in found
                if end - start > 1 and glued[start:end] in self._tokens
                for before in found[start]
            ][:_MOST_SPLITS]
        return tuple(form for each in found[len(glued)] if (form := heading_form(each)) in self.words)[:1]

    def _close(self, glued: str) -> tuple[str, ...]:
        """The Latin words that differ by one letter, or by two of a long one, and begin alike."""
        if len(glued) < _SHORTEST_LATIN or not glued.isascii():
            return ()
        most = 1 if len(glued) < _LONG_LATIN else 2
        close = process.extract(glued, self._latin.keys(), scorer=OSA.distance, score_cutoff=most, limit=5)
        least = min((distance for _, distance, _ in close), default=0)
        return tuple(
            word
            for near, distance, _ in close
            if distance == least and near[0] == glued[0]
            for word in self._latin[near]
        )

    # -- made when the first heading needs it ---------------------------------------------------------------

    @cached_property
    def _tokens(self) -> frozenset[str]:
        """Every Latin word of a heading, and what stands for one."""
        return frozenset(token for word in self._all() if word.isascii() for token in word.split()) | LATIN_WORDS

    @cached_property
    def _latin(self) -> dict[str, list[str]]:
        words = (word for word in self._all() if word.isascii() and all(len(x) > 2 for x in word.split()))
        return _grouped((word.replace(" ", ""), word) for word in words)

    @cached_property
    def _by_pinyin(self) -> dict[str, list[str]]:
        return _grouped((_sound(word), word) for word in self._all() if is_chinese(word) and len(word) > 1)

    @cached_property
    def _by_initials(self) -> dict[str, list[str]]:
        words = (word for word in self._all() if re.fullmatch("[\u4e00-\u9fff]{3,}", word))
        return _grouped((_initials(word), word) for word in words)

    def _all(self) -> Iterator[str]:
        yield from self.words
        yield from self.foreign


_MOST_PIECES, _MOST_SPLITS, _LONGEST_GLUED = 24, 8, 30
_SHORT_CHINESE = 2
_LONG_LATIN = 12


@lru_cache(maxsize=64)
def headings_of_fields(fields: tuple[ImportField, ...]) -> Headings:
    """The index of the headings of these fields.  Cached: making it takes some milliseconds."""
    words: dict[str, dict[str, Candidate]] = defaultdict(dict)
    for each in fields:
        for candidate in _candidates(each):
            first = words[candidate.word].get(each.key)
            if first is None or first.weight < candidate.weight:
                words[candidate.word][each.key] = candidate
    known = {word: tuple(found.values()) for word, found in words.items() if word}
    table = fields[0].table if fields else ""
    return Headings(fields, known, foreign_headings() - known.keys(), neutral_words(table))


def _candidates(each: ImportField) -> Iterator[Candidate]:
    for label in each.label:
        yield Candidate(each, 1.0, Strategy.LABEL, heading_form(label))
    yield Candidate(each, WEIGHTS[Mark.ALWAYS], Strategy.SYNONYM, heading_form(each.key.removesuffix("_id")))
    for rank, (form, mark, is_made) in enumerate(each.headings):
        weight = WEIGHTS[mark] - rank * _LESS_USUAL - is_made * _MADE
        yield Candidate(each, weight, Strategy.SYNONYM, form, mark)


def _sound(text: str) -> str:
    """The text in pinyin without tones, so that words of one sound are one."""
    return "".join(_syllables(text))


def _initials(text: str) -> str:
    return "".join(syllable[:1] for syllable in _syllables(text))


@lru_cache(maxsize=16_384)
def _syllables(text: str) -> tuple[str, ...]:
    """The syllable of each character.  Cached: the indexes of several sets of fields ask for the same words."""
    return tuple(said[:-1] if said else character for character, said in syllables(text))


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for key, word in pairs:
        found[key].append(word)
    return dict(found)
