"""The mail server of an installation, as its settings name it."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class MailServer:
    """Where e-mail is sent, from which address, and where its links lead."""

    host: str
    sender: str
    port: int = 587
    user: str = ""
    password: str = field(default="", repr=False)
    tls: str = "starttls"
    """`starttls`, `tls` from the first byte on, or `none`."""
    address: str = "http://127.0.0.1:8000"
    """The address under which users reach the panel, without a slash at its end."""
    seconds: float = 20.0
    """How long one answer of the server may take."""
