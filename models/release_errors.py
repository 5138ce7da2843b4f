"""Refusals about release rules and release dates."""

from .refusal import Refusal


class NoReleaseDate(Refusal):
    sentence = "{label} has no release date, so there is nothing to put off."
    zh = "{label} 没有回收日期，无需延期。"


class ExtensionsUsed(Refusal):
    sentence = "The release of {label} was put off {used} of {limit} times. A follow-up moves the date again."
    zh = "{label} 的回收已延期 {used} 次，上限 {limit} 次。填写跟进记录可重新计算回收日期。"


class NotRehearsed(Refusal):
    sentence = "Rehearse “{label}” first, as it is now: you see which customers it takes, and when. Then switch it on."
    zh = "请先预演“{label}”的当前内容，查看将回收哪些客户及时间，然后再启用。"
