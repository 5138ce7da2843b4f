"""How people come in: passwords, sessions, tokens, and the record of every try."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base, Hash, Key, text_type
from .names import Names


class Credential(Base):
    """The password of a person, hashed with argon2; apart from the person, so that no list can show it."""

    __tablename__ = "credential"

    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"), primary_key=True, autoincrement=False)
    password_hash: Mapped[str] = mapped_column(text_type(200))
    changed_at: Mapped[datetime]
    one_time: Mapped[bool] = mapped_column(default=False)
    """Whether it must be changed at the next sign-in."""
    unlocked_at: Mapped[datetime | None]
    """Failed attempts before this time no longer delay the person."""


class SignInSession(Base):
    """One signed-in browser or program.  The token is stored hashed and dies with the row."""

    __tablename__ = "sign_in_session"
    names = Names("Session", "Sessions", zh="会话", zh_many="登录会话")

    id: Mapped[Key]
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"), index=True)
    token_hash: Mapped[Hash] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    address: Mapped[str | None] = mapped_column(text_type(60))
    agent: Mapped[str | None] = mapped_column(text_type(200))
    revoked_at: Mapped[datetime | None]
    browser_hash: Mapped[Hash | None] = mapped_column(index=True)
    """The secret of the browser's cookie, hashed; it tells a browser in which the person has signed in before."""
    looker_id: Mapped[int | None]
    """The person who looks through the eyes of `user_id`, and changes nothing."""


class ApiToken(Base):
    """A key for programs, shown once and stored hashed; it acts with the rights of its person."""

    __tablename__ = "api_token"
    names = Names("Token", "Tokens", zh="令牌")

    id: Mapped[Key]
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"), index=True)
    name: Mapped[str]
    hint: Mapped[str] = mapped_column(text_type(20))
    """The beginning of the token, to tell one from another."""
    token_hash: Mapped[Hash] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class SignInAttempt(Base):
    """One try to sign in, for the log and for the brake on guessing."""

    __tablename__ = "sign_in_attempt"
    module = "session"
    policy_columns: ClassVar[dict[str, str]] = {"owner_id": "user_id"}

    id: Mapped[Key]
    at: Mapped[datetime]
    login: Mapped[str] = mapped_column(text_type(40))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    """Whose login it is, also when the password was wrong; None for an unknown login."""
    address: Mapped[str | None] = mapped_column(text_type(60))
    ok: Mapped[bool]
    source: Mapped[Hash | None]
    """The browser known to the person, or the session, from which it came; None for a stranger's."""

    __table_args__ = (
        Index("ix_sign_in_attempt_login", "login", "at"),
        Index("ix_sign_in_attempt_address", "address", "at"),
    )
