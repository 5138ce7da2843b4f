"""What people type becomes what a column holds, or is refused in words that name the field."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from models import Contact, Customer, DictionaryItem, Entity, FollowUp, Opportunity, User, UserRole
from models.errors import Validation
from resolvers.runtime.inputs import clean, line
from tests.support.cpu_time import quickly
from tests.support.world import World


def kept(model: type[Entity], key: str, value: Any) -> Any:
    return clean(model, {key: value}, creating=True)[key]


def refused(model: type[Entity], key: str, value: Any) -> Validation:
    with pytest.raises(Validation) as caught:
        clean(model, {key: value}, creating=True)
    return caught.value


# --- text ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("  Acme  ", "Acme"),
        ("\u3000华为\u3000", "华为"),
        ("Acme\nLtd", "Acme Ltd"),
        ("Acme\t Ltd", "Acme Ltd"),
        ("Acme\r\n  Ltd", "Acme Ltd"),
        ("Acme\x0bLtd", "Acme Ltd"),
        ("１２３号楼", "123号楼"),
        ("\ufeffAcme", "Acme"),
        ("Ac\u200bme", "Acme"),
        ("\u202a+86 138\u202c", "+86 138"),
        ("\u2066Acme\u2069", "Acme"),
        ("Acme\u202eslaer", "Acmeslaer"),
        ("Cafe\u0301", "Café"),
        ("深圳市，腾讯（计算机）", "深圳市，腾讯（计算机）"),
        ("👩‍💻 Ltd", "👩‍💻 Ltd"),
        ("O'Neil; DROP TABLE customer", "O'Neil; DROP TABLE customer"),
    ],
)
def test_a_line_of_text_is_tidied_and_what_nobody_sees_is_dropped(typed: str, stored: str) -> None:
    assert kept(Customer, "name", typed) == stored


def test_longer_text_keeps_its_lines(world: World) -> None:
    customer = world.customer(remark="\r\n first\r\n\r\n\tsecond\u2028third\x0bfourth \n")

    assert world.row(Customer, customer)["remark"] == "first\n\n\tsecond\nthird\nfourth"


@pytest.mark.parametrize("blank", ["", "   ", "\u3000", "\ufeff", "\u200b \u202a", "\n"])
def test_blank_text_is_no_text(blank: str) -> None:
    assert kept(Customer, "phone", blank) is None
    assert refused(Customer, "name", blank).say() == "Name is required."


@pytest.mark.parametrize("bad", ["\x00", "a\x00b", "\x07", "\x1b[31m", "\x7f", "\x85\x9b", "\ud800", "\uffff"])
def test_what_cannot_be_printed_is_refused(bad: str) -> None:
    refusal = refused(Customer, "latest_need", bad)

    assert refusal.field == "latestNeed"
    assert refusal.say("en") == "Latest need holds characters that cannot be printed."
    assert refusal.say("zh") == "最新需求含有不可打印的字符。"


def test_text_has_its_length_in_characters_after_trimming(world: World) -> None:
    assert kept(Customer, "name", " " + "深" * 200 + " ") == "深" * 200
    refusal = refused(Customer, "name", "深" * 201)
    assert (refusal.say("en"), refusal.say("zh")) == ("Name is longer than 200 characters.", "名称超过 200 个字符。")
    assert refused(Customer, "remark", "x" * 20_001).say() == "Remark is longer than 20000 characters."

    customer = world.customer("😀" * 200, remark="好" * 20_000)

    assert world.row(Customer, customer)["name"] == "😀" * 200


@pytest.mark.parametrize("wrong", [1, True, 1.5, [], {}, b"x", ["Acme"], object()])
def test_text_must_be_text(wrong: Any) -> None:
    refusal = refused(Customer, "name", wrong)

    assert (refusal.say("en"), refusal.say("zh")) == ("Name must be text.", "名称必须是文本。")


def test_free_text_outside_of_columns_is_held_to_the_same() -> None:
    assert (line(" why ", "reason"), line("  ", "reason"), line(None, "reason")) == ("why", None, None)
    with pytest.raises(Validation) as caught:
        line("x" * 201, "reason")
    assert caught.value.field == "reason"


# --- other types -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", ["1", 1.0, True, None.__class__, [1], Decimal(1)])
def test_a_whole_number_must_be_one(wrong: Any) -> None:
    refusal = refused(User, "capacity", wrong)

    assert (refusal.say("en"), refusal.say("zh")) == ("Capacity must be a whole number.", "库容必须是整数。")


@pytest.mark.parametrize("huge", [2**31, -(2**31), 10**400])
def test_a_huge_number_is_out_of_range(huge: int) -> None:
    refusal = refused(User, "capacity", huge)

    assert (refusal.say("en"), refusal.say("zh")) == ("Capacity is out of range.", "库容超出范围。")


@pytest.mark.parametrize("wrong", [0, 1, "true", "", []])
def test_yes_or_no_is_yes_or_no(wrong: Any) -> None:
    assert refused(Contact, "is_primary", wrong).say() == "Primary contact must be yes or no."


@pytest.mark.parametrize(
    ("given", "stored"), [(5, "5.00"), (Decimal("12.5"), "12.50"), (Decimal("1E+2"), "100.00"), (Decimal(0), "0.00")]
)
def test_an_amount_has_two_decimals(given: Any, stored: str) -> None:
    assert str(kept(Opportunity, "amount", given)) == stored


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (Decimal("0.001"), "Amount has at most two decimals."),
        (Decimal("1E-1000000"), "Amount has at most two decimals."),
        (Decimal(10) ** 14, "Amount is out of range."),
        (10**400, "Amount is out of range."),
        (Decimal("1E+1000000"), "Amount is out of range."),
        (Decimal("NaN"), "Amount must be an amount."),
        (Decimal("sNaN"), "Amount must be an amount."),
        (Decimal("Infinity"), "Amount must be an amount."),
        (1.5, "Amount must be an amount."),
        ("5", "Amount must be an amount."),
        (True, "Amount must be an amount."),
    ],
)
def test_what_is_no_amount_of_money_is_refused(given: Any, sentence: str) -> None:
    assert refused(Opportunity, "amount", given).say() == sentence


def test_the_largest_amount_is_stored_to_the_cent(world: World) -> None:
    deal = world.make(Opportunity, customer_id=world.customer(), name="Deal", amount=Decimal("99999999999999.99"))

    assert world.row(Opportunity, deal)["amount"] == Decimal("99999999999999.99")


def test_a_time_is_stored_in_utc_and_one_without_a_zone_is_utc() -> None:
    shanghai = timezone(timedelta(hours=8))

    assert kept(FollowUp, "happened_at", datetime(2026, 1, 1, 7, tzinfo=shanghai)) == datetime(
        2025, 12, 31, 23, tzinfo=UTC
    )
    assert kept(FollowUp, "happened_at", datetime(2026, 1, 1)) == datetime(2026, 1, 1, tzinfo=UTC)  # noqa: DTZ001


@pytest.mark.parametrize(
    "moment",
    [
        datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-14))),
        datetime(1899, 12, 31, tzinfo=UTC),
        datetime(9999, 1, 1, tzinfo=UTC),
    ],
)
def test_a_time_out_of_range_is_refused(moment: datetime) -> None:
    refusal = refused(FollowUp, "happened_at", moment)

    assert (refusal.say("en"), refusal.say("zh")) == ("Time of the follow-up is out of range.", "跟进时间超出范围。")


def test_times_at_the_edge_of_the_range_are_stored(world: World) -> None:
    edges = [datetime(1900, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)]
    roles = [world.ids[role] for role in ("finance", "support")]

    made = [
        world.make(UserRole, user_id=world.ids["wu"], role_id=role, starts_at=moment)
        for role, moment in zip(roles, edges, strict=True)
    ]

    assert [world.row(UserRole, id)["starts_at"] for id in made] == edges


@pytest.mark.parametrize("wrong", ["2026-01-01", 1, None.__class__, date(2026, 1, 1)])
def test_a_time_must_be_one(wrong: Any) -> None:
    assert refused(FollowUp, "happened_at", wrong).say() == "Time of the follow-up must be a time."


@pytest.mark.parametrize("wrong", ["1990-01-01", datetime(1990, 1, 1, tzinfo=UTC), 7])
def test_a_date_must_be_one(wrong: Any) -> None:
    assert refused(Contact, "birthday", wrong).say() == "Birthday must be a date."


@pytest.mark.parametrize("day", [date.min, date(1899, 12, 31), date.max])
def test_a_date_out_of_range_is_refused(day: date) -> None:
    assert refused(Contact, "birthday", day).say() == "Birthday is out of range."


@pytest.mark.parametrize("wrong", ["SHOUT", "call", "", 3, [], {}])
def test_a_choice_is_one_of_its_words(wrong: Any) -> None:
    refusal = refused(FollowUp, "kind", wrong)

    assert refusal.say("en") == "Kind must be chosen from what is offered."
    assert refusal.say("zh") == "类型须从给出的选项中选择。"


def test_a_list_of_words_is_tidied() -> None:
    assert kept(DictionaryItem, "aliases", [" shop ", "", "shop", "店"]) == ["shop", "店"]
    assert refused(DictionaryItem, "aliases", "shop").say() == "Aliases must be a list."
    assert refused(DictionaryItem, "aliases", ["x"] * 101).field == "aliases"
    assert refused(DictionaryItem, "aliases", [1]).say() == "Aliases must be text."
    assert refused(DictionaryItem, "aliases", None).say() == "Aliases is required."


def test_nothing_is_refused_where_something_is_needed() -> None:
    assert refused(User, "active", None).say() == "Active is required."
    assert refused(FollowUp, "kind", None).say() == "Kind is required."


# --- sizes -----------------------------------------------------------------------------------------------


def test_text_of_any_length_is_judged_in_proportion_to_it() -> None:
    for text in ("a" + "\u0301\u0323" * 300_000, "\u200b" * 900_000, "a" * 900_000, " " * 900_000):
        refusal = quickly(partial(refused, Customer, "name", text))  # to compose the first one takes minutes
        assert refusal.field == "name"


@pytest.mark.parametrize("model_and_key", [(Customer, "name"), (FollowUp, "content")])
def test_more_marks_on_a_letter_than_a_language_has_are_refused(model_and_key: tuple[type[Entity], str]) -> None:
    assert kept(*model_and_key, "a" + "\u0301" * 30) is not None
    assert refused(*model_and_key, "a" + "\u0301" * 31)
