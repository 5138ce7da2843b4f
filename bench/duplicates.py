"""How well duplicates are told apart, on a labelled set that a seed makes, and how long a check takes.

    python bench/duplicates.py [--companies 20000] [--queries 2000] [--seed 1] [--missed]

A catalogue of invented companies, Chinese and English ones, with phones and addresses; queries that are one of them in
another spelling (form, width, traditional characters, homophones, pinyin, place moved or dropped, marks, case,
abbreviation, typing error; a phone in ten formats), and as many that are another company that looks like one of them
(another character in its brand, the same switchboard, the same shape).  The rules and keys are the product's; the
catalogue is in memory.  Prints JSON: of the certain tier precision and recall, of both tiers together recall and the
number shown per check, the recall per kind of spelling.  `--missed` prints what was told wrongly.
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
from models.duplicates import DEFAULTS, Finding, KeyKind, Traits, assess, keys_of
from models.pinyin import pinyin, syllables
from models.simplified import DATA

TRADES = (
    "科技 贸易 电子 机械 食品 物流 建材 医药 化工 纺织 教育 咨询 能源 传媒 装饰 农业 汽车配件 网络 生物 环保".split()  # noqa: SIM905
)
LETTERS = (
    "华兴宏发鸿远金达明辉瑞丰恒通天成东升利民永安众诚信义佳美新元万隆盛泰博康宁嘉禾海川航德胜卓越启长青亿鑫源晨曦正大龙凤"
    "祥云峰林森森润泽江河山岳石玉宝珠光耀星月日朗晴雅思睿智慧创展腾飞跃骏驰凯旋冠英杰豪雄伟业基鼎固本立方圆和顺平乐福禄寿喜"
    "春秋夏冬南北西中景秀锦绣程途路桥港湾岛洲洋波涛浪潮汐舟帆翔宇宙寰球环联合聚汇集优良品质精工匠心巧艺诺言承传世纪年代时空间"
)
FORMS = ("有限公司", "有限公司", "有限公司", "股份有限公司", "有限责任公司", "集团有限公司")
SYLLABLES = "ba bel cor dan fen gal har jen kel lum mar nor pol quen ros sil tam ur vel wes yor zan".split()  # noqa: SIM905  read as a line
THINGS = "Pumps Foods Textiles Logistics Chemicals Electronics Tools Paper Glass Motors Pharma Energy Software".split()  # noqa: SIM905
ENDS = "Ltd Inc LLC GmbH Corp Limited Co.,Ltd".split()  # noqa: SIM905
PHONES = "{0} {1}{2}|{0}-{1}-{2}|{0}{1}{2}|+86 {0}{1}{2}|+86 {0} {1} {2}|0086{0}{1}{2}|(86){0}{1}{2}|86-{0}{1}{2}|{0}{1}{2}.0|tel {0}{1}{2}"
WEIGHTS = {
    "form": 411,
    "typing error": 290,
    "abbreviated": 222,
    "marks": 211,
    "width": 189,
    "pinyin": 160,
    "traditional": 157,
    "place": 155,
    "homophone": 97,
    "case": 60,
    "spaces": 48,
}


class Catalogue:
    """Invented companies with distinct names, and their spellings."""

    def __init__(self, size: int, seed: int) -> None:
        self.dice = random.Random(seed)
        lines = [line.split() for line in PLACES.read_text(encoding="utf-8").splitlines()]
        self.cities = [*lines[0], *(city for line in lines[1:] for city in line[1:])]
        self.traditional = {simple: found[0] for simple, found in map(str.split, DATA.read_text("utf-8").splitlines())}
        self.sounds: dict[str, str] = defaultdict(str)
        for character in sorted({*LETTERS, *"晖惠会答鑫心形型诚城程原缘太态庵加家洪红弘锋风枫"}):
            self.sounds[pinyin(character)] += character
        names: dict[str, None] = {}
        while len(names) < size:
            names[self._chinese() if self.dice.random() < 0.75 else self._english()] = None
        self.companies = [Traits(name, *self._reach(n)) for n, name in enumerate(names)]

    def _chinese(self) -> str:
        d = self.dice
        brand = "".join(d.sample(LETTERS, d.choice((2, 2, 2, 3))))
        place = d.choice(self.cities) + d.choice(("", "", "市")) if d.random() < 0.8 else ""
        return place + brand + d.choice(TRADES) + d.choice(FORMS)

    def _english(self) -> str:
        d = self.dice
        words = ["".join(d.choices(SYLLABLES, k=3)).capitalize() for _ in range(d.choice((1, 2)))]
        return " ".join((*words, d.choice(THINGS), d.choice(ENDS)))

    def _reach(self, n: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        phone = f"1{self.dice.choice('3578')}{self.dice.randrange(10**9):09d}"
        return ((phone,) if n % 20 < 9 else ()), ((f"info@c{n}.example",) if n % 20 < 3 else ())

    def spelling(self, kind: str, company: Traits) -> Traits | None:
        """The company in another spelling of this kind; None where its name has none."""
        name = SPELLINGS[kind](self, company.name)
        if name is None or name == company.name:
            return None
        phones = tuple(self._phone(phone) for phone in company.phones if self.dice.random() < 0.8)
        return Traits(name, phones, company.emails if self.dice.random() < 0.8 else ())

    def _phone(self, phone: str) -> str:
        return self.dice.choice(PHONES.split("|")).format(phone[:3], phone[3:7], phone[7:])

    def stranger(self, company: Traits) -> Traits | None:
        """Another company that looks like this one."""
        d, name = self.dice, company.name
        if (kind := d.random()) < 0.7:
            return Traits(self._chinese() if d.random() < 0.75 else self._english())
        if kind < 0.75 and company.phones:
            return Traits(self._chinese(), (self._phone(company.phones[0]),))
        if name.isascii():
            first, _, rest = name.partition(" ")
            return Traits(f"{''.join(d.choices(SYLLABLES, k=3)).capitalize()} {rest}") if len(first) > 3 else None
        at, other = len(_place_of(self, name)), d.choice(LETTERS)
        return None if pinyin(name[at]) == pinyin(other) else Traits(name[:at] + other + name[at + 1 :])


# --- spellings -------------------------------------------------------------------------------------------


def _chinese_only(change: Callable[[Catalogue, str], str | None]) -> Callable[[Catalogue, str], str | None]:
    return lambda it, name: None if name.isascii() else change(it, name)


def _form(it: Catalogue, name: str) -> str:
    if name.isascii():
        return f"{name.rsplit(' ', 1)[0]} {it.dice.choice(ENDS)}"
    return name.removesuffix(_form_of(name)) + it.dice.choice(("", "公司", *FORMS))


def _typo(it: Catalogue, name: str) -> str:
    """A character mistyped, left out, doubled or swapped, behind the first one and before the form."""
    d, last = it.dice, len(name) - (len(_form_of(name)) or 4)
    at = d.randrange(1, max(last, 2))
    letter = d.choice("abcdefghijklmnopqrstuvwxyz" if name.isascii() else LETTERS)
    ways = (name[:at] + letter + name[at + 1 :], name[:at] + name[at + 1 :], name[:at] + name[at] + name[at:])
    return d.choice((*ways, name[: at - 1] + name[at] + name[at - 1] + name[at + 1 :]))


def _homophone(it: Catalogue, name: str) -> str | None:
    for at in range(len(_place_of(it, name)), len(name)):
        others = [x for x in it.sounds.get(pinyin(name[at]), "") if x != name[at]]
        if others:
            return name[:at] + it.dice.choice(others) + name[at + 1 :]
    return None


def _pinyin(it: Catalogue, name: str) -> str:
    said = [character if said is None else said[:-1] for character, said in syllables(_bare(it, name))]
    return it.dice.choice((" ".join(said), "".join(said).capitalize(), "".join(said).capitalize() + " Co., Ltd"))


def _place(it: Catalogue, name: str) -> str:
    place = _place_of(it, name)
    return f"{_bare(it, name)}（{place}）{_form_of(name)}" if it.dice.random() < 0.5 else name.removeprefix(place)


def _place_of(it: Catalogue, name: str) -> str:
    city = next((city for city in it.cities if name.startswith(city)), "")
    return f"{city}市" if city and name.startswith(f"{city}市") else city


def _form_of(name: str) -> str:
    return next((each for each in sorted(FORMS, key=len, reverse=True) if name.endswith(each)), "")


def _bare(it: Catalogue, name: str) -> str:
    """The name without place and form, by what the catalogue made it of."""
    if name.isascii():
        return name.rpartition(" ")[0]
    return name.removeprefix(_place_of(it, name)).removesuffix(_form_of(name))


SPELLINGS: dict[str, Callable[[Catalogue, str], str | None]] = {
    "form": _form,
    "typing error": _typo,
    "abbreviated": lambda it, name: name.rsplit(" ", 1)[0] if name.isascii() else _bare(it, name),
    "marks": lambda it, name: name.replace(" ", it.dice.choice(("-", ", ", "."))) if name.isascii() else f"{name[:-4]}·{name[-4:]}",
    "width": lambda _it, name: "".join(chr(ord(x) + 0xFEE0) if "!" <= x <= "~" else x for x in name) + "　",
    "pinyin": _chinese_only(_pinyin),
    "traditional": _chinese_only(lambda it, name: "".join(it.traditional.get(x, x) for x in name)),
    "place": _chinese_only(_place),
    "homophone": _chinese_only(_homophone),
    "case": lambda _it, name: name.upper(),
    "spaces": lambda _it, name: name.replace(" ", "  ") if name.isascii() else " ".join((name[:3], name[3:])),
}  # fmt: skip


# --- measuring -------------------------------------------------------------------------------------------

MOST_OF_A_KEY = 50
"""As in the product: the number of records that are looked at for one key."""


def measure(size: int, queries: int, seed: int, *, missed: bool) -> dict[str, Any]:
    catalogue = Catalogue(size, seed)
    index: dict[tuple[KeyKind, str], list[int]] = defaultdict(list)
    for n, company in enumerate(catalogue.companies):
        for key in keys_of(company):
            index[key].append(n)
    right: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    wrong, shown, took = 0, [], []
    for kind, n, asked in _questions(catalogue, queries):
        began = time.perf_counter()
        found = {m: None for key in keys_of(asked) for m in index.get(key, ())[:MOST_OF_A_KEY]}
        findings = assess(asked, [(m, catalogue.companies[m]) for m in found], DEFAULTS["customer"])
        took.append(time.perf_counter() - began)
        shown.append(len(findings))
        certain, all_found = {x.that for x in findings if x.verdict.is_certain}, {x.that for x in findings}
        is_wrong = bool(certain - {n} if kind else certain)
        wrong += is_wrong
        if kind:
            right[kind].append((n in certain, n in all_found))
        if missed and (is_wrong or (kind and n not in all_found)):
            _print(kind, asked, catalogue.companies[n], catalogue, findings)
    both = [each for found in right.values() for each in found]
    hits = sum(is_certain for is_certain, _ in both)
    return {
        "companies": size,
        "queries": len(both),
        "strangers": len(shown) - len(both),
        "certain": {"precision": round(hits / (hits + wrong), 4), "recall": round(hits / len(both), 4)},
        "both": {"recall": round(sum(x for _, x in both) / len(both), 4), "shown": round(sum(shown) / len(shown), 3)},
        "recall": {
            kind: [round(sum(x) / len(x), 3) for x in zip(*found, strict=True)] for kind, found in right.items()
        },
        "milliseconds": {"p50": _at(took, 0.5), "p95": _at(took, 0.95)},
    }


def _print(kind: str, asked: Traits, meant: Traits, catalogue: Catalogue, findings: list[Finding[int]]) -> None:
    said = [(catalogue.companies[x.that].name, x.verdict.name, [y.value for y in x.evidence]) for x in findings]
    sys.stderr.write(f"{kind or 'stranger'}: {asked} meant {meant}: {said}\n")


def _at(took: list[float], share: float) -> float:
    return round(sorted(took)[int(len(took) * share)] * 1e3, 3)


def _questions(catalogue: Catalogue, queries: int) -> Iterator[tuple[str, int, Traits]]:
    """(kind of spelling, its company, what is typed), and ("", company, another one that looks like it)."""
    known = {company.name for company in catalogue.companies}
    bare = {_bare(catalogue, name) for name in known}
    kinds = catalogue.dice.choices([*WEIGHTS], [*WEIGHTS.values()], k=queries)
    for kind in kinds:
        n = catalogue.dice.randrange(len(catalogue.companies))
        if (asked := catalogue.spelling(kind, catalogue.companies[n])) is not None and asked.name not in known:
            yield kind, n, asked
        stranger = catalogue.stranger(catalogue.companies[n])
        if stranger is not None and _bare(catalogue, stranger.name) not in bare:
            yield "", n, stranger


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--companies", type=int, default=20_000)
    parser.add_argument("--queries", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--missed", action="store_true")
    asked = parser.parse_args()
    found = measure(asked.companies, asked.queries, asked.seed, missed=asked.missed)
    sys.stdout.write(f"{json.dumps(found, indent=2, ensure_ascii=False)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
