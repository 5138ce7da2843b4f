"""How well duplicates are told apart, on a labelled set that a seed makes.

    python bench/duplicates.py [--companies 20000] [--queries 2000] [--seed 1]

A catalogue of invented companies, half Chinese and half English, with phones and addresses; queries that are one of them
in another spelling (form, width, traditional characters, homophones, pinyin, place moved or dropped, marks, case,
abbreviation, typo, ten formats of phones), and as many that are another company that looks like one of them (another
character in its name, the same switchboard, the same place and trade).  Prints JSON: of the certain tier, found by keys
alone, precision and recall, the recall per kind of spelling, and microseconds per check.
"""

import argparse
import json
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from models.company_names import PLACES
from models.duplicates import KeyKind, Likeness, Traits, judge, keys_of
from models.pinyin import syllables
from models.simplified import DATA

TRADES = [
    "科技",
    "贸易",
    "电子",
    "机械",
    "食品",
    "物流",
    "建材",
    "医药",
    "化工",
    "纺织",
    "教育",
    "咨询",
    "能源",
    "传媒",
    "装饰",
    "农业",
    "汽车配件",
    "网络",
    "生物",
    "环保",
]
BRANDS = [
    "华兴",
    "宏发",
    "鸿远",
    "金达",
    "明辉",
    "瑞丰",
    "恒通",
    "天成",
    "东升",
    "利民",
    "永安",
    "众诚",
    "信义",
    "佳美",
    "新元",
    "万隆",
    "盛泰",
    "博远",
    "康宁",
    "嘉禾",
    "海川",
    "远航",
    "德胜",
    "卓越",
    "启明",
    "安泰",
    "长青",
    "亿达",
    "华信",
    "鑫源",
]
FORMS = ["有限公司", "股份有限公司", "有限责任公司", "集团有限公司"]
WORDS = [
    "North",
    "Silver",
    "Blue",
    "River",
    "Stone",
    "Green",
    "Bright",
    "Summit",
    "Harbor",
    "Maple",
    "Eagle",
    "Iron",
    "Cedar",
    "Delta",
    "Prime",
    "Nova",
    "Union",
    "Atlas",
    "Crown",
    "Pioneer",
]
THINGS = [
    "Pumps",
    "Foods",
    "Textiles",
    "Logistics",
    "Chemicals",
    "Electronics",
    "Tools",
    "Paper",
    "Glass",
    "Motors",
    "Pharma",
    "Energy",
    "Software",
    "Furniture",
    "Plastics",
]
ENDS = ["Ltd", "Inc", "LLC", "GmbH", "Corp", "Limited"]


class Catalogue:
    """Invented companies with distinct names, and their spellings."""

    def __init__(self, size: int, seed: int) -> None:
        self.dice = random.Random(seed)
        lines = [line.split() for line in PLACES.read_text(encoding="utf-8").splitlines()]
        self.cities = [*lines[0], *(city for line in lines[1:] for city in line[1:])]
        self.traditional = {simple: found[0] for simple, found in map(str.split, DATA.read_text("utf-8").splitlines())}
        self.sounds: dict[str, str] = defaultdict(str)
        for character in (
            "".join(BRANDS) + "辉晖惠慧汇达大答信鑫新心星兴形型成诚城程远原源元缘泰太态安庵嘉佳加家宏洪红鸿弘丰峰锋"
        ):
            self.sounds[self.sound(character)] += character
        self.letters = sorted({character for sound in self.sounds.values() for character in sound})
        names: dict[str, None] = {}
        while len(names) < size:
            names[self._chinese() if self.dice.random() < 0.5 else self._english()] = None
        self.companies = [Traits(name, *self._reach(n)) for n, name in enumerate(names)]

    def sound(self, character: str) -> str:
        return next((said[:-1] for _, said in syllables(character) if said), character)

    def _chinese(self) -> str:
        d = self.dice
        brand = "".join(d.sample(self.letters, 2))
        return d.choice(self.cities) + brand + d.choice(TRADES) + d.choice(FORMS)

    def _english(self) -> str:
        d = self.dice
        return f"{d.choice(WORDS)} {d.choice(WORDS)}{d.choice(('', 'son', 'field', 'wood', 'ton'))} {d.choice(THINGS)} {d.choice(ENDS)}"

    def _reach(self, n: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        phone = f"1{self.dice.choice('3578')}{self.dice.randrange(10**9):09d}"
        return ((phone,) if n % 20 < 9 else ()), ((f"info@c{n}.example",) if n % 20 < 3 else ())

    def spelling(self, kind: str, company: Traits) -> Traits | None:
        """The company in another spelling of this kind; None where its name has none."""
        name = SPELLINGS[kind](self, company.name)
        if name is None or name == company.name:
            return None
        phones = tuple(self._phone(phone) for phone in company.phones if self.dice.random() < 0.5)
        return Traits(name, phones, company.emails if self.dice.random() < 0.5 else ())

    def _phone(self, phone: str) -> str:
        a, b, c = phone[:3], phone[3:7], phone[7:]
        formats = f"{phone}|{a} {b} {c}|{a}-{b}-{c}|+86 {phone}|+86 {a} {b} {c}|0086{phone}|(86){phone}|86-{phone}|{phone}.0|tel {phone}"
        return self.dice.choice(formats.split("|"))

    def stranger(self, company: Traits) -> Traits | None:
        """Another company that looks like this one."""
        d, name = self.dice, company.name
        if name.isascii():
            words = name.split()
            words[0] = d.choice([word for word in WORDS if word != words[0]])
            return Traits(" ".join(words), company.phones if d.random() < 0.04 else ())
        at, other = len(_place_of(self, name)), d.choice(self.letters)
        if self.sound(name[at]) == self.sound(other):
            return None
        return Traits(name[:at] + other + name[at + 1 :], company.phones if d.random() < 0.04 else ())


def _chinese_only(change: Callable[[Catalogue, str], str | None]) -> Callable[[Catalogue, str], str | None]:
    return lambda it, name: None if name.isascii() else change(it, name)


def _homophone(it: Catalogue, name: str) -> str | None:
    for at in range(len(_place_of(it, name)), len(name)):
        others = [x for x in it.sounds.get(it.sound(name[at]), "") if x != name[at]]
        if others:
            return name[:at] + it.dice.choice(others) + name[at + 1 :]
    return None


def _typo(it: Catalogue, name: str) -> str:
    at = it.dice.randrange(1, len(name) - 4)
    return name[:at] + name[at + 1 :]


def _place_of(it: Catalogue, name: str) -> str:
    return next((city for city in it.cities if name.startswith(city)), "")


def _bare(it: Catalogue, name: str) -> str:
    form = next(each for each in sorted(FORMS, key=len, reverse=True) if name.endswith(each))
    return name.removeprefix(_place_of(it, name)).removesuffix(form)


SPELLINGS: dict[str, Callable[[Catalogue, str], str | None]] = {
    "form": lambda _it, name: name.rsplit(" ", 1)[0] if name.isascii() else name.replace("股份", "").replace("集团", ""),
    "width": lambda _it, name: "".join(chr(ord(x) + 0xFEE0) if "!" <= x <= "~" else x for x in name),
    "marks": lambda _it, name: name.replace(" ", "-") if name.isascii() else f"{name[:-4]}（{name[-4:]}）",
    "case": lambda _it, name: name.upper(),
    "traditional": _chinese_only(lambda it, name: "".join(it.traditional.get(x, x) for x in name)),
    "homophone": _chinese_only(_homophone),
    "place dropped": _chinese_only(lambda it, name: name.removeprefix(_place_of(it, name))),
    "place moved": _chinese_only(lambda it, name: f"{_bare(it, name)}（{_place_of(it, name)}）有限公司"),
    "typo": _typo,
}  # fmt: skip


def measure(size: int, queries: int, seed: int) -> dict[str, Any]:
    catalogue = Catalogue(size, seed)
    index: dict[tuple[KeyKind, str], list[int]] = defaultdict(list)
    for n, company in enumerate(catalogue.companies):
        for key in keys_of(company):
            index[key].append(n)
    right: dict[str, list[bool]] = defaultdict(list)
    wrong, took = [], []
    for kind, n, asked in _questions(catalogue, queries):
        began = time.perf_counter()
        found = {m for key in keys_of(asked) if key[0] is not KeyKind.DOMAIN for m in index.get(key, ())}
        certain = {m for m in found if _is_certain(asked, catalogue.companies[m])}
        took.append(time.perf_counter() - began)
        if kind:
            right[kind].append(n in certain)
            wrong.append(bool(certain - {n}))
        else:
            wrong.append(bool(certain))
    hits = sum(map(sum, right.values()))
    return {
        "companies": size,
        "queries": sum(map(len, right.values())),
        "certain": {
            "precision": round(hits / (hits + sum(wrong)), 4),
            "recall": round(hits / sum(map(len, right.values())), 4),
        },
        "recall": {kind: round(sum(found) / len(found), 3) for kind, found in right.items()},
        "microseconds": round(sorted(took)[len(took) // 2] * 1e6),
    }


def _questions(catalogue: Catalogue, queries: int) -> Iterator[tuple[str, int, Traits]]:
    """(kind of spelling, its company, what is typed), and ("", company, another one that looks like it)."""
    names = {company.name for company in catalogue.companies}
    kinds = [*SPELLINGS]
    for number in range(queries):
        n = catalogue.dice.randrange(len(catalogue.companies))
        kind = kinds[number % len(kinds)]
        if (asked := catalogue.spelling(kind, catalogue.companies[n])) is not None and asked.name not in names:
            yield kind, n, asked
        stranger = catalogue.stranger(catalogue.companies[n])
        if stranger is not None and stranger.name not in names:
            yield "", n, stranger


def _is_certain(asked: Traits, found: Traits) -> bool:
    judged = judge(asked, found, 1.0 if asked.name == found.name else 0.0)
    return judged is not None and judged[0] is Likeness.CERTAIN


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--companies", type=int, default=20_000)
    parser.add_argument("--queries", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    sys.stdout.write(f"{json.dumps(measure(asked.companies, asked.queries, asked.seed), indent=2)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
