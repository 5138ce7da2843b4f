"""Refusals of those who wait for changes."""

from .refusal import Refusal


class TooManyListeners(Refusal):
    sentence = "Too many users are waiting for changes on this server at the moment. Try again later."
    zh = "当前等待实时更新的用户过多，请稍后再试。"


class FellBehind(Refusal):
    sentence = "More has changed than could be delivered, so this has ended. Load everything again and begin anew."
    zh = "变更过多，来不及传送，本次订阅已结束。请重新加载后再订阅。"


class ChangesExpired(Refusal):
    sentence = (
        "What has changed since then cannot be told any more. Load everything again, and begin anew without a cursor."
    )
    zh = "自该时间以来的变更已无法提供。请重新加载全部数据，并不带游标重新开始。"
