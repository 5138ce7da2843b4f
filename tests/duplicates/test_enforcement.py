"""A certain duplicate is entered only with a reason, whichever way it comes and however many save at once."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from models import Contact, Customer, DuplicateRule, NotDuplicate
from models.choice_names import choice_said
from models.contact import PointKind
from models.duplicates import Evidence, Verdict
from models.errors import Duplicate, DuplicateFound, DuplicateRefused, Forbidden, Validation
from resolvers.records import create_update
from resolvers.runtime.backend import Backend
from tests.support.claim_checks import unchanged
from tests.support.refusals import add_line
from tests.support.world import World


def create(world: World, by: str = "li", **given: Any) -> Any:
    return world.scope(by).do(create_update.create, Customer, given)


def test_a_certain_duplicate_is_refused_and_nothing_is_written(strict: World) -> None:
    create(strict, name="上海鸿发贸易有限公司")

    with unchanged(strict), pytest.raises(DuplicateFound) as refused:
        create(strict, name="鸿发贸易（上海）")

    assert (
        refused.value.say()
        == "C2026001 上海鸿发贸易有限公司 is there already. Open it, or say why this is another one."
    )
    assert refused.value.say("zh") == "C2026001 上海鸿发贸易有限公司 已存在。请打开该记录，或说明为何不是同一条。"
    assert refused.value.record_id == "cus_1"


def test_the_refusal_keeps_back_what_the_caller_may_not_see(strict: World) -> None:
    create(strict, name="上海鸿发贸易有限公司", phone="13800138000")

    with pytest.raises(DuplicateFound) as refused:
        create(strict, "mei", name="鸿发贸易")

    assert refused.value.record_id is None
    assert refused.value.params["label"] == "上＊鸿发贸易＊＊＊＊"


def test_with_a_reason_it_is_entered_and_the_log_keeps_the_reason(strict: World) -> None:
    create(strict, name="鸿发贸易")

    made = create(strict, name="鸿发贸易", duplicate_reason="A branch of its own")

    assert strict.log("customer", made.id)[-1]["reason"] == "A branch of its own"


def test_who_may_not_fill_in_a_field_is_not_told_which_record_has_its_value(strict: World) -> None:
    create(strict, name="上海鸿发贸易有限公司", registration_number="91330100MA2B2CXY7J")
    add_line(strict, "p, sales, customer.registration_number, edit, all, any, deny")

    for number in ("91330100MA2B2CXY7J", "91310115MA1K3ABC4D"):
        with unchanged(strict), pytest.raises(Forbidden) as refused:
            create(strict, "mei", name="别的公司", registration_number=number)
        assert [type(each) for each in refused.value.all] == [Forbidden], number


@pytest.mark.parametrize("reason", ["", "   ", None])
def test_an_empty_reason_is_none(strict: World, reason: str | None) -> None:
    create(strict, name="鸿发贸易")

    with pytest.raises(DuplicateFound):
        create(strict, name="鸿发贸易", duplicate_reason=reason)


def test_a_possible_duplicate_is_entered_without_a_reason(strict: World) -> None:
    create(strict, name="上海鸿发贸易", phone="02168881234")

    assert create(strict, name="上海鸿达贸易").id
    assert create(strict, name="金明机械", phone="021-6888 1234").id


def test_a_rule_may_refuse_whatever_the_reason_and_may_allow(strict: World) -> None:
    create(strict, name="鸿发贸易", phone="02168881234")
    rule = {"for_module": "customer", "evidence": Evidence.PHONE, "verdict": Verdict.REFUSED}
    id = strict.ada.do(create_update.create, DuplicateRule, rule).id

    with unchanged(strict), pytest.raises(DuplicateRefused):
        create(strict, name="金明机械", phone="021-68881234", duplicate_reason="Another one")

    strict.ada.do(create_update.update, DuplicateRule, id, {"verdict": Verdict.NOTHING})
    assert create(strict, name="金明机械", phone="021-68881234").id


def test_a_rule_about_an_entity_that_is_not_checked_is_refused(strict: World) -> None:
    with pytest.raises(Validation):
        strict.make(DuplicateRule, for_module="pool", evidence=Evidence.PHONE, verdict=Verdict.CERTAIN)


def test_a_second_rule_about_an_evidence_is_refused_by_what_the_evidence_is_called(strict: World) -> None:
    given = {"for_module": "customer", "evidence": Evidence.REGISTRATION, "verdict": Verdict.CERTAIN}
    strict.ada.do(create_update.create, DuplicateRule, given)

    with pytest.raises(Duplicate) as refused:
        strict.ada.do(create_update.create, DuplicateRule, given)

    english, chinese = choice_said(Evidence.REGISTRATION)
    assert refused.value.say() == f"{english} is taken already. Choose another."
    assert chinese in refused.value.say("zh")


# --- edits -----------------------------------------------------------------------------------------------


def test_an_edit_that_makes_a_duplicate_is_refused_and_one_of_an_old_duplicate_is_not(strict: World) -> None:
    create(strict, name="鸿发贸易")
    twin = create(strict, name="鸿发贸易", duplicate_reason="A branch of its own").id
    other = create(strict, name="金明机械").id

    strict.li.do(create_update.update, Customer, twin, {"remark": "Seen"})
    strict.li.do(create_update.update, Customer, twin, {"name": "鸿发贸易有限公司"})
    with unchanged(strict), pytest.raises(DuplicateFound):
        strict.li.do(create_update.update, Customer, other, {"name": "鸿發貿易"})
    strict.li.do(create_update.update, Customer, other, {"name": "鸿發貿易", "duplicate_reason": "Renamed by law"})
    assert strict.log("customer", other)[-1]["reason"] == "Renamed by law"


def test_contacts_are_held_up_alike(strict: World) -> None:
    acme = create(strict, name="Acme").id
    point = [{"kind": PointKind.PHONE, "value": "13800138000"}]
    strict.li.do(create_update.create, Contact, {"customer_id": acme, "name": "王芳", "points": point})
    other = strict.li.do(create_update.create, Contact, {"customer_id": acme, "name": "李明"}).id

    with unchanged(strict), pytest.raises(DuplicateFound):
        strict.li.do(create_update.create, Contact, {"customer_id": acme, "name": "王芳"})
    with unchanged(strict), pytest.raises(DuplicateFound):
        strict.li.do(create_update.update, Contact, other, {"name": "王芳", "points": point})
    given = {"customer_id": acme, "name": "王芳", "duplicate_reason": "Her namesake"}
    assert strict.li.do(create_update.create, Contact, given).id
    strict.li.do(create_update.update, Contact, other, {"title": "Buyer"})


# --- at once ---------------------------------------------------------------------------------------------


def test_thirty_who_save_the_same_new_customer_at_once_make_one(strict: World) -> None:
    backends = [Backend(strict.backend.url, clock=strict.clock).open() for _ in range(3)]
    start = threading.Barrier(30)

    def save(n: int) -> str:
        backend = backends[n % 3]
        scope = backend.scope(backend.person(("li", "wu", "mei")[n % 3]), "test")
        start.wait()
        try:
            scope.do(create_update.create, Customer, {"name": "杭州同名科技有限公司"})
        except DuplicateFound as refusal:
            return refusal.code()
        return "made"

    with ThreadPoolExecutor(30) as pool:
        told = Counter(pool.map(save, range(30)))
    for backend in backends:
        strict.run(backend.close())

    assert told == {"made": 1, "DUPLICATE_FOUND": 29}
    assert strict.count(Customer) == 1


# --- out of the bin --------------------------------------------------------------------------------------


def problems(world: World, model: Any, id: int, reason: str | None = None, by: str = "ada") -> list[Any]:
    outcome = world.scope(by).do(create_update.restore, model, [id], reason=reason)
    return list(outcome.problems)


def test_a_customer_that_was_entered_again_meanwhile_comes_back_with_a_reason_only(strict: World) -> None:
    gone = create(strict, name="上海鸿发贸易有限公司").id
    strict.ada.do(create_update.delete, Customer, [gone])
    again = create(strict, name="鸿发贸易（上海）", duplicate_reason="The first one is in the bin").id
    strict.ada.do(create_update.restore, Customer, [gone])  # told apart with that reason
    strict.ada.do(create_update.delete, Customer, [gone])
    with strict.backend.writer.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM not_duplicate")

    with unchanged(strict):
        (refusal,) = problems(strict, Customer, gone)
    assert isinstance(refusal, DuplicateFound)
    assert refusal.say("en") == "C2026002 鸿发贸易（上海） is there already. Open it, or say why this is another one."
    assert refusal.say("zh") == "C2026002 鸿发贸易（上海） 已存在。请打开该记录，或说明为何不是同一条。"
    assert problems(strict, Customer, gone, "Both are right") == []
    assert strict.log("customer", gone)[-1]["reason"] == "Both are right"
    assert [(x["first_id"], x["second_id"]) for x in strict.rows(NotDuplicate)] == [(gone, again)]


def test_what_comes_back_tells_nothing_of_a_hidden_record(strict: World) -> None:
    gone = create(strict, name="上海鸿发贸易有限公司").id
    strict.ada.do(create_update.delete, Customer, [gone])
    strict.customer("鸿发贸易（上海）", owner="mei", duplicate_reason="Another one")
    with strict.backend.writer.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM not_duplicate")
    add_line(strict, "p, sales, customer, restore, own, deleted, allow")

    (refusal,) = problems(strict, Customer, gone, by="li")

    assert (refusal.params["label"], refusal.record_id) == ("鸿＊＊＊＊＊＊＊", f"cus_{gone}")


def test_a_rule_that_accepts_no_reason_holds_for_the_bin_too(strict: World) -> None:
    gone = create(strict, name="鸿发贸易").id
    strict.ada.do(create_update.delete, Customer, [gone])
    create(strict, name="鸿发贸易公司", duplicate_reason="Another one")
    with strict.backend.writer.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM not_duplicate")
    strict.make(DuplicateRule, for_module="customer", evidence=Evidence.NAME, verdict=Verdict.REFUSED)

    assert [type(x) for x in problems(strict, Customer, gone, "Both are right")] == [DuplicateRefused]


def test_a_contact_comes_back_alike(strict: World) -> None:
    acme = strict.customer("Acme")
    first = strict.make(Contact, customer_id=acme, name="王芳")
    strict.ada.do(create_update.delete, Contact, [first])
    strict.make(Contact, customer_id=acme, name="王芳", duplicate_reason="The first one is in the bin")

    assert [type(x) for x in problems(strict, Contact, first)] == [DuplicateFound]
    assert problems(strict, Contact, first, "Her namesake") == []
