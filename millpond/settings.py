"""Settings of an installation: `MILLPOND_…` environment variables, and nothing else."""

import os
import re
from typing import Annotated, Any, Literal, Self

from pydantic import AliasChoices, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Words = Annotated[tuple[str, ...], NoDecode]
"""A list written with commas or spaces."""

_ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:\d{1,5})?")


class BadSettings(Exception):
    """One line per variable that cannot be used, without its value, which may be a password."""


class Settings(BaseSettings):
    """Every setting with its default.  `docs/settings.md` is generated from the descriptions."""

    model_config = SettingsConfigDict(
        env_prefix="MILLPOND_", frozen=True, populate_by_name=True, hide_input_in_errors=True
    )

    database: str = Field(
        default="sqlite:///var/millpond.db",
        description="Where the records are: sqlite:///path or postgresql://….",
        repr=False,
    )
    audit_key: str = Field(
        default="",
        description="The file of the key that signs the seals of the operation log, made by millpond migrate.  Every server "
        "of a database needs the same.  Left out: NAME.audit-key beside an SQLite database, else in var/.",
    )
    audit_anchor: str = Field(
        default="",
        description="The file that remembers the newest seal of the operation log; best where a user of the database "
        "cannot write.  Left out: NAME.audit-anchor, where the key is by default.",
    )
    files: str = Field(
        default="",
        description="The folder of exported files and of those that users send, which only the server reads; processes of "
        "one installation share it.  "
        "Left out: NAME.files beside an SQLite database, else in var/.",
    )
    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: int = Field(
        default=8000,
        description="The port to listen on; 0 takes a free one.  Plain PORT is understood too.",
        validation_alias=AliasChoices("MILLPOND_PORT", "PORT"),
        ge=0,
        le=65_535,
    )
    hosts: Words = Field(
        default=("127.0.0.1", "localhost", "[::1]"),
        description="Host names that requests may be addressed to, *.example.com for all below one.  * turns "
        "the check off.",
    )
    cors_origins: Words = Field(
        default=(),
        description="Front ends on other origins that may call /graphql with a token, like "
        "https://app.example.com, or * for all.",
    )
    cookie_origins: Words = Field(
        default=(),
        description="Front ends on other origins of the same site, like https://app.example.com beside "
        "https://crm.example.com, that may also use the session cookie.  Each is trusted like the panel itself.",
    )
    cors_headers: Words = Field(
        default=("traceparent", "tracestate", "baggage"),
        description="Headers that front ends on other origins may send beside Authorization, Content-Type, "
        "X-Request-Id, X-GraphQL-Cost and X-View-As; those of tracing by default.",
    )
    session_idle_hours: float = Field(
        default=12, description="A session that nobody used for so long has ended.", gt=0, le=8_784
    )
    session_hours: float = Field(
        default=14 * 24, description="A session ends after so long, however busy it is.", gt=0, le=8_784
    )
    secure_cookies: Literal["auto", "always", "never"] = Field(
        default="auto",
        description="Whether the session cookie is for https only.  auto: always, except over plain http "
        "on a loopback address.",
    )
    sign_in_tries: int = Field(
        default=8,
        description="How often sign-ins to one login may fail from one address, known browser or session before the next has "
        "to wait: 15 seconds at first, then twice as long each time.",
        ge=1,
    )
    sign_in_tries_per_address: int = Field(
        default=40, description="How often sign-ins from one address may fail, whatever the login.", ge=1
    )
    sign_in_tries_per_account: int = Field(
        default=100,
        description="How often sign-ins to one login may fail from all addresses together.  Browsers in which the person has "
        "signed in before are never delayed by it.",
        ge=1,
    )
    sign_in_window_minutes: float = Field(
        default=15, description="The longest delay of a sign-in; failed ones count for four times as long.", gt=0
    )
    workers: int = Field(
        default=1,
        description="How many processes `millpond serve` starts for jobs: imports, reminders, seals of the log.  0: none, "
        "because `millpond worker` runs as a service of its own.",
        ge=0,
        le=32,
    )
    request_seconds: float = Field(
        default=10, description="How long one GraphQL request may take before it is stopped.", gt=0
    )
    compiling_seconds_per_minute: float = Field(
        default=12,
        description="How many seconds of the processor one user may cost per minute with GraphQL texts and filters that "
        "no request had before.",
        gt=0,
    )
    searches_per_minute: float = Field(default=240, description="How often one user may search per minute.", gt=0)
    duplicate_checks_per_minute: float = Field(
        default=120, description="How often one user may check for duplicates per minute, typing included.", gt=0
    )
    denials_per_minute: float = Field(
        default=60,
        description="How many attempts without the right one user may leave in the operation log per minute.",
        gt=0,
    )
    row_seconds: float = Field(
        default=5, description="PostgreSQL: how long a change waits for a record that another one holds.", gt=0, le=600
    )
    statement_seconds: float = Field(
        default=8,
        description="PostgreSQL: how long one statement may take.  Two seconds later a connection without an answer "
        "is given up.",
        gt=0,
        le=600,
    )
    idle_transaction_seconds: float = Field(
        default=30, description="PostgreSQL: how long a transaction may do nothing before the server ends it.", gt=0
    )
    silence_seconds: float = Field(
        default=5,
        description="PostgreSQL: how long the other end of a connection may acknowledge nothing before it counts as "
        "gone.",
        gt=0,
        le=600,
    )
    address: str = Field(
        default="",
        description="The address under which users reach the server, for links in e-mails, like https://crm.example.com.  "
        "Left out: http://HOST:PORT.",
    )
    mail_host: str = Field(default="", description="The mail server (SMTP).  Left out: no e-mail is sent.")
    mail_port: int = Field(default=587, description="The port of the mail server.", ge=1, le=65_535)
    mail_tls: Literal["starttls", "tls", "none"] = Field(
        default="starttls",
        description="How the connection to the mail server is encrypted: starttls (port 587), tls from the first byte on "
        "(port 465), none for a server on this machine.",
    )
    mail_user: str = Field(default="", description="The login at the mail server, if it asks for one.")
    mail_password: str = Field(default="", description="The password at the mail server.", repr=False)
    mail_from: str = Field(
        default="", description="From which address e-mail is sent, like Millpond <crm@example.com>."
    )
    mail_seconds: float = Field(
        default=20, description="How long the mail server may take for one answer.", gt=0, le=600
    )
    attachment_mib: int = Field(default=25, description="The largest file kept with a record, in MiB.", ge=1, le=4096)
    attachment_types: Words = Field(
        default=(
            *("pdf", "png", "jpg", "jpeg", "gif", "webp", "doc", "docx", "xls", "xlsx", "ppt", "pptx"),
            *("txt", "csv", "zip", "mp3", "mp4"),
        ),
        description="The endings of files that can be kept with a record; never of what runs in a browser.",
    )
    import_file_mib: int = Field(
        default=100, description="The largest file that can be imported, in MiB.", ge=1, le=4096
    )
    import_rows: int = Field(
        default=1_000_000, description="How many rows below its headers an imported sheet may have.", ge=1, le=1_048_575
    )
    import_columns: int = Field(
        default=500, description="How many columns an imported sheet may have.", ge=1, le=16_384
    )
    import_cells: int = Field(
        default=20_000_000,
        description="Rows times columns of an imported sheet, blank cells included, because reading holds them all in memory.",
        ge=1,
    )
    import_cell_characters: int = Field(
        default=32_767, description="How many characters one cell of an imported sheet may hold.", ge=1, le=1_000_000
    )
    import_text_mib: int = Field(
        default=300, description="How much text the cells of an imported sheet may hold, in MiB.", ge=1
    )
    import_unpacked_mib: int = Field(
        default=2048, description="How large the parts of an imported workbook may be when unpacked, in MiB.", ge=1
    )
    import_ratio: int = Field(
        default=200,
        description="How many times its packed size one part of an imported workbook may unpack to, from 16 MiB on.",
        ge=1,
    )
    import_parts: int = Field(default=2000, description="How many parts an imported workbook may have.", ge=1)
    import_memory_mib: int = Field(
        default=1536,
        description="How much memory the process that reads one imported file may take, in MiB; 1,000,000 rows of 12 columns "
        "need 1,300.",
        ge=256,
    )
    import_cpu_seconds: int = Field(
        default=300, description="How many seconds of the processor reading one imported file may cost.", ge=1
    )
    import_seconds: float = Field(
        default=600, description="How long reading one imported file may keep an import waiting.", gt=0
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least important messages to log."
    )
    log_format: Literal["json", "console"] = Field(
        default="json",
        description="json: one object per line, for machines.  console: coloured lines, for people.",
    )
    demo: bool = Field(
        default=False,
        description="Invented data and known passwords.  The server then listens on loopback addresses only.",
    )

    @field_validator("hosts", "cors_origins", "cookie_origins", "cors_headers", "attachment_types", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(re.split(r"[,\s]+", value.strip().lower().strip(","))) if isinstance(value, str) else value

    @field_validator("hosts", "cors_origins", "cookie_origins", "cors_headers", "attachment_types")
    @classmethod
    def _no_blank(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(word for word in value if word)

    @field_validator("hosts")
    @classmethod
    def _names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            if host != "*" and ("*" in host.removeprefix("*.") or "/" in host):
                raise ValueError("a host is a name without scheme and port, *.example.com or *")
        return value

    @field_validator("cookie_origins")
    @classmethod
    def _trusted(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    "an origin is scheme://host or scheme://host:port without a path; * is not allowed here"
                )
        return value

    @field_validator("cors_headers")
    @classmethod
    def _header_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not re.fullmatch(r"[a-z0-9-]+", name):
                raise ValueError("a header is a name of letters, digits and hyphens, like traceparent")
        return value

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                raise ValueError("an origin is scheme://host or scheme://host:port without a path, or *")
        return value

    @model_validator(mode="after")
    def _stay_home(self) -> Self:
        if self.demo and self.host not in LOOPBACK:
            raise ValueError("a demo has known passwords: it listens on a loopback address only")
        return self


LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")


def read(**chosen: Any) -> Settings:
    """The settings of this process; values in `chosen` override the environment.  Raises BadSettings."""
    try:
        return Settings(**chosen)
    except ValidationError as error:
        raise BadSettings("\n".join(f"{_variable(e['loc'])}: {e['msg']}" for e in error.errors())) from None


def _variable(location: tuple[int | str, ...]) -> str:
    if not location:
        return "MILLPOND_DEMO"  # the only rule about two settings
    name = str(location[0])
    if name == "MILLPOND_PORT" and name not in os.environ:
        return "PORT"
    return name if name.isupper() else f"MILLPOND_{name.upper()}"
