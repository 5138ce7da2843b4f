"""What the cells of a column look like: phone numbers, dates, names of companies …  Pure functions over texts."""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache

from models.company_names import WORDS
from models.text import fold

LOOKED_AT = 50
"""Maximum number of cells of a column that are looked at."""
_LONGEST = 300
"""Maximum number of characters of a cell that are looked at."""
_NOTHING = {
    "",
    "-",
    "--",
    "—",
    "——",
    "/",
    "\\",
    "无",
    "暂无",
    "未知",
    "n/a",
    "na",
    "none",
    "null",
    "nil",
    "nan",
    "#n/a",
    "?",
    "空",
}


class Shape(StrEnum):
    """What a text looks like; one may have several shapes."""

    EMAIL = "email"
    PHONE = "phone"
    DATE = "date"
    NUMBER = "number"
    YES_NO = "yes_no"
    LINK = "link"
    REGISTRATION = "registration"
    CODE = "code"
    COMPANY = "company"
    PERSON = "person"
    ADDRESS = "address"
    LONG = "long"


SHAPE_NAMES: dict[str, tuple[str, str]] = {
    Shape.EMAIL: ("e-mail addresses", "邮箱地址"),
    Shape.PHONE: ("phone numbers", "电话号码"),
    Shape.DATE: ("dates", "日期"),
    Shape.NUMBER: ("numbers", "数字"),
    Shape.YES_NO: ("yes or no", "是或否"),
    Shape.LINK: ("links", "网址"),
    Shape.REGISTRATION: ("registration numbers", "统一社会信用代码"),
    Shape.CODE: ("codes", "编号"),
    Shape.COMPANY: ("names of companies", "公司名称"),
    Shape.PERSON: ("names of people", "人名"),
    Shape.ADDRESS: ("postal addresses", "地址"),
    Shape.LONG: ("longer texts", "较长的文字"),
}
"""What the values are called in a sentence, in English and Chinese."""


@dataclass(frozen=True)
class Cells:
    """The cells of a column that say something, folded, and how many have each shape."""

    texts: tuple[str, ...]
    shapes: dict[Shape, int]

    @property
    def count(self) -> int:
        return len(self.texts)

    def share(self, shape: Shape) -> float:
        return self.shapes.get(shape, 0) / self.count if self.count else 0.0

    @property
    def is_run(self) -> bool:
        """Whether the cells count from 1: the numbers of rows."""
        return [*self.texts] == [str(number) for number in range(1, self.count + 1)]

    def among(self, words: Collection[str]) -> int:
        """The number of cells that are one of these folded words, or several of them."""
        return sum(text in words or all(x in words for x in _split(text)) for text in self.texts)


def cells_of(texts: Sequence[str], kinds: Sequence[str] = ()) -> Cells:
    """The first cells of a column.  `kinds`: what the sheet says of each: `date` and `time` make a date of any text, an
    `error` is no value."""
    said = [(fold(text[:_LONGEST]), kind) for text, kind in _with_kinds(texts[:LOOKED_AT], kinds)]
    said = [(text, kind) for text, kind in said if text not in _NOTHING and kind not in _NO_VALUES]
    shapes: dict[Shape, int] = {}
    for text, kind in said:
        for shape in shapes_of(text) | ({Shape.DATE} if kind in _DATE_KINDS else set()):
            shapes[shape] = shapes.get(shape, 0) + 1
    return Cells(tuple(text for text, _ in said), shapes)


def samples_of(texts: Sequence[str], count: int = 3) -> tuple[str, ...]:
    """The first different values of a column, as they stand there."""
    found = (text.strip() for text in texts[:LOOKED_AT])
    return tuple(dict.fromkeys(text[:_LONGEST] for text in found if text))[:count]


@lru_cache(maxsize=8_192)
def shapes_of(text: str) -> frozenset[Shape]:
    """The shapes of a folded text."""
    return frozenset(shape for shape, looks in _LOOKS.items() if looks(text))


# --- shapes ----------------------------------------------------------------------------------------------

_DATE_KINDS, _NO_VALUES = ("date", "datetime", "time"), ("error", "formula")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.\w+(?:[;,; ]+[^@\s]+@[^@\s]+\.\w+)*")
_CALLED = "tel|phone|mobile|电话|手机"
_EXTENSION = "ext|x|转|#"
_PHONE = re.compile(rf"(?:{_CALLED})?[.: ]*\+?\(?\d[\d\s()./-]{{5,18}}\d(?:\s*(?:{_EXTENSION})\.?\s*\d+)?")
_YEAR, _MONTH, _DAY = "年", "月", "日"
_DATE = re.compile(
    rf"(?:19|20)\d\d ?[-/.{_YEAR}] ?\d{{1,2}}(?: ?[-/.{_MONTH}] ?\d{{1,2}} ?{_DAY}?)?(?:[ t]+\d{{1,2}}:\d\d.*)?"
    r"|(?:19|20)\d\d[01]\d[0-3]\d"
    r"|\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)?\d\d(?: .*)?|\d{1,2}[ -][a-z]{3,9}[ -,]+(?:19|20)?\d\d|[a-z]{3,9} \d{1,2},? (?:19|20)\d\d"
)
_NUMBER = re.compile(
    r"[-+]?[¥$€£]? ?\d{1,3}(?:[, ']\d{3})+(?:\.\d+)?|[-+]?[¥$€£]? ?\d+(?:[.,]\d+)?(?: ?(?:%|元|万|万元|千元|亿|k|m|usd|eur|cny|rmb))?"
)
_YES_NO = frozenset(
    [
        "是",
        "否",
        "有",
        "无",
        "对",
        "错",
        "√",
        "×",
        "✓",
        "x",
        "y",
        "n",
        "yes",
        "no",
        "true",
        "false",
        "t",
        "f",
        "0",
        "1",
        "on",
        "off",
        "在职",
        "离职",
        "启用",
        "禁用",
        "停用",
        "已激活",
        "未激活",
        "active",
        "inactive",
        "enabled",
        "disabled",
        "已启用",
        "已禁用",
    ]
)
_LINK = re.compile(r"(?:https?://|www\.)\S+|[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|cn|net|org|io|de|co\.uk|com\.cn)/?")
_REGISTRATION = re.compile(r"[0-9a-hj-npqrtuwxy]{2}\d{6}[0-9a-z]{10}|\d{15}")
_CODE = re.compile(r"(?=[^a-z]*[a-z])(?=\D*\d)[a-z0-9]+(?:[-_./][a-z0-9]+)*|0\d+|\d+(?:[.-]\d+)+")
_SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史"
    "陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施文牛樊葛邢安齐伍庄申俞殷欧耿焦关乔倪荣祝裴左柴梅章华"
    "張劉陳楊黃趙吳孫馬鄭謝許韓馮鄧蕭蔣餘葉蘇魏呂盧鐘譚陸範賈韋鄒龍陶賀顧龔萬錢嚴莊湯歐關喬榮"
)
_POLITE = "先生|女士|小姐|总|经理|老师"
_CHINESE_NAME = re.compile(rf"[\u4e00-\u9fff]{{2,4}}(?:{_POLITE})?")
_LATIN_NAME = re.compile(r"(?:(?:mr|mrs|ms|dr)\.? )?[^\W\d_][\w.'-]*(?: [^\W\d_][\w.'-]*){1,3}")
_STREET = re.compile(
    r"(?=.*\d)(?=.*\b(?:street|st|road|rd|avenue|ave|boulevard|blvd|lane|ln|drive|dr|way|square|sq|strasse|str|rue|via|plaza|broadway|suite|floor|po box|court|ct)\b).*"
    r"|\d+[a-z]? [a-z].*|.*(?:strasse|straße) ?\d+.*"
)
_PLACE_SIGNS = re.compile(r"[省市区区縣县镇鎮乡路街巷弄號号室栋座楼樓]|大道|园区|廣場|广场|大厦")
_BETWEEN = re.compile(r"[;,、；，/|]")


def _is_phone(text: str) -> bool:
    digits = sum(c.isdigit() for c in text)
    return (
        7 <= digits <= 22
        and not _DATE.fullmatch(text)
        and any(_PHONE.fullmatch(part.strip()) for part in (text, *re.split(r"[/;,、]|\(|（| 或 ", text)[:1]))
    )


def _is_company(text: str) -> bool:
    if text.isascii():
        words = re.sub(r"[^\w&]+", " ", text.replace(".", "")).split()
        return len(words) > 1 and (words[-1] in _words("form") or words[-1] in _words("latin-trade"))
    return len(text) > 2 and any(text.endswith(word) for word in _company_ends())


def _is_person(text: str) -> bool:
    if text.isascii():
        return bool(_LATIN_NAME.fullmatch(text)) and not _is_company(text)
    return text[0] in _SURNAMES and bool(_CHINESE_NAME.fullmatch(text)) and not _is_company(text)


def _is_address(text: str) -> bool:
    if text.isascii():
        return bool(_STREET.fullmatch(text))
    return len(text) > 5 and len(_PLACE_SIGNS.findall(text)) > 1 and not _is_company(text)


def _is_long(text: str) -> bool:
    return len(text) > 30 or (len(text) > 10 and any(x in text for x in "，。；！,;!"))


_LOOKS: dict[Shape, Callable[[str], object]] = {
    Shape.EMAIL: _EMAIL.fullmatch,
    Shape.PHONE: _is_phone,
    Shape.DATE: _DATE.fullmatch,
    Shape.NUMBER: _NUMBER.fullmatch,
    Shape.YES_NO: _YES_NO.__contains__,
    Shape.LINK: _LINK.fullmatch,
    Shape.REGISTRATION: _REGISTRATION.fullmatch,
    Shape.CODE: _CODE.fullmatch,
    Shape.COMPANY: _is_company,
    Shape.PERSON: _is_person,
    Shape.ADDRESS: _is_address,
    Shape.LONG: _is_long,
}


def _with_kinds(texts: Iterable[str], kinds: Sequence[str]) -> Iterable[tuple[str, str]]:
    return ((text, kinds[at] if at < len(kinds) else "") for at, text in enumerate(texts))


def _split(text: str) -> list[str]:
    parts = [part.strip() for part in _BETWEEN.split(text)]
    return parts if len(parts) > 1 and all(parts) else [""]


@cache
def _words(kind: str) -> frozenset[str]:
    lines = (line.split() for line in WORDS.read_text(encoding="utf-8").splitlines())
    return frozenset(word for first, *words in lines if first == kind for word in words)


@cache
def _company_ends() -> tuple[str, ...]:
    """What ends the name of a Chinese company, traditional characters included."""
    shops = (
        "厂",
        "廠",
        "店",
        "商行",
        "行",
        "社",
        "中心",
        "学校",
        "學校",
        "医院",
        "醫院",
        "集團",
        "公司",
        "工作室",
        "研究院",
        "合作社",
        "经营部",
        "企业",
        "企業",
    )
    return (*_words("chinese-form"), *_words("trade"), *shops, "貿易", "電子", "物流", "機械", "實業")
