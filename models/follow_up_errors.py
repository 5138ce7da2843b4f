"""What a user is told of a follow-up that was saved and does not count as a contact with the customer."""

from .counting import CountingRule, Uncounted
from .refusal import Refusal


class KindDoesNotCount(Refusal):
    sentence = "It was saved, but follow-ups of this kind do not count as a contact with the customer."
    zh = "已保存，但此类跟进不计为有效跟进。"


class TooShortToCount(Refusal):
    sentence = "It was saved, but it does not count as a contact: the text needs at least {least} characters."
    zh = "已保存，但不计为有效跟进：内容至少需要 {least} 个字。"


class FutureDoesNotCount(Refusal):
    sentence = "It was saved, but it does not count as a contact: its time has not come yet."
    zh = "已保存，但不计为有效跟进：跟进时间尚未到来。"


class CopyDoesNotCount(Refusal):
    sentence = "It was saved, but it does not count as a contact: you wrote the same text within the last {days} days."
    zh = "已保存，但不计为有效跟进：您在最近 {days} 天内写过相同内容。"


class EarlierDoesNotCount(Refusal):
    sentence = "It was saved, but it does not count as a contact: it lies before the time of the present owner."
    zh = "已保存，但不计为有效跟进：跟进时间早于现负责人接手的时间。"


def uncounted(why: Uncounted, rule: CountingRule) -> Refusal:
    """The notice of a follow-up that does not count."""
    match why:
        case Uncounted.KIND:
            return KindDoesNotCount(field="kind")
        case Uncounted.SHORT:
            return TooShortToCount(field="content", least=rule.characters)
        case Uncounted.FUTURE:
            return FutureDoesNotCount(field="happenedAt")
        case Uncounted.COPIED:
            return CopyDoesNotCount(field="content", days=rule.copy_days)
        case Uncounted.BEFORE_OWNER:
            return EarlierDoesNotCount(field="happenedAt")
