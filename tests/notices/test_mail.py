"""E-mail of notices, against a mail server on loopback: what is sent, to whom, and what servers that misbehave do."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import aiosmtplib
import pytest
from aiosmtpd.smtp import SMTP
from sqlalchemy import update

from millpond import mail as settings_mail
from millpond.doctor import mail as examine_mail
from millpond.settings import Settings
from models import Notice, User
from resolvers.customers.transfer import transfer
from resolvers.notices.mail import LATEST, LEASE, receivers_due, take
from resolvers.notices.notify import COLLECTED
from resolvers.runtime.mail_server import MailServer
from tasks import mailer
from tests.notices.test_notify import choose, tell
from tests.support.world import World

ADDRESS = "https://crm.example.com"


class Post:
    """A mail server in the loop of the world, and what it took.  `answer` is what it says to a letter."""

    def __init__(self, world: World) -> None:
        self.world, self.taken, self.recipients = world, [], []  # type: ignore[var-annotated]  # filled below
        self.answer: Callable[[Any], str] = lambda _server: "250 OK"
        self.greets = True
        made = world.loop.create_server(self._session, "127.0.0.1", 0)
        self.listening = world.run(made)
        port = self.listening.sockets[0].getsockname()[1]
        self.server = MailServer(
            "127.0.0.1", "Millpond <crm@example.com>", port, tls="none", address=ADDRESS, seconds=2
        )
        world.backend.mail_server = self.server

    def _session(self) -> asyncio.Protocol:
        session: asyncio.Protocol = SMTP(self, loop=self.world.loop) if self.greets else asyncio.Protocol()
        return session

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd calls it
        answer = self.answer(server)
        if answer.startswith("250"):
            message = message_from_bytes(envelope.content, policy=policy.default)
            self.taken.append(message)
            self.recipients.append(envelope.rcpt_tos)
        return answer

    def send(self, **seconds: float) -> int:
        """Let time pass by, and send what is due then."""
        self.world.clock.pass_by(**(seconds or {"seconds": COLLECTED.total_seconds()}))
        return self.world.run(mailer._send_due(self.world.backend, self.server))

    @property
    def letters(self) -> list[EmailMessage]:
        return self.taken


@pytest.fixture
def post(world: World) -> Iterator[Post]:
    with world.backend.writer.engine.begin() as connection:
        for login in ("li", "wu"):
            person = update(User.__table__).where(User.__table__.c.id == world.ids[login])
            connection.execute(person.values(email=f"{login}@example.com"))
    made = Post(world)
    yield made
    made.listening.close()
    world.run(made.listening.wait_closed())


def body(letter: EmailMessage, kind: str = "plain") -> str:
    part = letter.get_body((kind,))
    assert part is not None
    text: str = part.get_content()
    return text.replace("\r\n", "\n")


def states(world: World) -> list[tuple[Any, ...]]:
    return [(x["mailed_at"], x["mail_due_at"], x["mail_tries"]) for x in world.rows(Notice)]


def test_a_transfer_is_told_by_e_mail_to_both_owners_once(world: World, post: Post) -> None:
    customer = world.customer("Acme <b>", owner="li")
    world.ada.do(transfer, [customer], world.ids["wu"])

    assert post.send(seconds=1) == 0  # notices gather for a while
    assert post.send() == 2
    assert post.send(hours=1) == 0

    to_wu = next(x for x in post.letters if x["To"] == "wu@example.com")
    assert (to_wu["Subject"], to_wu["From"]) == ("Acme <b> was transferred to you", "Millpond <crm@example.com>")
    newest = world.rows(Notice)[0]["id"]
    link = f"{ADDRESS}/admin/notifications/open?id=ntc_{newest}"
    assert body(to_wu).startswith(f"Acme <b> was transferred to you\nBy Ada Ng, from Li Na.\n{link}\n")
    assert f'<a href="{link}">Acme &lt;b&gt; was transferred to you</a>' in body(to_wu, "html")
    assert all(mailed and due is None for mailed, due, _ in states(world))


def test_what_the_receiver_may_not_see_any_more_is_in_no_e_mail(world: World, post: Post) -> None:
    customer = world.customer("Secret Ltd", owner="li")
    world.ada.do(transfer, [customer], world.ids["wu"])
    world.ada.do(transfer, [customer], world.ids["mei"])  # before the first letter is sent

    post.send()

    assert {x["To"] for x in post.letters} == {"li@example.com", "wu@example.com"}
    assert all("Secret" not in x.as_string() and "Secret" not in body(x) for x in post.letters)


def test_several_notices_are_one_letter_in_the_receivers_language(world: World, post: Post) -> None:
    with world.backend.writer.engine.begin() as connection:
        person = update(User.__table__).where(User.__table__.c.id == world.ids["li"])
        connection.execute(person.values(language="zh"))
    for name in ("Acme", "Bolt"):
        tell(world.ada, "assigned", [world.ids["li"]], world.customer(name))

    assert post.send() == 1

    (letter,) = post.letters
    assert letter["Subject"] == "Millpond：2 条通知"
    assert "Acme 已分配给您\n由 Ada Ng 分配。" in body(letter)
    assert "Bolt 已分配给您" in body(letter, "html")


def test_a_daily_letter_comes_at_the_chosen_hour(world: World, post: Post) -> None:
    choose(world, "li", {"assigned": [True, "DAILY"]}, hour=17)
    tell(world.ada, "assigned", [world.ids["li"]], world.customer("Acme"))

    assert post.send(hours=8, minutes=59) == 0
    assert post.send(minutes=1) == 1


def test_a_user_without_an_address_or_who_left_gets_none_and_is_not_tried_again(world: World, post: Post) -> None:
    tell(world.ada, "assigned", [world.ids["mei"], world.ids["wu"]], world.customer("Acme"))
    with world.backend.writer.engine.begin() as connection:
        connection.execute(update(User.__table__).where(User.__table__.c.id == world.ids["wu"]).values(active=False))

    assert post.send() == 0

    assert [x["mail_error"] for x in world.rows(Notice)] == ["no e-mail address", "the user has left"]
    assert [due for _, due, _ in states(world)] == [None, None]


@pytest.mark.parametrize("answer", ["451 try again later", "disconnect"])
def test_a_server_that_fails_now_gets_the_letter_later_with_growing_pauses(
    world: World, post: Post, answer: str
) -> None:
    tell(world.ada, "assigned", [world.ids["li"]], world.customer("Acme"))

    def fail(server: Any) -> str:
        if answer == "disconnect":
            server.transport.abort()
        return answer

    post.answer = fail
    pauses = []
    for _ in range(3):
        try:
            post.send(minutes=10)
        except (aiosmtplib.SMTPException, OSError):
            assert answer == "disconnect"
        (state,) = states(world)
        pauses.append((state[1] - world.clock.now).total_seconds())
    assert pauses == [5, 15, 45]

    post.answer = lambda _server: "250 OK"
    assert post.send(minutes=1) == 1
    assert states(world)[0][:2] == (world.clock.now, None)


def test_a_letter_that_is_refused_for_good_is_given_up(world: World, post: Post) -> None:
    tell(world.ada, "assigned", [world.ids["li"], world.ids["wu"]], world.customer("Acme"))
    answers = iter(["550 no such user", "250 OK"])
    post.answer = lambda _server: next(answers)

    assert post.send() == 1  # the other receiver's letter is sent all the same

    assert [due for _, due, _ in states(world)] == [None, None]
    assert ["550" in (x["mail_error"] or "") for x in world.rows(Notice)] == [True, False]


def test_a_server_that_says_nothing_costs_the_limit_of_time_and_no_letter(world: World, post: Post) -> None:
    post.greets = False
    post.server = replace(post.server, seconds=0.05)
    tell(world.ada, "assigned", [world.ids["li"]], world.customer("Acme"))

    with pytest.raises((aiosmtplib.SMTPException, OSError)):
        post.send()

    assert states(world)[0][2] == 1
    post.greets = True
    post.server = replace(post.server, seconds=5)
    assert post.send(minutes=1) == 1


def test_two_workers_never_take_the_same_letter_and_a_dead_ones_is_taken_again(world: World, post: Post) -> None:
    tell(world.ada, "assigned", [world.ids["li"]], world.customer("Acme"))
    world.clock.pass_by(minutes=1)

    def taken() -> list[int]:
        with world.backend.writer.engine.begin() as connection:
            assert receivers_due(connection, world.clock.now) in ([world.ids["li"]], [])
            return take(connection, world.ids["li"], world.clock.now)

    assert [len(taken()), len(taken())] == [1, 0]
    world.clock.pass_by(seconds=LEASE.total_seconds())
    assert len(taken()) == 1


def test_what_is_too_old_is_not_sent_any_more(world: World, post: Post) -> None:
    tell(world.ada, "assigned", [world.ids["li"]], world.customer("Acme"))

    assert post.send(days=LATEST / timedelta(days=1) + 1) == 0
    assert [x["mail_error"] for x in world.rows(Notice)] == ["too late"]


def test_the_service_ends_where_no_server_is_set_up_and_goes_on_after_failures(
    world: World, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailer, "EVERY_SECONDS", 0.01)
    tell(world.ada, "assigned", [world.ids["li"]], world.customer("Acme"))
    world.clock.pass_by(minutes=1)
    world.backend.mail_server = replace(post.server, port=1)  # where nobody listens

    async def run() -> None:
        sending = asyncio.ensure_future(mailer.send_mail(world.backend))
        await asyncio.sleep(0.2)
        assert not sending.done()
        sending.cancel()
        world.backend.mail_server = None
        await asyncio.wait_for(mailer.send_mail(world.backend), 5)

    world.run(run())
    assert states(world)[0][2] == 1


def test_the_doctor_says_whether_mail_is_set_up() -> None:
    assert examine_mail(Settings()).ok
    assert "MILLPOND_MAIL_FROM" in examine_mail(Settings(mail_host="127.0.0.1")).sentence
    found = examine_mail(Settings(mail_host="127.0.0.1", mail_port=1, mail_from="a@example.com", mail_tls="none"))
    assert (found.ok, "127.0.0.1:1 lets nobody in" in found.sentence) == (False, True)
    server = settings_mail.mail_server(Settings(mail_host="h", mail_from="a@example.com", address="https://x/"))
    assert server is not None
    assert server.address == "https://x"
