"""Refusals of one value that was entered: a form can act on each without reading its sentence."""

from typing import Any

from .refusal import Refusal


class Validation(Refusal):
    """Any other rule; `field` is the input to blame, if there is one."""

    sentence = "{reason}"
    zh = "{reason_zh}"

    def __init__(self, reason: str, reason_zh: str, *, field: str | None = None, **more: Any) -> None:
        super().__init__(field=field, reason=reason, reason_zh=reason_zh, **more)


class OfOneValue(Validation):
    """A refusal whose sentence begins with what the input is called, unless it has one of its own (`reason`)."""

    def __init__(self, name: str, name_zh: str, *, field: str | None = None, **more: Any) -> None:
        Refusal.__init__(self, field=field, name=name, name_zh=name_zh, **more)

    def say(self, language: str = "en") -> str:
        own = self.params.get("reason_zh" if language.startswith("zh") else "reason")
        return str(own) if own else super().say(language)


class Required(OfOneValue):
    sentence = "{name} is required."
    zh = "{name_zh}为必填项。"


class TooLong(OfOneValue):
    """`max`: characters of a text, or items of a list."""

    sentence = "{name} is longer than {max} characters."
    zh = "{name_zh}超过 {max} 个字符。"


class TooShort(OfOneValue):
    """`min`: characters of a text."""

    sentence = "{name} needs at least {min} characters."
    zh = "{name_zh}至少需要 {min} 个字符。"


class TooMany(OfOneValue):
    """`max`: items of a list."""

    sentence = "{name} takes at most {max}."
    zh = "{name_zh}最多 {max} 项。"


class OutOfRange(Validation):
    """`min` and `max`: the bounds, as far as there are any."""


class NotInList(Validation):
    """`choices`: labels of what may be chosen, at most twelve; `likely`: those that are probably meant, closest first."""


class Format(Validation):
    """`example`: a value as it is expected, where one says more than the sentence."""
