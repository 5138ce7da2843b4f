"""Values of custom fields in use cases: cleaned, required, merged, logged, and refused with a sentence."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from models import Contact, Customer, FollowUp, Opportunity
from models.custom_field import CustomKind
from models.errors import Conflict, Forbidden, NotFound, Refusal, Validation
from resolvers.audit import history
from resolvers.bulk.previewing import preview
from resolvers.exports.listing import Listing
from resolvers.records import create_update
from resolvers.records.restore_field import restore_field
from resolvers.runtime.scope import Scope
from tests.support.custom_fields import STORED, both, define, define_all, options, with_lines
from tests.support.world import START, World


def edit(scope: Scope, id: int, version: int | None = None, **customs: Any) -> Any:
    given = {f"custom.{key}": value for key, value in customs.items()}
    return scope.do(create_update.update, Customer, id, given, version)


def refused(scope: Scope, id: int, **customs: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        edit(scope, id, **customs)
    return caught.value


def held(world: World, id: int) -> Any:
    return world.row(Customer, id)["custom"]


def test_values_of_every_kind_are_stored_logged_and_changed(world: World) -> None:
    kinds = define_all(world)
    first = {key: both(world, kind)[0] for key, kind in kinds.items()}

    customer = world.customer(owner="li", **{f"custom.{key}": value for key, value in first.items()})

    wanted = {key: STORED.get(kind, first[key]) for key, kind in kinds.items()}
    assert held(world, customer) == wanted
    (said,) = world.log("customer", customer)
    assert {key: pair for key, pair in said["changes"].items() if key.startswith("custom.")} == {
        f"custom.{key}": [None, value] for key, value in wanted.items()
    }

    mark = world.mark()
    edit(world.li, customer, text="Grey seal", yes_no=None)
    assert held(world, customer) == {key: v for key, v in wanted.items() if key != "yes_no"} | {"text": "Grey seal"}
    (said,) = world.log("customer", customer, mark)
    assert said["changes"] == {"custom.text": ["Blue whale", "Grey seal"], "custom.yes_no": [True, None]}


WRONG: list[tuple[CustomKind, Any, str, str]] = [
    (CustomKind.TEXT, "x" * 201, "Field is longer than 200 characters.", "field字段超过 200 个字符。"),
    (CustomKind.TEXT, 7, "Field must be text.", "field字段必须是文本。"),
    (CustomKind.NUMBER, "7", "Field must be a number.", "field字段必须是数字。"),
    (CustomKind.NUMBER, Decimal("NaN"), "Field must be a number.", "field字段必须是数字。"),
    (CustomKind.NUMBER, Decimal("1e15"), "Field is out of range.", "field字段超出范围。"),
    (
        CustomKind.NUMBER,
        Decimal("0.1234567"),
        "Field has at most 15 digits, 6 of them after the point.",
        "field字段最多 15 位数字，其中小数最多 6 位。",
    ),
    (CustomKind.MONEY, Decimal("1.005"), "Field has at most two decimals.", "field字段最多两位小数。"),
    (CustomKind.DATE, START, "Field must be a date.", "field字段必须是日期。"),
    (CustomKind.MOMENT, date(2026, 1, 1), "Field must be a time.", "field字段必须是时间。"),
    (CustomKind.YES_NO, 1, "Field must be yes or no.", "field字段必须是“是”或“否”。"),
    (
        CustomKind.SINGLE_CHOICE,
        "god",
        "“god” is not in the list; choose Good",
        "“god”不存在，请选择“good级”",
    ),
    (CustomKind.MULTIPLE_CHOICE, "good", "Field must be a list.", "必须是列表。"),
    (CustomKind.PHONE, "none", "“none” is no phone number.", "“none”不是有效的电话号码。"),
    (CustomKind.EMAIL, "none", "“none” is no e-mail address.", "“none”不是有效的邮箱地址。"),
    (CustomKind.LINK, "javascript:x", "begins with http:// or https://.", "须为以 http:// 或 https:// 开头的网址。"),
    (CustomKind.PERSON, "li", "Field must be a record.", "field字段必须是一条记录。"),
]


def test_a_value_that_does_not_fit_is_refused_in_both_languages(world: World) -> None:
    options(world)
    for kind in {kind for kind, *_ in WRONG}:
        define(world, kind.value.lower(), kind, label_en="Field", label_zh="field字段")
    customer, scope = world.customer(owner="li"), world.li

    for kind, value, english, chinese in WRONG:
        refusal = refused(scope, customer, **{kind.value.lower(): value})

        assert isinstance(refusal, Validation), value
        assert english in refusal.say("en"), value
        assert chinese in refusal.say("zh"), value
        assert refusal.field == f"custom.{kind.value.lower()}"
    assert held(world, customer) is None


def test_a_record_that_is_out_of_sight_cannot_be_referred_to(world: World) -> None:
    define(world, "partner", CustomKind.REFERENCE)
    mine, other = world.customer(owner="li"), world.customer(owner="mei")

    assert isinstance(refused(world.li, mine, partner=other), NotFound)
    assert isinstance(refused(world.li, mine, partner=10_000), NotFound)
    edit(world.ada, mine, partner=other)
    edit(world.li, mine, partner=other)  # what the record holds already may stay
    assert held(world, mine) == {"partner": other}


def test_a_field_that_is_not_there_is_refused_and_so_is_a_retired_one(world: World) -> None:
    options(world)
    define(world, "score", CustomKind.SINGLE_CHOICE)
    customer = world.customer(owner="li", **{"custom.score": "good"})
    with world.backend.writer.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE custom_field SET retired_at = '2026-11-24T08:00:00.000Z'")
        connection.exec_driver_sql("UPDATE field_book SET edition = 'another'")

    assert refused(world.li, customer, size="x").say("en") == "Customers have no custom field “size”."
    assert refused(world.li, customer, score="bad").say("zh") == "score字段已停用，不能填写。"
    edit(world.li, customer, score=None)
    assert held(world, customer) is None


def test_a_required_field_is_asked_of_new_records_and_of_whoever_empties_it(world: World) -> None:
    old = world.customer(owner="li")
    define(world, "size", is_required=True)
    new = {"name": "New", "owner_id": world.ids["li"]}

    with pytest.raises(Validation) as caught:
        world.li.do(create_update.create, Customer, new)
    assert caught.value.say("en") == "Size is required."
    made = world.li.do(create_update.create, Customer, {**new, "custom.size": "Big"})

    world.li.do(create_update.update, Customer, old, {"name": "Old"})  # an old record that lacks it can be edited
    assert refused(world.li, made.id, size="").say("zh") == "size字段为必填项。"

    with_lines(world, "p, sales, customer.custom.size, view, all, any, deny")
    world.li.do(create_update.create, Customer, new)  # whoever does not see the field is not asked for it


def test_edits_of_different_fields_merge_and_of_the_same_one_conflict(world: World) -> None:
    define(world, "size")
    define(world, "net_score", CustomKind.NUMBER)
    customer = world.customer(owner="li", **{"custom.size": "Big"})
    version = world.row(Customer, customer)["version"]
    edit(world.li, customer, size="Small")

    edit(world.lead, customer, version, net_score=Decimal(7))
    world.lead.do(create_update.update, Customer, customer, {"name": "Other"}, version)
    assert held(world, customer) == {"size": "Small", "net_score": "7"}

    with pytest.raises(Conflict) as caught:
        edit(world.lead, customer, version, size="Huge", net_score=Decimal(8))
    assert caught.value.params["current"] == {"custom.size": "Small", "custom.net_score": "7"}
    assert caught.value.params["given"] == {"custom.size": "Huge", "custom.net_score": "8"}


def test_a_field_that_may_not_be_edited_or_seen_is_closed(world: World) -> None:
    define(world, "size")
    define(world, "rank_id")
    customer = world.customer(owner="li", **{"custom.size": "Big", "custom.rank_id": "A"})
    with_lines(
        world,
        "p, sales, customer.custom.rank_id, edit, all, any, deny",
        "p, sales, customer.custom.size, view, all, any, deny",
    )

    assert isinstance(refused(world.li, customer, rank_id="B"), Forbidden)
    assert refused(world.li, customer, size="x").say("en") == "Customers have no custom field “size”."
    edit(world.ada, customer, size="Small", rank_id="B")
    assert held(world, customer) == {"size": "Small", "rank_id": "B"}


def test_history_says_the_labels_of_words_and_the_names_of_records(world: World) -> None:
    options(world)
    define(world, "score", CustomKind.SINGLE_CHOICE)
    define(world, "tags", CustomKind.MULTIPLE_CHOICE)
    define(world, "keeper", CustomKind.PERSON)
    customer = world.customer(owner="li", **{"custom.score": "good"})
    edit(world.li, customer, score="bad", tags=["good", "fair"], keeper=world.ids["wu"])

    scope = world.li
    found = world.run(scope.read(history.of_record, Customer, customer)).entries[0].changes

    assert {x.key: (x.old_name, x.new_name) for x in found} == {
        "custom.score": ("Good", "Bad"),
        "custom.tags": (None, "Good, Fair"),
        "custom.keeper": (None, "Wu Wei"),
    }


def test_the_other_kinds_have_custom_fields_and_keep_them_in_the_bin(world: World) -> None:
    for module in ("contact", "opportunity", "followup"):
        define(world, "size", module=module)
    customer = world.customer(owner="li")
    about = {"customer_id": customer, "custom.size": "Big"}
    made = {
        Contact: world.make(Contact, name="Ann", **about),
        Opportunity: world.make(Opportunity, name="Deal", **about),
        FollowUp: world.make(FollowUp, kind="CALL", content="x", happened_at=START, **about),
    }
    for model, id in made.items():
        world.ada.do(create_update.delete, model, [id])
        world.ada.do(create_update.restore, model, [id])
        assert world.row(model, id)["custom"] == {"size": "Big"}, model


def test_a_field_that_may_not_be_set_is_called_by_its_name(world: World) -> None:
    define(world, "size", label_en="ERP size", label_zh="规模")
    define(world, "secret", label_en="Secret", label_zh="机密")
    id = world.customer(owner="li")
    with_lines(
        world,
        "p, sales, customer.custom.size, edit, all, any, deny",
        "p, sales, customer.custom.secret, view, all, any, deny",
    )

    for refusal in (
        refused(world.li, id, size="Big"),
        from_log(world, id, "custom.size"),
        in_bulk(world, id, "custom.size"),
    ):
        assert isinstance(refusal, Forbidden)
        assert "change ERP size (customers)" in refusal.say()
        assert "修改规模（客户）" in refusal.say("zh")
    for refusal in (
        refused(world.li, id, secret="x"),
        from_log(world, id, "custom.secret"),
        in_bulk(world, id, "custom.secret"),
    ):
        assert refusal.say() == "Customers have no custom field “secret”."


def from_log(world: World, id: int, key: str) -> Refusal:
    world.ada.do(create_update.update, Customer, id, {key: None if held(world, id) else "Now"})
    entry = world.log("customer", id)[-1]["id"]
    with pytest.raises(Refusal) as caught:
        world.li.do(restore_field, Customer, id, key, entry_id=entry)
    return caught.value


def in_bulk(world: World, id: int, key: str) -> Refusal:
    with pytest.raises(Refusal) as caught:
        world.run(preview(world.li, Customer, Listing(ids=(id,)), {key: "Big"}))
    return caught.value
