"""Dictionaries: the lists of words that a field may hold, in both languages."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import LIVE, Entity, Line, Word, choice, trait
from .names import Names


class Tone(StrEnum):
    """The colour in which a dictionary word is shown."""

    GREY = "GREY"
    """For what is over or unimportant."""
    BLUE = "BLUE"
    """For what is new or informs."""
    TEAL = "TEAL"
    """For what is under way."""
    GREEN = "GREEN"
    """For what went well."""
    AMBER = "AMBER"
    """For what needs attention."""
    RED = "RED"
    """For what went wrong."""
    VIOLET = "VIOLET"
    """For what is special."""


class Dictionary(Entity):
    """One list: industry, source, stage, region, level …  Fields name it by its code."""

    __tablename__ = "dictionary"
    module, prefix, named_by, order = "dictionary", "dic", "code", "code"
    names = Names("Dictionary", "Dictionaries", zh="数据字典")
    search = ("code", "name", "name_zh")

    code: Mapped[Word] = mapped_column(info=trait(immutable=True))
    """The name under which columns refer to it, like `industry`; it is never changed."""
    name: Mapped[Line]
    """The English name."""
    name_zh: Mapped[str | None]
    """The Chinese name; the English one is shown where it is empty."""

    __table_args__ = (Index("uq_dictionary_code", "code", unique=True, **LIVE),)


class DictionaryItem(Entity):
    """One word of a dictionary.  Records hold its key, which never changes; people read its label."""

    __tablename__ = "dictionary_item"
    module, prefix, named_by, order = "dictionary", "dit", "key", "position"
    names = Names("Dictionary word", "Dictionary words", zh="字典项")
    cascades_with = "dictionary"
    search = ("key", "label_en", "label_zh")

    dictionary_id: Mapped[int] = mapped_column(ForeignKey("dictionary.id"), index=True, info=trait(immutable=True))
    """The dictionary to which the word belongs."""
    key: Mapped[Word] = mapped_column(info=trait(immutable=True))
    """What records store; unique in its dictionary. A new label does not change it."""
    label_en: Mapped[Line]
    """What it is called in English."""
    label_zh: Mapped[str | None]
    """What it is called in Chinese; the English label is shown where it is empty."""
    aliases: Mapped[list[str]] = mapped_column(default=list)
    """Other words people write for it: an import understands them."""
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("dictionary_item.id"), index=True)
    """The word above it in the tree; null for one at the top."""
    position: Mapped[int] = mapped_column(default=0)
    """The place among the words of the dictionary, by which forms and lists order."""
    tone: Mapped[Tone | None] = choice(Tone)
    """The colour of the word in the panel; null takes a usual one."""
    archived_at: Mapped[datetime | None]
    """Since when no form offers it; records keep it. Null for a word in use."""

    dictionary: Mapped[Dictionary] = relationship(lazy="raise_on_sql")
    parent: Mapped["DictionaryItem | None"] = relationship(remote_side="DictionaryItem.id", lazy="raise_on_sql")

    __table_args__ = (Index("uq_dictionary_item_key", "dictionary_id", "key", unique=True, **LIVE),)


def usual_tone(code: str, key: str) -> Tone:
    """The colour of a word without one of its own, by its dictionary and key: green is won, red is lost."""
    return _USUAL.get((code, key), Tone.GREY)


_COLOURS: dict[str, dict[Tone, str]] = {
    "stage": {
        Tone.BLUE: "new contacted",
        Tone.TEAL: "early qualified",
        Tone.VIOLET: "proposal",
        Tone.AMBER: "negotiation",
        Tone.GREEN: "won",
        Tone.RED: "lost",
    },
    "opportunity_stage": {
        Tone.BLUE: "discovery",
        Tone.VIOLET: "proposal",
        Tone.AMBER: "negotiation",
        Tone.TEAL: "contract",
        Tone.GREEN: "won",
        Tone.RED: "lost",
    },
    "level": {Tone.VIOLET: "a", Tone.BLUE: "b"},
    "category": {
        Tone.BLUE: "prospect prospect_early prospect_medium prospect_strong",
        Tone.GREEN: "formal formal_new formal_hot formal_core formal_vip",
        Tone.RED: "lost",
    },
}
_USUAL = {(code, key): tone for code, tones in _COLOURS.items() for tone, keys in tones.items() for key in keys.split()}
