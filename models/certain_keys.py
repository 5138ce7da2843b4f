"""The keys under which two records meet that may be certain duplicates: few for each, unlike those of a search.

Pure functions.  Two records with one of the kinds of evidence below share a key; `models/duplicates.py` judges those that do.
"""

from collections.abc import Collection, Iterator
from hashlib import blake2b

from .duplicate_traits import KeyKind, Traits
from .duplicates import Evidence

_LONG = 8
"""Length of a name from which a repeated letter is a typing error."""
_REACH = {
    KeyKind.REGISTRATION: {Evidence.REGISTRATION},
    KeyKind.EMAIL: {Evidence.EMAIL},
    KeyKind.PHONE: {Evidence.PHONE_AND_NAME, Evidence.PHONE},
    KeyKind.DOMAIN: {Evidence.DOMAIN},
}


def certain_keys(traits: Traits, counts: Collection[Evidence]) -> Iterator[str]:
    """The keys for evidence that counts as certain.

    SIMILAR_NAME and NAME_ELSEWHERE meet as far as the names are equal or sound so.
    """
    for kind, text in sorted(traits.reached_by):
        if not _REACH[kind].isdisjoint(counts):
            yield f"{kind}:{text}"
    if traits.name and not {*Evidence}.isdisjoint(counts):
        yield from _names(traits, counts)


def file_key(text: str) -> int:
    """A key as it is stored: 59 bits of a hash."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) >> 5


def _names(traits: Traits, counts: Collection[Evidence]) -> Iterator[str]:
    name = traits.named
    yield f"name:{name.core}:{traits.person_at}"
    if traits.person_at:
        return
    if Evidence.SOUND in counts:
        yield from (f"sound:{sound}" for sound in sorted(name.sounds))
    if Evidence.TYPING_ERROR not in counts:
        return
    if len(name.core) >= _LONG and name.core.isascii():
        yield f"squeezed:{name.squeezed}"
    if name.has_trade:
        yield f"brand:{name.brand}"
    else:  # a name whose trade is mistyped begins with the brand of the other
        yield from (f"brand:{name.core[:length]}" for length in range(1, len(name.core)))
