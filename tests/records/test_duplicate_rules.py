"""What two records have in common, what it counts for, and what is left out of an answer."""

import pytest

from models.duplicates import DEFAULTS, SHOWN, Evidence, KeyKind, Traits, Verdict, assess, evidence_of, hashed, keys_of
from models.duplicates import range_of as range_of_kind

OURS = Traits("上海鸿发贸易有限公司", ("021-68881234",), ("info@hongfa.example",), "91310000MA1K35XY2C")


def test_a_record_is_found_under_each_of_its_keys() -> None:
    found = keys_of(OURS)

    assert OURS.hashed_keys == tuple(map(hashed, found))

    assert [key for key in found if key[0] is not KeyKind.NEAR] == [
        (KeyKind.REGISTRATION, "91310000MA1K35XY2C"),
        (KeyKind.EMAIL, "info@hongfa.example"),
        (KeyKind.PHONE, "2168881234"),
        (KeyKind.DOMAIN, "hongfa.example"),
        (KeyKind.NAME, "鸿发贸易"),
        (KeyKind.SOUND, "hongfamaoyi"),
        (KeyKind.BRAND, "鸿发"),
    ]
    assert {text for kind, text in found if kind is KeyKind.NEAR} == {
        "鸿发贸易",
        "发贸易",
        "鸿贸易",
        "鸿发易",
        "鸿发贸",
    }


def test_a_stored_key_fits_a_signed_integer_and_stands_beside_its_kind() -> None:
    for kind in KeyKind:
        first, behind = range_of_kind(kind)
        assert first <= hashed((kind, "鸿发贸易")) < behind < 2**63


@pytest.mark.parametrize(
    ("other", "evidence"),
    [
        (Traits("鴻發貿易"), [Evidence.NAME]),
        (Traits("鸿发贸易（上海市）股份有限公司"), [Evidence.NAME]),
        (Traits("宏发贸易（上海）有限公司"), [Evidence.SOUND]),
        (Traits("宏发贸易"), [Evidence.SIMILAR_NAME]),
        (Traits("Hongfa Maoyi Co., Ltd"), [Evidence.SOUND]),
        (Traits("Shanghai hongfamaoyi youxiangongsi"), [Evidence.SOUND]),
        (Traits("上海鸿发贸意有限公司"), [Evidence.SOUND]),
        (Traits("上海鸿发贸亿有限公丝"), [Evidence.SOUND]),
        (Traits("上海鸿发贸用有限公司"), [Evidence.TYPING_ERROR]),
        (Traits("上海鸿达贸易有限公司"), [Evidence.SIMILAR_NAME]),
        (Traits("鸿发"), [Evidence.SIMILAR_NAME]),
        (Traits("北京鸿发贸易有限公司"), [Evidence.NAME_ELSEWHERE]),
        (Traits("Other", registration="91310000-MA1K-35XY-2C"), [Evidence.REGISTRATION]),
        (Traits("Other", emails=("INFO@hongfa.example",)), [Evidence.EMAIL, Evidence.DOMAIN]),
        (Traits("鸿发", ("+86 21 6888 1234",)), [Evidence.PHONE_AND_NAME, Evidence.SIMILAR_NAME]),
        (Traits("另一家", ("021 68881234",)), [Evidence.PHONE]),
        (Traits("Other", emails=("ann@hongfa.example",)), [Evidence.DOMAIN]),
        (Traits("北京鸿达贸易有限公司"), []),
        (Traits("上海华兴科技有限公司"), []),
        (Traits(), []),
    ],
)
def test_what_speaks_for_one_company(other: Traits, evidence: list[Evidence]) -> None:
    assert evidence_of(OURS, other) == evidence_of(other, OURS) == evidence


def test_names_without_pinyin_are_not_alike_for_that() -> None:
    one, other = Traits("Garcia Tools LLC", ("13800138000",)), Traits("Farrell Academy Ltd", ("13800138000",))

    assert evidence_of(one, other) == [Evidence.PHONE]


def verdicts(asked: Traits, *others: Traits) -> dict[int, Verdict]:
    return {found.that: found.verdict for found in assess(asked, list(enumerate(others)), DEFAULTS["customer"])}


def test_a_name_without_its_place_is_certain_for_one_company_and_possible_for_each_of_two() -> None:
    shanghai, beijing = Traits("上海鸿发贸易有限公司"), Traits("北京鸿发贸易有限公司")

    assert verdicts(Traits("鸿发贸易"), shanghai) == {0: Verdict.CERTAIN}
    assert verdicts(Traits("鸿发贸易"), shanghai, beijing) == {0: Verdict.POSSIBLE, 1: Verdict.POSSIBLE}


def test_beside_the_company_of_the_same_place_one_that_says_no_place_is_possible() -> None:
    found = verdicts(Traits("上海鸿发贸易"), Traits("鸿发贸易"), Traits("上海鸿发贸易有限公司"))

    assert found == {0: Verdict.POSSIBLE, 1: Verdict.CERTAIN}


def test_beside_a_certain_company_similar_names_are_left_out_but_a_shared_phone_is_not() -> None:
    similar, phone = Traits("上海鸿达贸易有限公司"), Traits("另一家", ("13800138000",))

    found = verdicts(Traits("上海鸿发贸易", ("+86 138 0013 8000",)), similar, phone, Traits("上海鸿发贸易有限公司"))

    assert found == {1: Verdict.POSSIBLE, 2: Verdict.CERTAIN}


def test_a_rule_decides_what_evidence_counts_for() -> None:
    phone = Traits("另一家", ("13800138000",))

    for verdict in Verdict:
        found = assess(
            Traits("甲", ("138-0013-8000",)), [(1, phone)], {**DEFAULTS["customer"], Evidence.PHONE: verdict}
        )
        assert [x.verdict for x in found] == ([verdict] if verdict is not Verdict.NOTHING else [])


def test_an_answer_is_bounded_and_begins_with_the_most_certain() -> None:
    others = [Traits(f"上海鸿{x}贸易有限公司") for x in "达运辉明瑞丰恒"] + [
        Traits("另一家", emails=("a@hongfa.example",))
    ]

    found = assess(
        OURS, list(enumerate([*others, Traits("乙", registration="91310000MA1K35XY2C")])), DEFAULTS["customer"]
    )

    assert len(found) <= SHOWN
    assert found[0].verdict is Verdict.CERTAIN
    assert found[0].that == len(others)
