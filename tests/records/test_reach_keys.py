"""Phones and addresses: which spellings are one number, and which texts are none."""

import pytest

from models.reach_keys import domain_key, email_key, phone_keys, registration_key


@pytest.mark.parametrize(
    ("spellings", "key"),
    [
        (("13911112222", "139 1111 2222", "139-1111-2222", "+86 139 1111 2222", "0086-13911112222", "８６13911112222", "(86)13911112222", "13911112222.0", "86 13911112222", "+8613911112222"), "13911112222"),
        (("021-68881234", "+86 (21) 6888-1234", "021 68881234 转 801", "0086 21 68881234", "021-68881234 ext. 12", "(021)68881234#3"), "2168881234"),
        (("+49 30 1234567", "0049 30 1234567", "+49 (30) 123-4567"), "49301234567"),
    ],
)  # fmt: skip
def test_spellings_of_one_number_have_one_key(spellings: tuple[str, ...], key: str) -> None:
    assert {spelling: phone_keys(spelling) for spelling in spellings} == {each: [key] for each in spellings}


def test_two_numbers_in_one_field_are_two_keys() -> None:
    assert phone_keys("13911112222/13933334444") == ["13911112222", "13933334444"]
    assert phone_keys("13911112222、021-68881234；13911112222") == ["13911112222", "2168881234"]


@pytest.mark.parametrize("text", ["", "110", "none", "ask Ann", "12345", "1" * 20])
def test_what_names_nobody_has_no_key(text: str) -> None:
    assert phone_keys(text) == []


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Sales@ACME.com", "sales@acme.com"),
        ("sales+fair@acme.com", "sales@acme.com"),
        ("ｓａｌｅｓ＠ａｃｍｅ．ｃｏｍ", "sales@acme.com"),
        ("no address", None),
        ("@acme.com", None),
        ("ann@localhost", None),
    ],
)
def test_addresses_are_compared_without_case_width_and_tag(text: str, key: str | None) -> None:
    assert email_key(text) == key


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("ann@mail.acme.com", "acme.com"),
        ("https://www.acme.com.cn/about?x=1", "acme.com.cn"),
        ("acme.co.uk", "acme.co.uk"),
        ("ann@qq.com", None),
        ("ann@vip.163.com", None),
        ("acme", None),
    ],
)
def test_a_domain_is_that_of_the_company_or_none(text: str, domain: str | None) -> None:
    assert domain_key(text) == domain


def test_registration_numbers_are_compared_without_marks() -> None:
    assert registration_key("91310000-MA1K 35xy-2c") == registration_key("91310000ＭＡ1k35XY2C") == "91310000MA1K35XY2C"
    assert registration_key("n/a") is None
