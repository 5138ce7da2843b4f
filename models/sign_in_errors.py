"""Refusals of those who sign in."""

from datetime import datetime, timedelta

from .moments import duration_in_words
from .refusal import Refusal


class NotSignedIn(Refusal):
    sentence = "Please sign in."
    zh = "请先登录。"

    @classmethod
    def code(cls) -> str:
        """The name by which GraphQL clients know it."""
        return "UNAUTHENTICATED"


class SignInRefused(Refusal):
    sentence = "The login or the password is wrong."
    zh = "账号或密码错误。"


class TooManyAttempts(Refusal):
    """Says how long to wait, because nobody who is not signed in has a time zone."""

    sentence = "Too many attempts. Try again in {wait}."
    zh = "尝试次数过多，请在 {wait}后重试。"

    def __init__(self, *, until: datetime, now: datetime) -> None:
        super().__init__(until=until, seconds=max(1, round((until - now).total_seconds())))

    def more_words(self) -> dict[str, str]:
        english, chinese = duration_in_words(timedelta(seconds=self.params.get("seconds", 60)))
        return {"wait": english, "wait_zh": chinese}


class PasswordMustChange(Refusal):
    sentence = "This password was for one use. Choose a new one to go on."
    zh = "这是一次性密码，请先设置新密码。"
