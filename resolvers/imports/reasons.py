"""Why a column is proposed for a field or left out, as sentences in both languages."""

from typing import NamedTuple

from .fields import ImportField
from .fit import Fit
from .meaning import Candidate, Meaning, Strategy
from .units import Unit

_LONGEST = 60
"""Maximum number of characters of a heading in a sentence."""


class Reason(NamedTuple):
    """One or two sentences in both languages."""

    english: str
    chinese: str

    def say(self, language: str = "en") -> str:
        return self.chinese if language.startswith("zh") else self.english

    def followed_by(self, more: "Reason | None") -> "Reason":
        """Both, one after the other."""
        return Reason(f"{self.english} {more.english}", f"{self.chinese}{more.chinese}") if more else self


def proposed(header: str, candidate: Candidate, fit: Fit) -> Reason:
    """Why a column is proposed for a field: what its heading is, and what its values are."""
    return _of_heading(header, candidate).followed_by(_of_values(fit))


def left_out(header: str, meaning: Meaning, taken: ImportField | None, differing: Fit | None) -> Reason:
    """Why no field is proposed."""
    said = _quoted(header)
    if meaning.foreign:
        return Reason(f"There is no field for {said}.", f"没有与{said}对应的字段。")
    if taken is not None:
        return Reason(f"Another column fits “{taken.label[0]}” better.", f"另一列与“{taken.label[1]}”更匹配。")
    if differing is not None:
        fact = _of_values(differing)
        return Reason("The values do not fit the heading.", "列中的值与表头不符。").followed_by(fact)
    if not header.strip():
        return Reason("The column has no heading.", "该列没有表头。")
    return Reason(f"No field is known as {said}.", f"未找到名为{said}的字段。")


def remembered_as(field: ImportField | None) -> Reason:
    """What was chosen for a sheet with the same headings."""
    if field is None:
        return Reason("It was left out last time.", "上次导入时未导入该列。")
    return Reason(f"It was “{field.label[0]}” last time.", f"上次导入时对应“{field.label[1]}”。")


def told_by_template(field: ImportField) -> Reason:
    """What a template says of its own column."""
    return Reason(f"The template says that it is “{field.label[0]}”.", f"模板中该列即“{field.label[1]}”。")


def unit_note(unit: Unit) -> Reason | None:
    """What a unit does to the values; None where it does nothing."""
    times = f"{unit.factor:,}"
    if unit.factor > 1:
        return Reason(
            f"The heading says “{unit.text}”: values are multiplied by {times}.",
            f"表头注明“{unit.text}”，数值将乘以 {unit.factor}。",
        )
    return Reason(f"Amounts are in {unit.currency}.", f"金额币种为 {unit.currency}。") if unit.currency else None


# --- sentences -------------------------------------------------------------------------------------------


def _of_heading(header: str, candidate: Candidate) -> Reason:
    english, chinese = candidate.field.label
    said = _quoted(header)
    match candidate.strategy:
        case Strategy.LABEL:
            return Reason(f"The heading is the name of “{english}”.", f"表头即字段“{chinese}”的名称。")
        case Strategy.SYNONYM:
            return Reason(f"{said} is another word for “{english}”.", f"{said}是“{chinese}”的另一种叫法。")
        case Strategy.WITHIN:
            return Reason(f"{said} contains a word for “{english}”.", f"{said}中含有“{chinese}”的叫法。")
        case Strategy.SPELLING:
            return Reason(
                f"{said} looks like “{candidate.word}”, a word for “{english}”.",
                f"{said}与“{chinese}”的叫法“{candidate.word}”写法相近。",
            )
    return Reason(f"The values look like “{english}”.", f"从列中的值看，应为“{chinese}”。")


def _of_values(fit: Fit) -> Reason | None:
    if not (fit.fits or fit.differs):
        return None
    english, chinese = fit.what
    return Reason(
        f"{fit.count} of {fit.total} values are {english}.", f"{fit.total} 个值中有 {fit.count} 个是{chinese}。"
    )


def _quoted(header: str) -> str:
    text = " ".join(header.split())
    return f"“{text if len(text) <= _LONGEST else text[: _LONGEST - 1] + '…'}”"
