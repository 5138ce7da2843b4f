"""What every refusal is: a fact with its sentence in both languages, which fills in names, numbers and times."""

import re
from datetime import datetime
from typing import Any, ClassVar, Self

from .moments import moment_in_words
from .names import Names


class Refusal(Exception):
    """The request was understood and declined; nothing was changed.

    `params` fill the sentence, `field` names the input to blame, `record_id` the record (a global id).
    """

    sentence: ClassVar[str] = "This is not possible."
    zh: ClassVar[str] = "无法执行此操作。"
    denies: ClassVar[bool] = False
    """Whether it is for lack of rights: such attempts are written to the operation log."""
    noted = False
    """Whether this attempt is in the log already."""
    others: tuple["Refusal", ...] = ()
    """What else was found wrong with the same request, in the order in which it was found."""
    below: tuple[str, ...] = ()
    """Where below the field: positions in lists and names, like `("1", "value")`."""

    def __init__(self, *, field: str | None = None, record_id: str | None = None, **params: Any) -> None:
        self.field, self.record_id, self.params = field, record_id, params
        super().__init__(self.say())

    @property
    def all(self) -> list["Refusal"]:
        """This refusal and the others that were found with it."""
        return [self, *self.others]

    @property
    def path(self) -> list[str] | None:
        """The input to blame, name by name; None where none is.  A custom field is `["custom", key]`."""
        return [*self.field.split("."), *self.below] if self.field else None

    def at(self, *below: object) -> Self:
        """The same refusal, about what lies there below its field: positions in lists, and names."""
        self.below = (*map(str, below),)
        return self

    @classmethod
    def code(cls) -> str:
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).upper()

    def say(self, language: str = "en") -> str:
        """The sentence in `en` or `zh`, with times in the zone that they carry.  In Chinese `x_zh` stands for `x`."""
        words = {key: _word(value, language) for key, value in {**self.params, **self.more_words()}.items()}
        if not language.startswith("zh"):
            return self.sentence.format_map(words)
        return self.zh.format_map({key: words.get(f"{key}_zh", value) for key, value in words.items()})

    def more_words(self) -> dict[str, str]:
        """Words of the sentence that are no parameters, because clients read codes: `right` and `right_zh`."""
        return {}

    def say_of_many(self, language: str = "en") -> str:
        """The sentence about several records that were refused alike: it names none of them."""
        words = {**self.params, "label": "Each of these", "label_zh": "这些记录"}
        several = type(self).__new__(type(self))
        Refusal.__init__(several, **(words if "label" in self.params else self.params))
        return several.say(language).replace("这些记录 ", "这些记录")


def _word(value: Any, language: str) -> Any:
    return moment_in_words(value, language) if isinstance(value, datetime) else value


class AboutAKind(Refusal):
    """A refusal whose sentence names a kind of record; its parameters are the nouns."""

    def __init__(self, *, what: Names, **more: Any) -> None:
        super().__init__(what=what.noun, what_zh=what.zh, **more)
