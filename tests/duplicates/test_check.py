"""What a duplicate check finds, and what it tells to whom."""

from typing import Any

import pytest

from models import Base, Contact, Customer
from models.contact import PointKind
from models.duplicates import Evidence, Verdict
from models.errors import TooManyAttempts, Validation
from resolvers.duplicates.check import Match, NextStep, Place, check, mask
from resolvers.merging.merge import merge
from resolvers.records import create_update
from resolvers.runtime.budgets import Budgets, Costly
from tests.support.world import World


def found(world: World, by: str, model: type[Base] = Customer, **given: Any) -> list[Match]:
    return world.run(world.scope(by).read(check, model, given))


@pytest.mark.parametrize(
    ("given", "evidence"),
    [
        ({"name": "上海市鴻發貿易股份有限公司"}, (Evidence.NAME,)),
        ({"name": "Shanghai Hongfa Maoyi Co., Ltd"}, (Evidence.SOUND,)),
        ({"name": "上海宏发贸易"}, (Evidence.SOUND,)),
        ({"name": "上海鸿发贸用有限公司"}, (Evidence.TYPING_ERROR,)),
        ({"name": "上海鸿达贸易有限公司"}, (Evidence.SIMILAR_NAME,)),
        ({"name": "北京鸿发贸易"}, (Evidence.NAME_ELSEWHERE,)),
        ({"phone": "+86 (21) 6888-1234"}, (Evidence.PHONE,)),
        ({"name": "鸿发贸易", "phone": "13800138000"}, (Evidence.NAME, Evidence.PHONE_AND_NAME)),
        ({"email": "SALES@hongfa.example"}, (Evidence.EMAIL, Evidence.DOMAIN)),
        ({"registration_number": "91310000-ma1k35xy2c"}, (Evidence.REGISTRATION,)),
    ],
)
def test_a_customer_is_found_by_each_of_its_traits(
    strict: World, given: dict[str, Any], evidence: tuple[Evidence, ...]
) -> None:
    hongfa = strict.customer(
        "上海鸿发贸易有限公司",
        phone="021-68881234",
        email="sales@hongfa.example",
        registration_number="91310000MA1K35XY2C",
        contact_name="Wang",
        contact_phone="138 0013 8000",
    )
    strict.customer("成都另一家食品有限公司")

    assert [(match.id, match.evidence) for match in found(strict, "li", **given)] == [(hongfa, evidence)]


def test_a_renamed_a_deleted_and_a_purged_customer_are_found_by_what_they_are_now(strict: World) -> None:
    id = strict.customer("鸿发贸易")

    strict.ada.do(create_update.update, Customer, id, {"name": "金达机械", "phone": "021 68881234"})
    assert found(strict, "ada", name="鸿发贸易") == []
    assert [match.id for match in found(strict, "ada", name="金达机械公司")] == [id]
    assert [match.id for match in found(strict, "ada", phone="02168881234")] == [id]

    strict.ada.do(create_update.delete, Customer, [id])
    assert [match.place for match in found(strict, "ada", name="金达机械")] == [Place.BIN]

    strict.ada.do(create_update.purge, Customer, [id], confirm=True)
    assert found(strict, "ada", name="金达机械") == []


def test_a_customer_is_found_by_a_phone_that_its_contact_has_now(strict: World) -> None:
    id = strict.customer("鸿发贸易", contact_name="Wang", contact_phone="13800138000")
    contact = strict.rows(Contact)[0]["id"]

    strict.li.do(
        create_update.update, Contact, contact, {"points": [{"kind": PointKind.PHONE, "value": "139 0000 0001"}]}
    )

    assert found(strict, "li", phone="13800138000") == []
    assert [match.id for match in found(strict, "li", phone="+8613900000001")] == [id]


def test_a_customer_that_was_merged_away_leads_to_the_one_that_stayed(strict: World) -> None:
    stays, gone = strict.customer("金明机械"), strict.customer("鸿发贸易", phone="13800138000")
    strict.ada.do(merge, stays, [gone])

    for given in ({"name": "鸿发贸易有限公司"}, {"phone": "13800138000"}):
        assert [(match.id, match.number) for match in found(strict, "ada", **given)] == [(stays, "C2026001")]
    assert world_check(strict, stays) == []


def world_check(world: World, but: int) -> list[Match]:
    return world.run(world.ada.read(check, Customer, {"name": "鸿发贸易"}, but))


# --- what is told to whom --------------------------------------------------------------------------------


def test_the_owner_may_open_it_and_a_colleague_sees_whom_to_ask(strict: World) -> None:
    id = strict.customer("上海鸿发贸易有限公司", owner="li")

    (mine,) = found(strict, "li", name="上海鸿发贸易")
    assert (mine.id, mine.number, mine.name, mine.next_step) == (id, "C2026001", "上海鸿发贸易有限公司", NextStep.OPEN)

    (theirs,) = found(strict, "mei", name="上海鸿发贸易")
    assert (theirs.id, theirs.number, theirs.name) == (None, "", "上海鸿发贸易＊＊＊＊")
    assert (theirs.place, theirs.owner, theirs.next_step) == (Place.OWNED, "Li Na", NextStep.ASK_OWNER)


def test_a_customer_in_a_pool_is_offered_to_those_who_may_claim_it(strict: World) -> None:
    id = strict.customer("上海鸿发贸易有限公司", pool="north")

    (seen,) = found(strict, "li", name="上海鸿发贸易")
    assert (seen.id, seen.place, seen.next_step) == (id, Place.POOL, NextStep.CLAIM)

    (hidden,) = found(strict, "mei", name="上海鸿发贸易")
    assert (hidden.id, hidden.place, hidden.next_step) == (None, Place.POOL, NextStep.ASK_ADMINISTRATOR)


def test_a_phone_leads_to_a_name_of_which_nothing_was_typed_only_as_far_as_it_may_be_read(strict: World) -> None:
    strict.customer("鸿发贸易", owner="li", phone="13800138000")

    (match,) = found(strict, "mei", phone="138-0013-8000")

    assert (match.name, match.verdict) == ("鸿＊＊＊", Verdict.POSSIBLE)


def test_a_record_that_is_seen_is_compared_by_what_is_seen_of_it(strict: World) -> None:
    pooled = strict.customer(
        "鸿发贸易", pool="north", phone="13800138000", contact_name="Wang", contact_phone="13900000001"
    )

    for phone in ("13800138000", "13900000001"):
        assert found(strict, "li", phone=phone) == found(strict, "li", Contact, phone=phone) == []
        (beside,) = found(strict, "li", name="鸿发贸易", phone=phone)
        assert (beside.id, beside.evidence) == (pooled, (Evidence.NAME,))
        assert [match.id for match in found(strict, "ada", phone=phone)] == [pooled]


@pytest.mark.parametrize("digits", ["1380013800", "13800138", "380013800", "138001380000", "1380013800*"])
def test_no_part_of_a_phone_number_finds_it(strict: World, digits: str) -> None:
    strict.customer("鸿发贸易", owner="li", phone="13800138000")

    assert found(strict, "mei", phone=digits) == []
    assert found(strict, "li", phone=digits) == []


def test_a_masked_name_shows_what_was_typed() -> None:
    assert mask("Acme Pumps", "pum") == "A＊m＊ Pump＊"
    assert mask("鸿发贸易", "鸿发") == "鸿发＊＊"


# --- contacts --------------------------------------------------------------------------------------------


def test_a_contact_is_found_at_its_customer_by_name_and_everywhere_by_phone(strict: World) -> None:
    acme, other = strict.customer("Acme"), strict.customer("Umbrella")
    wang = strict.make(
        Contact, customer_id=acme, name="王芳", points=[{"kind": PointKind.PHONE, "value": "13800138000"}]
    )

    assert [match.id for match in found(strict, "li", Contact, name="王芳", customer_id=acme)] == [wang]
    assert found(strict, "li", Contact, name="王芳", customer_id=other) == []
    (match,) = found(strict, "li", Contact, name="王芳", phone="+86 138 0013 8000", customer_id=other)
    assert (match.id, match.evidence[0]) == (wang, Evidence.PHONE_AND_NAME)


# --- bounds ----------------------------------------------------------------------------------------------


def test_a_check_of_nothing_or_of_too_much_is_refused(strict: World) -> None:
    for given in ({}, {"name": " "}, {"name": "x" * 201}, {"phone": ["1"] * 21}):
        with pytest.raises(Validation):
            found(strict, "li", **given)


def test_checks_have_a_budget(strict: World) -> None:
    strict.backend.budgets = Budgets({Costly.DUPLICATE_CHECKS: 2}, clock=lambda: 0.0)

    found(strict, "li", name="Acme")
    found(strict, "li", name="Acme")
    with pytest.raises(TooManyAttempts):
        found(strict, "li", name="Acme")
    found(strict, "mei", name="Acme")


def test_a_common_phone_does_not_crowd_out_a_name(strict: World) -> None:
    for n in range(60):
        strict.customer(f"第{n}家贸易", phone="02168881234", duplicate_reason="One switchboard")
    id = strict.customer("鸿发贸易")
    for n in range(60, 120):
        strict.customer(f"第{n}家贸易", phone="02168881234", duplicate_reason="One switchboard")

    matches = found(strict, "li", name="鸿发贸易", phone="02168881234")

    assert matches[0].id == id
    assert len(matches) == 5
