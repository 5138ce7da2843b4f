"""The inbox: who is told of assignment, transfer, locks and views as them, in which words, and what is read."""

from datetime import timedelta

import pytest
from sqlalchemy import update

import tasks
from models import Customer, Notice, NoticePreference, User
from models.errors import Validation
from models.notice import MailChoice
from models.notice_kinds import NOTICE_KINDS
from models.pool import Seat
from resolvers.customers import lock as locking
from resolvers.customers.transfer import transfer
from resolvers.notices import choices, inbox
from resolvers.people.view_as import start_viewing_as
from resolvers.pool.assign import assign
from resolvers.pool.claim import claim
from resolvers.pool.release import release
from tests.notices.conftest import Inbox
from tests.notices.test_notify import tell
from tests.support.world import START, World


def sentences(told: list) -> list[tuple[str, str]]:
    return [(x.title, x.text) for x in told]


def test_both_owners_are_told_of_a_transfer(world: World, inbox_of: Inbox) -> None:
    customer = world.customer("Acme")

    world.ada.do(transfer, [customer], world.ids["wu"])

    assert sentences(inbox_of("wu")) == [("Acme was transferred to you", "By Ada Ng, from Li Na.")]
    assert [x.record for x in inbox_of("wu")] == [(Customer, customer)]
    assert inbox_of("ada") == []


def test_a_record_out_of_sight_is_not_named(world: World, inbox_of: Inbox) -> None:
    customer = world.customer("Acme")

    world.ada.do(transfer, [customer], world.ids["mei"])

    (notice,) = inbox_of("li")
    assert (notice.title, notice.text) == (
        "A customer out of your sight was transferred from you",
        "By Ada Ng, to Mei Lin.",
    )
    assert notice.record is None
    world.ada.do(transfer, [customer], world.ids["li"])  # who sees it again is told its name again
    assert [x.title for x in inbox_of("li")] == ["Acme was transferred to you", "Acme was transferred from you"]


def test_the_owner_is_told_of_another_users_lock_and_unlock(world: World, inbox_of: Inbox) -> None:
    customer = world.customer("Acme")

    world.li.do(locking.lock, [customer])
    world.ada.do(locking.unlock, [customer])
    world.ada.do(locking.lock, [customer])

    assert sentences(inbox_of("li")) == [
        ("Acme was locked", "Locked by Ada Ng."),
        ("Acme was unlocked", "Unlocked by Ada Ng."),
    ]


def test_assignment_and_release_by_another_are_told_claims_tell_nobody(world: World, inbox_of: Inbox) -> None:
    customer = world.customer("Acme", pool="north")
    world.seat("north", "ada", Seat.ADMIN)

    world.li.do(claim, [customer])
    world.ada.do(release, [customer], world.ids["north"])
    world.ada.do(assign, [customer], world.ids["li"])
    world.li.do(release, [customer], world.ids["north"])

    assert sentences(inbox_of("li")) == [
        ("Acme was assigned to you", "Assigned by Ada Ng."),
        ("Acme was released from you", "Released by Ada Ng, into North."),
    ]
    assert world.count(Notice) == 2


def test_a_user_is_told_who_viewed_as_them(world: World, inbox_of: Inbox) -> None:
    world.ada.do(start_viewing_as, world.ids["li"])

    assert sentences(inbox_of("li")) == [
        ("Ada Ng viewed the panel as you", "They saw what you see and could change nothing.")
    ]


def test_the_reader_gets_their_language_and_the_organisations_time(world: World, inbox_of: Inbox) -> None:
    tasks.load()
    customer, li = world.customer("Acme"), world.ids["li"]
    tell(world.system, "release_coming", [li], customer, due=START)
    tell(world.system, "job_ended", [li], None, job="tidy", done=3, failed=1)
    with world.backend.writer.engine.begin() as connection:
        connection.execute(update(User.__table__).where(User.__table__.c.id == li).values(language="zh"))

    assert sentences(inbox_of("li")) == [
        ("日常清理 已结束", "完成：3，被拒绝：1。"),
        ("Acme 即将被回收", "如未及时跟进，将于 2026年11月24日 08:00 回收至公海。"),
    ]


def test_reading_is_by_page_and_marks_only_own_notices(world: World, inbox_of: Inbox) -> None:
    customer, li, wu = world.customer(), world.ids["li"], world.ids["wu"]
    for day in range(3):
        tell(world.system, "plan_due", [li, wu], customer, due=START + timedelta(days=day))
    newest, middle, oldest = inbox_of("li")

    assert [x.id for x in inbox_of("li", first=1, before=newest.id)] == [middle.id]
    world.li.do(inbox.mark_read, [middle.id, *(x.id for x in inbox_of("wu"))])
    assert [x.id for x in inbox_of("li", unread=True)] == [newest.id, oldest.id]
    assert world.run(world.li.read(inbox.unread_count)) == 2
    world.li.do(inbox.mark_read)
    assert world.run(world.li.read(inbox.unread_count)) == 0
    assert world.run(world.wu.read(inbox.unread_count)) == 3


def test_users_choose_how_they_are_told(world: World, inbox_of: Inbox) -> None:
    customer, kind = world.customer(), NOTICE_KINDS["assigned"]

    world.li.do(choices.choose, {"assigned": (False, MailChoice.NONE)}, 17)
    tell(world.ada, "assigned", [world.ids["li"]], customer)

    assert inbox_of("li") == []
    found = world.run(world.li.read(choices.choices))
    assert (found.of[kind], found.digest_hour) == ((False, MailChoice.NONE), 17)
    assert found.of[NOTICE_KINDS["unlocked"]] == (True, MailChoice.AT_ONCE)
    world.li.do(choices.choose, {"locked": (True, MailChoice.DAILY)})
    assert world.run(world.li.read(choices.choices)).digest_hour == 17


@pytest.mark.parametrize(("chosen", "hour"), [({"no": (True, MailChoice.NONE)}, None), ({}, 24), ({}, -1)])
def test_what_cannot_be_chosen_is_refused(world: World, chosen: dict, hour: int | None) -> None:
    with pytest.raises(Validation):
        world.li.do(choices.choose, chosen, hour)

    assert world.count(NoticePreference) == 0
