"""A kind of notices: what users are told in both languages, and how they are told unless they choose otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .base import Base
from .declaration import Misdeclared
from .names import Names
from .notice import MailChoice
from .notice_sentence import FACT
from .notice_sentence import Sentence as Sentence

GIVEN = frozenset({"by", "record"})
"""Facts of every notice: the name of who did it, and how the record is called."""

PLANS = Names("Plans", "Plans", zh="跟进计划")
OWNERSHIP = Names("Ownership", "Ownership", zh="客户归属")
LOCKS = Names("Locks", "Locks", zh="客户锁定")
POOLS = Names("Pools", "Pools", zh="公海管理")
ACCOUNT = Names("Your account", "Your account", zh="我的账户")
WORK = Names("Work with others", "Work with others", zh="协作")


@dataclass(frozen=True, eq=False)
class NoticeKind:
    """One kind of notice.  Raises Misdeclared for sentences that name different facts in the two languages."""

    key: str
    group: Names
    label: Names
    """What users choose by in their preferences."""
    title: Sentence
    text: Sentence
    mail: MailChoice = MailChoice.NONE
    refers: Mapping[str, type[Base]] = field(default_factory=dict)
    """Fact -> the kind of record whose id it is; the reader gets its name, as far as they may see it."""
    once: tuple[str, ...] | None = None
    """Facts by which a receiver is told once only about one record."""
    own: bool = False
    """Whether users are told about what they did themselves."""

    def __post_init__(self) -> None:
        for sentence in (self.title, self.text):
            if set(FACT.findall(sentence.en)) != set(FACT.findall(sentence.zh)):
                raise Misdeclared(f"models/notice_kinds.py: {self.key} names other facts in Chinese than in English.")

    @property
    def facts(self) -> frozenset[str]:
        """The facts that `notify` has to be given."""
        return (self.title.facts | self.text.facts) - GIVEN


def kind(
    key: str,
    group: Names,
    label: tuple[str, str],
    title: tuple[str, str],
    text: tuple[str, str],
    **more: object,
) -> NoticeKind:
    english, chinese = label
    names = Names(english, english, zh=chinese)
    return NoticeKind(key, group, names, Sentence(*title), Sentence(*text), **more)  # type: ignore[arg-type]  # named ones
