"""The client of the mail server."""

import aiosmtplib

from resolvers.runtime.mail_server import MailServer


def client(server: MailServer) -> aiosmtplib.SMTP:
    """A client that signs in when it connects, as the settings say."""
    return aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        username=server.user or None,
        password=server.password or None,
        use_tls=server.tls == "tls",
        start_tls=server.tls == "starttls",
        timeout=server.seconds,
    )
