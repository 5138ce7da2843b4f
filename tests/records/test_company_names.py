"""Names of companies: what makes two of them one, and what does not."""

import pytest

from models.company_names import company_name
from models.simplified import simplified


def test_traditional_characters_are_read_as_simplified_ones() -> None:
    assert simplified("鴻發貿易股份有限公司") == "鸿发贸易股份有限公司"
    assert simplified("Acme") == "Acme"


@pytest.mark.parametrize(
    "names",
    [
        (
            "上海鸿发贸易有限公司",
            "上海市鴻發貿易股份有限公司",
            "鸿发贸易（上海）有限公司",
            "ＳＨ鸿发"[2:] + "贸易 有限公司",
            "鸿发贸易",
        ),
        ("Acme Pumps Ltd", "ACME PUMPS LIMITED", "The Acme Pumps Co., Ltd.", "acme-pumps GmbH", "Ａｃｍｅ Ｐｕｍｐｓ"),
        ("广东省深圳市华星科技有限责任公司", "深圳华星科技有限公司", "华星科技集团有限公司"),
        ("O'Neill & Sons Inc.", "ONeill and Sons"),
    ],
)
def test_form_place_width_case_and_marks_do_not_matter(names: tuple[str, ...]) -> None:
    assert len({company_name(name).core for name in names}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [("华兴科技有限公司", "华信科技有限公司"), ("Acme Pumps", "Acme Pipes"), ("远东电器", "远东电气")],
)
def test_another_word_is_another_company(one: str, other: str) -> None:
    assert company_name(one).core != company_name(other).core


def test_names_that_sound_alike_have_one_sound() -> None:
    assert company_name("鸿发贸易有限公司").sound == company_name("宏发贸易").sound == "hongfamaoyi"


@pytest.mark.parametrize(
    ("one", "other", "may_be"),
    [
        ("上海鸿发贸易", "北京鸿发贸易", False),
        ("上海鸿发贸易", "鸿发贸易", True),
        ("深圳华星科技", "广东华星科技", True),
        ("深圳华星科技", "广州华星科技", False),
    ],
)
def test_places_keep_companies_apart_that_share_a_core(one: str, other: str, may_be: bool) -> None:
    mine, theirs = company_name(one), company_name(other)
    assert mine.core == theirs.core
    assert mine.may_be(theirs) is theirs.may_be(mine) is may_be


@pytest.mark.parametrize("name", ["有限公司", "上海", "上海有限公司", "Ltd", "The Company", "—", "..."])
def test_a_name_that_is_only_form_or_place_has_a_core_too(name: str) -> None:
    assert company_name(name).core or not name.strip("—.")


@pytest.mark.parametrize(
    ("name", "core", "place"),
    [
        ("泰安电子（哈尔滨）有限公司", "泰安电子", "哈尔滨"),
        ("哈尔滨泰安电子有限公司", "泰安电子", "哈尔滨"),
        ("泰安电子有限公司", "泰安电子", ""),
        ("华兴科技有限公丝", "华兴科技", ""),
        ("华兴科技优限公司", "华兴科技", ""),
        ("ApexTrading Ltd", "apextrading", ""),
        ("Apex Trading Limted", "apextrading", ""),
        ("S.A.R.L. Dupont", "dupont", ""),
        ("Maryor.Motors.Inc", "maryormotors", ""),
        ("Shenzhen Apex Trading Co., Ltd", "apextrading", "深圳"),
        ("Beijing Pumps Ltd", "beijingpumps", ""),
        ("shenzhenhuaxingkeji", "huaxingkeji", "深圳"),
    ],
)
def test_the_place_is_told_from_the_name(name: str, core: str, place: str) -> None:
    found = company_name(name)

    assert (found.core, found.place) == (core, place)


@pytest.mark.parametrize(
    ("name", "rest"),
    [("上诲鸿发贸易", "鸿发贸易"), ("常德德市青冬食品", "青冬食品"), ("鸿发贸易", ""), ("海上贸易", ""), ("Acme", "")],
)
def test_a_place_with_a_typing_error_is_noticed(name: str, rest: str) -> None:
    assert company_name(name).without_broken_place == rest
