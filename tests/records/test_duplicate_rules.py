"""What is certainly the same, what possibly, and what only looks alike."""

import pytest

from models.duplicates import KeyKind, Likeness, Traits, judge, keys_of

OURS = Traits("上海鸿发贸易有限公司", ("021-68881234",), ("info@hongfa.example",), "91310000MA1K35XY2C")


def test_a_record_is_found_under_each_of_its_keys() -> None:
    assert keys_of(OURS) == [
        (KeyKind.REGISTRATION, "91310000MA1K35XY2C"),
        (KeyKind.EMAIL, "info@hongfa.example"),
        (KeyKind.NAME, "鸿发贸易"),
        (KeyKind.SOUND, "hong fa mao yi"),
        (KeyKind.PHONE, "2168881234"),
        (KeyKind.DOMAIN, "hongfa.example"),
    ]


@pytest.mark.parametrize(
    ("other", "alike", "likeness", "by"),
    [
        (Traits("鴻發貿易"), 1.0, Likeness.CERTAIN, [KeyKind.NAME, KeyKind.SOUND]),
        (Traits("宏发贸易（上海）有限公司"), 0.75, Likeness.CERTAIN, [KeyKind.SOUND]),
        (Traits("Other", registration="91310000-MA1K-35XY-2C"), 0.0, Likeness.CERTAIN, [KeyKind.REGISTRATION]),
        (Traits("Other", emails=("INFO@hongfa.example",)), 0.0, Likeness.CERTAIN, [KeyKind.EMAIL, KeyKind.DOMAIN]),
        (Traits("鸿发商贸", ("+86 21 6888 1234",)), 0.75, Likeness.CERTAIN, [KeyKind.PHONE]),
        (Traits("另一家", ("021 68881234",)), 0.0, Likeness.POSSIBLE, [KeyKind.PHONE]),
        (Traits("北京鸿发贸易有限公司"), 1.0, Likeness.POSSIBLE, [KeyKind.NAME, KeyKind.SOUND]),
        (Traits("鸿发贸贸"), 0.85, Likeness.POSSIBLE, []),
    ],
)
def test_how_certain_it_is(other: Traits, alike: float, likeness: Likeness, by: list[KeyKind]) -> None:
    assert judge(OURS, other, alike) == judge(other, OURS, alike) == (likeness, by)


@pytest.mark.parametrize(
    ("other", "alike"),
    [(Traits("鸿达贸易"), 0.75), (Traits("Other", emails=("ann@hongfa.example",)), 0.1), (Traits(), 0.0)],
)
def test_what_only_looks_alike_is_neither(other: Traits, alike: float) -> None:
    assert judge(OURS, other, alike) is None
