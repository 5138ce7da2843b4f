"""In which encoding a text file is written: by its mark, by what can be decoded at all, and by the words it then says."""

import re
from dataclasses import dataclass

from .refused import Refused

ENCODINGS = ("utf-8", "utf-16", "gb18030", "big5", "windows-1252")
"""Encodings that a user may choose."""
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_CODECS = {"windows-1252": "cp1252", "big5": "big5hkscs"}
_LOOKED_AT = 1 << 18
_SIGN_LE, _SIGN_BE = re.compile(rb"[\r\n\t,;|]\0"), re.compile(rb"\0[\r\n\t,;|]")
_HIGH = re.compile(rb"[\x80-\xff]+")
_COMMON = frozenset(
    "的一是不了在人有我他这大来以个中上们到说国和地也子时道出而要于就下得可你年生公司有限电话联系客户名称编号地址行业邮箱日期"
    "责股份集团科技贸易市省区县路街号室北京海广州深圳杭成都重庆武汉南苏天津西安东山河湖江浙福建工商信息网络新能源电子机械"
    "話聯絡戶稱編號業郵箱責團貿區縣號廣東慶漢蘇機電網絡資訊灣臺實業國際"
)


@dataclass(frozen=True)
class Decoded:
    """`encoding` is one of `ENCODINGS`; `sure` is false where another reading is possible."""

    text: str
    encoding: str
    sure: bool


def decode(data: bytes, chosen: str | None = None) -> Decoded:
    """The whole file as text, without a byte order mark.

    Refuses what cannot be read in the chosen encoding, and characters that no text has.
    """
    decoded = _as_chosen(data, chosen) if chosen else _guess(data)
    if (at := decoded.text.find("\0")) >= 0:
        raise Refused("NOT_TEXT", line=decoded.text.count("\n", 0, at) + 1)
    return decoded


def _as_chosen(data: bytes, chosen: str) -> Decoded:
    if chosen not in ENCODINGS:
        raise Refused("WRONG_ENCODING", encoding=chosen[:40], line=1)
    mark, codec = next(((mark, codec) for mark, codec in _MARKS if data.startswith(mark)), (b"", ""))
    if not codec.startswith(chosen):
        mark, codec = b"", _bare_utf_16(data) or "utf-16-le" if chosen == "utf-16" else _CODECS.get(chosen, chosen)
    return Decoded(_strictly(data[len(mark) :], codec, chosen), chosen, sure=True)


def _strictly(data: bytes, codec: str, encoding: str) -> str:
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Refused("WRONG_ENCODING", encoding=encoding.upper(), line=line) from None


def _guess(data: bytes) -> Decoded:
    for mark, codec in _MARKS:
        if data.startswith(mark) and (text := _try(data[len(mark) :], codec)) is not None:
            return Decoded(text, codec[:6].rstrip("-"), sure=True)
    if (codec := _bare_utf_16(data)) and (text := _try(data, codec)) is not None:
        return Decoded(text, "utf-16", sure=True)
    if (text := _try(data, "utf-8")) is not None:
        return Decoded(text, "utf-8", sure=True)
    _refuse_broken_utf_8(data)
    return _best(data)


def _refuse_broken_utf_8(data: bytes) -> None:
    """Text that is UTF-8 but for a few bytes, which every other encoding would garble as a whole."""
    foreign = [sign for sign in data.decode("utf-8", "replace") if sign > "\x7f"]
    if foreign.count("\ufffd") * 20 < len(foreign):
        _strictly(data, "utf-8", "utf-8")


def _best(data: bytes) -> Decoded:
    """GB18030 or Big5 by the share of common characters; Latin letters with accents stand alone among ASCII."""
    candidates = [
        (_share_common(text), encoding, text)
        for encoding in ("gb18030", "big5")
        if (text := _try(data, _CODECS.get(encoding, encoding))) is not None
    ]
    candidates.sort(key=lambda candidate: -candidate[0])
    best = candidates[0][0] if candidates else 0.0
    if best < 0.02 and _looks_latin(data) and (text := _try(data, "cp1252")) is not None:
        return Decoded(text, "windows-1252", sure=False)
    if not candidates:
        return Decoded(_strictly(data, "gb18030", "gb18030"), "gb18030", sure=False)
    second = candidates[1][0] if len(candidates) > 1 else 0.0
    return Decoded(candidates[0][2], candidates[0][1], sure=best >= 0.05 and best > 2 * second)


def _try(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        return None


def _bare_utf_16(data: bytes) -> str:
    """UTF-16 without a mark: most line ends, commas and tabs have a zero beside them, always on the same side."""
    head = data[:_LOOKED_AT]
    for codec, pattern in (("utf-16-le", _SIGN_LE), ("utf-16-be", _SIGN_BE)):
        places = [match.start() % 2 for match in pattern.finditer(head)]
        if places.count(0) > 4 * places.count(1):
            return codec
    return ""


def _share_common(text: str) -> float:
    foreign = [sign for sign in text[:_LOOKED_AT] if sign > "\x7f"]
    return sum(sign in _COMMON for sign in foreign) / len(foreign) if foreign else 0.0


def _looks_latin(data: bytes) -> bool:
    runs = _HIGH.findall(data[:_LOOKED_AT])
    return sum(len(run) <= 1 for run in runs) * 10 >= len(runs) * 8
