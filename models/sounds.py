"""How Chinese names sound: the pinyin by which they are found, in full or by its initials.

A name is stored as `'hua'xing'ke'ji"h"x"k"j`, a line for each way to read it.  Marks before syllables and initials keep
what is typed aligned: `huaxing` becomes `'hua'xing`, which `uaxing` never does.  Pure functions.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from itertools import islice, pairwise, product

from .pinyin import syllables, without_tones

MOST_READINGS = 4
"""Maximum number of readings of one name with characters that have several."""
MOST_SPELLINGS = 16
"""Maximum number of ways in which typed letters are taken for syllables; `xian` is one, and two in 西安."""
SHORTEST, LONGEST = 2, 60
"""Number of letters that are taken for pinyin."""
_MARK = "'"
_TYPED = re.compile(rf"[a-zü']{{{SHORTEST},{LONGEST}}}")
_ALSO = {
    character: readings.split()
    for character, readings in (
        entry.split(" ", 1)
        for entry in [
            "阿 a e",
            "堡 bao pu bu",
            "薄 bo bao",
            "扁 bian pian",
            "便 bian pian",
            "柏 bai bo",
            "泊 bo po",
            "埔 pu bu",
            "藏 cang zang",
            "参 can shen",
            "曾 zeng ceng",
            "查 cha zha",
            "长 chang zhang",
            "朝 chao zhao",
            "车 che ju",
            "晟 sheng cheng",
            "盛 sheng cheng",
            "乘 cheng sheng",
            "澄 cheng deng",
            "重 zhong chong",
            "仇 qiu chou",
            "传 chuan zhuan",
            "大 da dai",
            "单 dan shan",
            "弹 dan tan",
            "地 di de",
            "调 diao tiao",
            "都 du dou",
            "番 fan pan",
            "费 fei bi",
            "佛 fo fu",
            "盖 gai ge",
            "谷 gu yu",
            "莞 guan wan",
            "行 xing hang",
            "巷 xiang hang",
            "合 he ge",
            "核 he hu",
            "和 he huo",
            "还 huan hai",
            "会 hui kuai",
            "纪 ji",
            "系 xi ji",
            "给 gei ji",
            "奇 qi ji",
            "贾 jia gu",
            "伽 jia ga qie",
            "茄 qie jia",
            "降 jiang xiang",
            "强 qiang jiang",
            "角 jiao jue",
            "校 xiao jiao",
            "解 jie xie",
            "隽 juan jun",
            "圈 quan juan",
            "卡 ka qia",
            "咖 ka ga",
            "乐 le yue",
            "率 lv shuai",
            "六 liu lu",
            "露 lu lou",
            "缪 miao mou",
            "模 mo mu",
            "娜 na nuo",
            "粘 zhan nian",
            "区 qu ou",
            "炮 pao bao",
            "屏 ping bing",
            "朴 pu piao",
            "铅 qian yan",
            "茜 qian xi",
            "覃 qin tan",
            "色 se shai",
            "厦 sha xia",
            "折 zhe she",
            "什 shen shi",
            "熟 shu shou",
            "术 shu zhu",
            "宿 su xiu",
            "拓 tuo ta",
            "尾 wei yi",
            "尉 wei yu",
            "蔚 wei yu",
            "圩 wei xu",
            "涡 wo guo",
            "鲜 xian",
            "吁 xu yu",
            "畜 xu chu",
            "叶 ye xie",
            "殷 yin yan",
            "约 yue yao",
            "员 yuan yun",
            "仔 zai zi",
            "扎 zha za",
            "轧 zha ya",
            "翟 zhai di",
            "种 zhong chong",
            "褚 chu zhu",
            "着 zhe zhuo zhao",
        ]
    )
}
"""Characters that names have with more than one reading, beside the one that the table or a phrase says."""


def sounds_of(name: str) -> str:
    """The readings of a folded name, a line each; empty for a name without Chinese characters."""
    if name.isascii():
        return ""
    each = [_readings(character, said) for character, said in syllables(name)]
    if not any(sounds[0][:1] == _MARK for sounds in each):
        return ""
    return "\n".join(_marked(reading) for reading in islice(product(*each), MOST_READINGS))


@lru_cache(maxsize=8_192)
def _readings(character: str, said: str | None) -> tuple[str, ...]:
    """The syllables of a character after a mark; a letter or digit as it is; "" for what is not spoken."""
    if said is None:
        return (character if character.isalnum() else "",)
    return tuple(f"'{each}" for each in dict.fromkeys((said[:-1], *_ALSO.get(character, ()))))


def _marked(reading: Iterable[str]) -> str:
    parts = [part for part in reading if part]
    aligned = "".join(part if part[0] == _MARK else "-" for part in parts)
    return aligned + "".join(f'"{part.removeprefix(_MARK)[0]}' for part in parts)


def sound_pieces(sounds: str) -> Iterator[str]:
    """The pieces of the readings of a name: its syllables, and pairs of initials."""
    for line in sounds.split("\n"):
        aligned, *initials = line.split('"')
        yield from (f"'{part.rstrip('-')}" for part in aligned.split("'")[1:])
        yield from (f'"{one}{other}' for one, other in pairwise(initials))


# --- what is typed ---------------------------------------------------------------------------------------


def spellings(word: str) -> list[str]:
    """What the sounds of a name hold that the typed letters spell: initials, or syllables of which the last may be cut
    off.  Empty for what is no pinyin."""
    if not _TYPED.fullmatch(word):
        return []
    letters = word.replace("ü", "v").strip("'")
    found = ["".join(f"'{part}" for part in parts) for parts in islice(_split(letters), MOST_SPELLINGS)]
    if len(letters) >= SHORTEST and "'" not in letters:
        found.append("".join(f'"{letter}' for letter in letters))
    return found


def spelling_ways(spelling: str) -> list[list[str]]:
    """Sets of pieces: the sounds with this spelling have all pieces of one set."""
    if spelling[0] == '"':
        return [[f'"{one}{other}' for one, other in pairwise(spelling[1::2])]]
    *whole, last = spelling[1:].split("'")
    if not whole:
        return [[f"'{syllable}"] for syllable in sorted(_syllables()[0]) if syllable.startswith(last)]
    return [[*(f"'{part}" for part in whole), *(f'"{one[0]}{other[0]}' for one, other in pairwise((*whole, last)))]]


def _split(letters: str) -> Iterator[tuple[str, ...]]:
    """The ways to take letters for syllables, the longest first; the last may be the beginning of one."""
    whole, beginnings = _syllables()
    ends = [False] * len(letters) + [True]  # whether what follows can be taken for syllables

    def steps(at: int) -> Iterator[int]:
        for end in range(min(at + _LONGEST, len(letters)), at, -1):
            part = letters[at:end]
            if part in (beginnings if end == len(letters) else whole) and ends[_next(letters, end)]:
                yield end

    for at in range(len(letters) - 1, -1, -1):
        ends[at] = any(True for _ in steps(at))

    def ways(at: int) -> Iterator[tuple[str, ...]]:
        for end in steps(at):
            if end == len(letters):
                yield (letters[at:],)
            else:
                yield from ((letters[at:end], *rest) for rest in ways(_next(letters, end)))

    return ways(0)


def _next(letters: str, end: int) -> int:
    """Where the next syllable begins: an apostrophe between syllables may be typed."""
    return end + 1 if letters[end : end + 1] == "'" else end


_LONGEST = len("zhuang")


@cache
def _syllables() -> tuple[frozenset[str], frozenset[str]]:
    """(all syllables, all beginnings of syllables)."""
    whole = without_tones() | {reading for readings in _ALSO.values() for reading in readings}
    return frozenset(whole), frozenset(each[:length] for each in whole for length in range(1, len(each) + 1))
