"""What kinds of records are called, in English and Chinese.  A model declares its names once; every sentence uses them."""

import re
from dataclasses import dataclass, field

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
"""The English names of the months; in Chinese they are numbers."""
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Names:
    """The words for a kind of record: `Names("Follow-up", "Follow-ups", zh="跟进记录")`.

    `one` and `many` are written as a heading.  `zh_many` is for the few kinds whose list has a name of its own.
    Raises ValueError for a missing word, because half of the readers would find English in a Chinese sentence.
    """

    one: str
    many: str
    zh: str = field(kw_only=True)
    zh_many: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        if not (self.one and self.many):
            raise ValueError("a kind of record needs an English name for one and for many")
        if not all(_CHINESE.search(word) for word in (self.zh, self.zh_many or self.zh)):
            raise ValueError(f"the kind of record “{self.one}” has no Chinese name: give it as zh=…")

    @property
    def noun(self) -> str:
        """The English name of one inside a sentence: `follow-up`."""
        return in_sentence(self.one)

    @property
    def nouns(self) -> str:
        """The English name of many inside a sentence."""
        return in_sentence(self.many)

    def called(self, name: str, zh: str = "") -> "Names":
        """The names of one certain record: `department East`, `部门 East`."""
        return Names(f"{self.one} {name}", f"{self.many} {name}", zh=f"{self.zh} {zh or name}")

    def words(self) -> dict[str, str]:
        """English -> Chinese, for a catalogue."""
        return {self.one: self.zh, self.many: self.zh_many or self.zh}


def in_sentence(word: str) -> str:
    """A heading as it stands inside an English sentence."""
    return word[:1].lower() + word[1:]


RECORD = Names("Record", "Records", zh="记录")
"""Any kind, where it is not known which."""

SYSTEM_MODULES: dict[str, Names] = {
    "policy": Names("Policy", "Policy", zh="权限策略"),
    "job": Names("Job", "Jobs", zh="后台任务"),
    "report": Names("Report", "Reports", zh="报表"),
    "session": Names("Signing in", "Signing in", zh="登录"),
    "system": Names("The system", "The system", zh="系统"),
}
"""Modules without a table that people look into: the policy itself, signing in, running the installation."""

OF_MODULE: dict[str, Names] = dict(SYSTEM_MODULES)
"""Module -> what its records are called; each model adds its own, the first one of a module wins."""
