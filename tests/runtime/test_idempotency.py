"""The same request twice, with a key: one answer, one effect."""

import re
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from models import Customer, IdempotencyKey
from models.errors import REFUSALS, KeyReused, NotSignedIn, Refusal, Validation
from resolvers.customers import transfer as transferring
from resolvers.pool import claim as claiming
from resolvers.pool import release as releasing
from resolvers.runtime.batch import Mode, Outcome
from resolvers.runtime.idempotency import KEPT, run_once
from resolvers.runtime.scope import Scope
from tests.support.claim_checks import MISSING, claim, held, organise, owner, unchanged, used
from tests.support.world import World


def keyed(
    world: World, login: str, key: str | None, *ids: int, action: str = "customer.claim", mode: Mode = Mode.BEST_EFFORT
) -> Outcome:
    """Claim with a key, as a door does it."""
    arguments = {"ids": list(ids), "mode": mode}
    call: Callable[[Scope], Outcome] = lambda scope: claiming.claim(scope, ids, mode)  # noqa: E731
    outcome: Outcome = world.scope(login).do(run_once, key, action, arguments, call)
    return outcome


def told(outcome: Outcome) -> tuple[list[int], list[tuple[Any, ...]]]:
    """Everything that an answer says."""
    return outcome.ids, [
        (type(x), x.code(), x.field, x.record_id, x.params, x.say(), x.say("zh")) for x in outcome.problems
    ]


def test_the_second_request_gets_the_first_answer_and_does_nothing(world: World) -> None:
    world.rule("north", daily_quota=5)
    first, second = world.customer("A", pool="north"), world.customer("B", pool="north")
    answer = keyed(world, "li", "k1", first, second, MISSING)
    assert (answer.ids, [x.code() for x in answer.problems]) == ([first, second], ["NOT_FOUND"])
    mark = world.mark()
    world.clock.pass_by(hours=3)

    with unchanged(world):
        again = keyed(world, "li", "k1", first, second, MISSING)

    assert told(again) == told(answer)
    assert (used(world, "li"), held(world, "li"), world.log(since=mark)) == ({"2026-11-24": 2}, 2, [])


def test_the_answer_stays_even_when_the_customer_went_on(world: World) -> None:
    customer = world.customer(pool="north")
    keyed(world, "li", "k1", customer)
    world.li.do(transferring.transfer, [customer], world.ids["wu"])

    with unchanged(world):
        assert keyed(world, "li", "k1", customer).ids == [customer]
    assert owner(world, customer) == world.ids["wu"]


def test_without_a_key_every_request_is_a_new_one(world: World) -> None:
    customer = world.customer(pool="north")

    assert keyed(world, "li", None, customer).ids == [customer]
    assert [x.code() for x in keyed(world, "li", None, customer).problems] == ["NOT_IN_POOL"]
    assert world.count(IdempotencyKey) == 0


def test_another_request_with_the_same_key_is_refused(world: World) -> None:
    first, second = world.customer("A", pool="north"), world.customer("B", pool="north")
    keyed(world, "li", "k1", first)

    for ids, how in (
        ([second], {}),
        ([first, second], {}),
        ([first], {"mode": Mode.ALL_OR_NOTHING}),
        ([first], {"action": "customer.lock"}),
    ):
        with unchanged(world), pytest.raises(KeyReused) as refused:
            keyed(world, "li", "k1", *ids, **how)  # type: ignore[arg-type]
        assert (refused.value.field, refused.value.say()) == (
            "idempotencyKey",
            "This idempotency key was used for another request. Use a new key.",
        )


def test_a_key_belongs_to_one_person(world: World) -> None:
    first, second = world.customer("A", pool="north"), world.customer("B", pool="north")
    keyed(world, "li", "k1", first)

    assert keyed(world, "wu", "k1", second).ids == [second]
    assert keyed(world, "li", "k1", first).ids == [first]
    assert [(row["user_id"], row["key"]) for row in world.rows(IdempotencyKey)] == [
        (world.ids["li"], "k1"),
        (world.ids["wu"], "k1"),
    ]


def test_a_key_is_free_again_after_two_days_and_not_before(world: World) -> None:
    first, second = world.customer("A", pool="north"), world.customer("B", pool="north")
    keyed(world, "li", "k1", first)

    world.clock.pass_by(seconds=KEPT.total_seconds())
    with pytest.raises(KeyReused):
        keyed(world, "li", "k1", second)
    world.clock.pass_by(milliseconds=1)
    assert keyed(world, "li", "k1", second).ids == [second]


def test_keys_that_are_too_old_are_cleared_away_by_and_by(world: World) -> None:
    ids = [world.customer(str(n), pool="north") for n in range(80)]
    for id in ids[:2]:
        keyed(world, "li", f"old {id}", id)
    keyed(world, "wu", "old", ids[2])

    world.clock.pass_by(seconds=KEPT.total_seconds() + 1)
    for id in ids[3:]:  # one in sixteen clears away
        keyed(world, "li", f"new {id}", id)

    left = {(row["user_id"], row["key"]) for row in world.rows(IdempotencyKey) if row["key"].startswith("old")}
    assert left == {(world.ids["wu"], "old")}


def test_refusals_come_back_as_they_were_in_both_languages(world: World) -> None:
    organise(world, time_zone="Asia/Shanghai")
    world.rule("north", daily_quota=1, cooldown_days=3)
    ids = [world.customer(str(n), pool="north") for n in range(3)]
    claim(world, "li", ids[0])
    world.li.do(releasing.release, [ids[0]])
    claim(world, "wu", ids[1])

    answer = keyed(world, "li", "k1", *ids, MISSING, world.customer(owner="li"))

    assert [x.code() for x in answer.problems] == [
        "COOLDOWN",
        "ALREADY_CLAIMED",
        "QUOTA_REACHED",
        "NOT_FOUND",
        "NOT_IN_POOL",
    ]
    again = keyed(world, "li", "k1", *ids, MISSING, max(row["id"] for row in world.rows(Customer)))
    assert told(again) == told(answer)
    assert again.problems[0].say() == (
        "You owned this customer until recently. You may claim it again from 27 Nov 2026 16:00."
    )
    assert again.problems[2].say("zh") == "今日领取数已达上限（1/1），2026年11月25日 00:00 起可再领取。"


def test_every_kind_of_refusal_can_be_told_again(world: World) -> None:
    made = [_any(kind, world) for kind in REFUSALS.values()]
    assert len(made) > 20

    def answer(_scope: Scope) -> Outcome:
        return Outcome([1, 2], made)

    first = world.li.do(run_once, "k", "x.y", {}, answer)
    again = world.li.do(run_once, "k", "x.y", {}, _never)

    assert told(again) == told(first) == told(Outcome([1, 2], made))


def _never(_scope: Scope) -> Outcome:
    raise AssertionError("it was answered before")


def _any(kind: type[Refusal], world: World) -> Refusal:
    """One of its kind with everything that a sentence of it may name."""
    words = {
        "what",
        "what_zh",
        "how",
        "action",
        "label",
        "pool",
        "until",
        "reason",
        "reason_zh",
        "value",
        "used",
        "limit",
        "period",
        "least",
        "days",
    }
    words |= {
        "conditions",
        "resets_at",
        "name",
        "held",
        "passes_at",
        "count",
        "code",
        "field_zh",
        "first",
        "who",
        "object",
        "when",
        "when_zh",
        "next",
    }
    words |= {*re.findall(r"\{([a-z_]+)", kind.sentence + kind.zh)}
    params: dict[str, Any] = {word: world.clock.now if word.endswith(("at", "until")) else f"{word}…" for word in words}
    params |= {"used": 3, "limit": None, "held": 4, "current": {"version": 3, "at": "2026", "tags": ["time", "x"]}}
    refusal = kind.__new__(kind)
    Refusal.__init__(refusal, field="ids", record_id="cus_1", **params)
    return refusal


def test_a_request_that_is_refused_as_a_whole_leaves_its_key_free(world: World) -> None:
    customer = world.customer(pool="north")
    too_many = range(MISSING, MISSING + 201)

    with unchanged(world), pytest.raises(Validation):
        keyed(world, "li", "k1", *too_many)
    assert keyed(world, "li", "k1", customer).ids == [customer]


def test_a_failure_in_the_middle_leaves_neither_the_work_nor_the_key(world: World) -> None:
    customer = world.customer(pool="north")

    def breaks(scope: Scope) -> Outcome:
        claiming.claim(scope, [customer])
        raise ZeroDivisionError

    with unchanged(world), pytest.raises(ZeroDivisionError):
        world.li.do(run_once, "k1", "customer.claim", {}, breaks)


@pytest.mark.parametrize("key", ["", "x" * 101, "a\nb", "a\x00", "\ud800"])
def test_a_key_is_printable_and_of_reasonable_length(world: World, key: str) -> None:
    with unchanged(world), pytest.raises(Validation) as refused:
        keyed(world, "li", key)
    assert refused.value.field == "idempotencyKey"


def test_the_system_itself_has_no_keys(world: World) -> None:
    with pytest.raises(NotSignedIn):
        world.system.do(run_once, "k1", "customer.claim", {}, _never)


def test_rivals_with_the_same_key_get_one_answer_and_the_work_is_done_once(world: World) -> None:
    world.rule("north", daily_quota=9)
    ids = [world.customer(str(n), pool="north") for n in range(3)]
    start, answers, errors = threading.Barrier(6), [], []

    def ask() -> None:
        start.wait()
        try:
            answers.append(keyed(world, "li", "k1", *ids))
        except Exception as error:  # noqa: BLE001  whatever went wrong in a thread fails the test
            errors.append(error)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert errors == []
    assert [told(answer) for answer in answers] == [(ids, [])] * 6
    assert (used(world, "li"), held(world, "li")) == ({"2026-11-24": 3}, 3)
    assert len([x for x in world.log() if x["action"] == "customer.claim"]) == 3


def test_a_rival_waits_for_the_first_and_does_the_work_himself_when_that_one_fails(world: World) -> None:
    customer = world.customer(pool="north")
    reserved, asked, answers = threading.Event(), threading.Event(), []

    def fails(scope: Scope) -> Outcome:
        reserved.set()
        assert asked.wait(timeout=30)
        raise ZeroDivisionError

    def first() -> None:
        with pytest.raises(ZeroDivisionError):
            world.li.do(run_once, "k1", "customer.claim", {"ids": [customer], "mode": Mode.BEST_EFFORT}, fails)

    def second() -> None:
        answers.append(keyed(world, "li", "k1", customer))

    one, two = threading.Thread(target=first), threading.Thread(target=second)
    one.start()
    assert reserved.wait(timeout=30)
    two.start()
    two.join(timeout=timedelta(milliseconds=300).total_seconds())
    assert two.is_alive()  # it waits
    asked.set()
    one.join(timeout=30)
    two.join(timeout=30)

    assert [answer.ids for answer in answers] == [[customer]]
