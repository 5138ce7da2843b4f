"""Phones and addresses as they are compared: whatever the spelling, one number is one key.  Pure functions."""

import re
from collections.abc import Iterator
from functools import lru_cache

from .text import fold

_BETWEEN = re.compile(r"[/;,，；、|\n]+|\s{2,}")
"""What stands between two numbers in one field."""
_EXTENSION_WORDS = "|".join((r"ext\.?", "extension", "#", "x", "转", "分机"))
_EXTENSION = re.compile(rf"(?:{_EXTENSION_WORDS})\s*\d{{1,6}}\s*$")
_EXCEL = re.compile(r"^(\d+)\.0+$")
SHORTEST, LONGEST = 7, 15
"""Digits of a number that says who one is; service numbers are shorter, and E.164 ends at fifteen."""
PUBLIC_DOMAINS = frozenset(
    [
        "126.com",
        "139.com",
        "163.com",
        "189.cn",
        "aliyun.com",
        "aol.com",
        "foxmail.com",
        "gmail.com",
        "gmx.de",
        "gmx.net",
        "googlemail.com",
        "hotmail.com",
        "icloud.com",
        "live.com",
        "mail.com",
        "mail.ru",
        "msn.com",
        "outlook.com",
        "proton.me",
        "protonmail.com",
        "qq.com",
        "sina.cn",
        "sina.com",
        "sohu.com",
        "tom.com",
        "vip.163.com",
        "vip.qq.com",
        "web.de",
        "wo.cn",
        "yahoo.com",
        "yahoo.com.cn",
        "yandex.ru",
        "yeah.net",
    ]
)
"""Domains of everybody: an address there says nothing about the company."""


def phone_keys(text: str) -> list[str]:
    """A key for each number in a field, in their order: digits without country code of China, trunk zero and extension.

    `+86 (21) 6888-1234`, `021-68881234 转 801` and `0086 21 68881234` have one key.
    """
    found = (_phone_key(part) for part in _BETWEEN.split(fold(text)))
    return list(dict.fromkeys(key for key in found if key))


@lru_cache(maxsize=4_096)
def email_key(text: str) -> str | None:
    """The address in small letters, without what a mail server ignores behind a plus sign; None for no address."""
    name, _at, domain = fold(text).replace(" ", "").rpartition("@")
    name = name.partition("+")[0]
    return f"{name}@{domain}" if name and "." in domain else None


@lru_cache(maxsize=4_096)
def domain_key(text: str) -> str | None:
    """The company's part of an address or of a website: `acme.com` for `sales@mail.acme.com`; None for a public one."""
    host = re.sub(r"^\w+://", "", fold(text)).rpartition("@")[2].partition("/")[0].partition(":")[0]
    labels = host.removeprefix("www.").split(".")
    if len(labels) < 2 or not all(labels) or host in PUBLIC_DOMAINS:
        return None
    kept = 3 if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND else 2
    domain = ".".join(labels[-kept:])
    return None if domain in PUBLIC_DOMAINS else domain


def registration_key(text: str) -> str | None:
    """Letters and digits of a registration number in capitals; None below eight of them."""
    key = "".join(x for x in fold(text).upper() if x.isalnum())
    return key if len(key) >= _SHORTEST_REGISTRATION else None


_SECOND = frozenset(("ac", "co", "com", "edu", "gov", "net", "org"))
_SHORTEST_REGISTRATION = 8


@lru_cache(maxsize=4_096)
def _phone_key(text: str) -> str | None:
    text = _EXCEL.sub(r"\1", text.strip())
    is_foreign = text.startswith(("+", "00")) and not text.startswith(("+86", "0086", "+ 86"))
    digits = "".join(_digits(_EXTENSION.sub("", text)))
    digits = digits.removeprefix("00")
    if not is_foreign:
        digits = digits.removeprefix("86") if len(digits) > 11 or text.startswith("+") else digits
        digits = digits.lstrip("0")
    return digits if SHORTEST <= len(digits) <= LONGEST else None


def _digits(text: str) -> Iterator[str]:
    return (x for x in text if x.isascii() and x.isdigit())
