"""The mailer: sends notices that are due by e-mail, beside whatever else the worker does."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from email.message import EmailMessage
from functools import partial
from typing import Any

import aiosmtplib
import structlog

from models.errors import NotFound
from resolvers.notices import mail
from resolvers.notices.mail import Letter
from resolvers.runtime import principals
from resolvers.runtime.backend import Backend
from resolvers.runtime.mail_server import MailServer
from resolvers.runtime.writer import Unit

from . import service
from .smtp import client

EVERY_SECONDS, LONGEST_PAUSE = 5.0, 300.0
"""Time between two looks, and after failures of the server, twice as long each time."""
ANSWERS = 4
"""How many times the longest wait for one answer a letter may take."""
_NO_ADDRESS, _LEFT = "no e-mail address", "the user has left"
_log = structlog.get_logger("millpond.mailer")


@service
async def send_mail(backend: Backend) -> None:
    """Send what is due until cancelled; nothing where no mail server is set up.

    A server that is away is asked again after a growing pause, and mentioned in the log once.
    """
    if backend.mail_server is None:
        return
    pause = EVERY_SECONDS
    while True:
        try:
            await _send_due(backend, backend.mail_server)
            pause = EVERY_SECONDS
        except (aiosmtplib.SMTPException, OSError) as failure:
            if pause == EVERY_SECONDS:
                _log.warning("the mail server takes nothing", cause=type(failure).__name__)
            pause = min(2 * pause, LONGEST_PAUSE)
        await asyncio.sleep(pause)


async def _send_due(backend: Backend, server: MailServer) -> int:
    """Send one letter to each user to whom notices are due; returns how many.

    Raises SMTPException and OSError for a server that takes no letter now; what was taken is sent again later.
    """
    async with backend.read_engine.connect() as connection:
        receivers = await connection.run_sync(mail.receivers_due, backend.clock())
    sent = 0
    for receiver in receivers:
        ids = await _write(backend, partial(mail.take, receiver=receiver, now=backend.clock()))
        if ids:
            sent += await _tell(backend, server, receiver, ids)
    return sent


async def _tell(backend: Backend, server: MailServer, receiver: int, ids: list[int]) -> bool:
    """Send one user what is due to them; False for one who gets no letter."""
    try:
        found = await _letter(backend, server, receiver, ids)
        if isinstance(found, str):
            await _write(backend, lambda at: mail.note_refused(at, ids, found))
            return False
        await _send(server, found)
    except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPDataError, ValueError) as failure:
        return await _refused(backend, ids, failure)
    except (aiosmtplib.SMTPException, OSError) as failure:
        text = f"{type(failure).__name__}: {failure}"
        await _write(backend, lambda at: mail.note_failed(at, ids, backend.clock(), text))
        raise
    await _write(backend, lambda at: mail.note_sent(at, ids, backend.clock()))
    return True


async def _refused(backend: Backend, ids: list[int], failure: Exception) -> bool:
    """Note that the server declines this letter: for now (4xx), or for good."""
    text = f"{type(failure).__name__}: {failure}"
    if any(400 <= code < 500 for code in _codes(failure)):
        await _write(backend, lambda at: mail.note_failed(at, ids, backend.clock(), text))
    else:
        await _write(backend, lambda at: mail.note_refused(at, ids, text))
        _log.warning("a mail server refused a letter", cause=type(failure).__name__)
    return False


def _codes(failure: Exception) -> list[int]:
    if isinstance(failure, aiosmtplib.SMTPRecipientsRefused):
        return [each.code for each in failure.recipients]
    return [failure.code] if isinstance(failure, aiosmtplib.SMTPResponseException) else []


async def _letter(backend: Backend, server: MailServer, receiver: int, ids: list[int]) -> Letter | str:
    """The letter, in the receiver's language and by their rights of now; why there is none."""
    async with backend.read_engine.connect() as connection:
        try:
            principal = await connection.run_sync(principals.by_id, receiver, backend.clock())
        except NotFound:
            return _LEFT
    scope = backend.scope(principal, "mail").allowing_one_time_password()
    return await scope.read(mail.letter, ids, server) or _NO_ADDRESS


async def _send(server: MailServer, letter: Letter) -> None:
    """Hand one letter to the server, on a connection of its own, within the time that the settings allow."""
    message = EmailMessage()
    message["From"], message["To"] = server.sender, letter.to
    message["Subject"], message["Message-ID"] = " ".join(letter.subject.split()), letter.message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    connection = client(server)
    async with asyncio.timeout(ANSWERS * server.seconds):
        await connection.connect()
        try:
            await connection.send_message(message)
        finally:
            with suppress(aiosmtplib.SMTPException, OSError):  # a letter that was accepted is sent
                await connection.quit()


async def _write(backend: Backend, call: Callable[[Any], Any]) -> Any:
    """Change the queue on the writer, among the use cases."""

    def run(unit: Unit) -> Any:
        return call(unit.connection)

    return await backend.writer.submit(partial(run))
