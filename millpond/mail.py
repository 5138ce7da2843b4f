"""The mail server of the settings, and a knock at its door."""

import asyncio
from contextlib import suppress

import aiosmtplib

from resolvers.runtime.mail_server import MailServer
from tasks.smtp import client

from .settings import Settings


def mail_server(settings: Settings) -> MailServer | None:
    """The mail server; None where none is set up, or no address to send from."""
    if not (settings.mail_host and settings.mail_from):
        return None
    return MailServer(
        host=settings.mail_host,
        sender=settings.mail_from,
        port=settings.mail_port,
        user=settings.mail_user,
        password=settings.mail_password,
        tls=settings.mail_tls,
        address=(settings.address or f"http://{settings.host}:{settings.port}").rstrip("/"),
        seconds=settings.mail_seconds,
    )


def knock(server: MailServer) -> str | None:
    """Connect and sign in; returns why that fails, None when it does not."""
    try:
        asyncio.run(_knock(server))
    except (aiosmtplib.SMTPException, OSError) as failure:
        return f"{type(failure).__name__}: {failure}"[:200]
    return None


async def _knock(server: MailServer) -> None:
    connection = client(server)
    await connection.connect()
    with suppress(aiosmtplib.SMTPException, OSError):
        await connection.quit()
