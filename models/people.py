"""People, their departments and their roles."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .base import LIVE, Entity, Line, Word, text_type, trait
from .names import Names


class Department(Entity):
    """A team in the tree of the organisation."""

    __tablename__ = "department"
    module, prefix, order = "department", "dep", "path"
    names = Names("Department", "Departments", zh="部门")

    name: Mapped[Line]
    """What the team is called."""
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"), index=True)
    """The department above it; null for one at the top."""
    path: Mapped[str] = mapped_column(text_type(400), default="", index=True, info=trait(system_managed=True))
    """The numbers of the departments from the top down to this one, `/1/4/`; all below it begin with it."""
    capacity: Mapped[int | None]
    """Maximum number of customers that each of its users holds, unless the user has a limit of their own."""

    parent: Mapped["Department | None"] = relationship(remote_side="Department.id", lazy="raise_on_sql")

    __table_args__ = (CheckConstraint("capacity IS NULL OR capacity >= 0", name="capacity"),)


class User(Entity):
    """A person who works with Millpond.  Everybody may see a person's name, department and active flag."""

    __tablename__ = "app_user"
    module, prefix, order = "user", "usr", "name"
    in_bulk = True
    names = Names("Person", "People", zh="人员")
    search, beside = ("login", "name"), ("login", "department_id")
    policy_columns: ClassVar[dict[str, str]] = {"owner_id": "id"}

    login: Mapped[Word]
    """The name to sign in with: 2 to 40 small letters, digits and `._-`; unique outside the recycle bin."""
    name: Mapped[Line]
    """What the person is called."""
    department_id: Mapped[int | None] = mapped_column(
        ForeignKey("department.id", name="fk_app_user_department_id", use_alter=True), index=True
    )
    """The team of the person; what rights on “my team” mean follows from it."""
    active: Mapped[bool] = mapped_column(default=True)
    """Whether the account is in use. Switching it off ends sessions and tokens at once; the records stay."""
    absent_until: Mapped[datetime | None]
    """Until when the person is away, and gets no customers automatically; null for present."""
    email: Mapped[str | None] = mapped_column(text_type(200), info=trait(separate_right=True))
    """The address to which notices go. Seen and set by who has a right to this field, and by the person."""
    capacity: Mapped[int | None] = mapped_column(info=trait(separate_right=True))
    """Number of customers that the person may hold; null takes the limit of the department, then of the organisation.
    """
    language: Mapped[str] = mapped_column(text_type(8), default="en", info=trait(separate_right=True))
    """The language of the account, in which sentences come: `en` or `zh`."""

    department: Mapped[Department | None] = relationship(foreign_keys=department_id, lazy="raise_on_sql")

    __table_args__ = (
        CheckConstraint("capacity IS NULL OR capacity >= 0", name="capacity"),
        Index(
            "uq_app_user_login",
            "login",
            unique=True,
            **LIVE,
        ),
    )


class Role(Entity):
    """A set of rights; policy lines name it by its code."""

    __tablename__ = "role"
    module, prefix, order = "role", "rol", "code"
    names = Names("Role", "Roles", zh="角色")
    search = ("code", "name", "name_zh")

    code: Mapped[Word] = mapped_column(info=trait(immutable=True))
    """The word for the role in policy lines: 2 to 40 small letters, digits and `_`, a letter first. It is never
    changed."""
    name: Mapped[Line]
    """The English name."""
    name_zh: Mapped[str | None]
    """The Chinese name; the English one is shown where it is empty."""

    __table_args__ = (
        Index(
            "uq_role_code",
            "code",
            unique=True,
            **LIVE,
        ),
    )


class UserRole(Entity):
    """A role that a person holds, for good or between two moments."""

    __tablename__ = "user_role"
    module, prefix, named_by, cascades_with = "role", "uro", "id", "user"
    together = (frozenset({"starts_at", "ends_at"}),)
    names = Names("Role of a person", "Roles of people", zh="人员角色")
    search = ()
    policy_columns: ClassVar[dict[str, str]] = {"owner_id": "user_id"}

    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"), index=True, info=trait(immutable=True))
    """Who holds the role."""
    role_id: Mapped[int] = mapped_column(ForeignKey("role.id"), index=True, info=trait(immutable=True))
    """The role that is held."""
    starts_at: Mapped[datetime | None]
    """From when on it is held; null from the beginning."""
    ends_at: Mapped[datetime | None]
    """Until when it is held; null without an end."""

    user: Mapped[User] = relationship(foreign_keys=user_id, lazy="raise_on_sql")
    role: Mapped[Role] = relationship(foreign_keys=role_id, lazy="raise_on_sql")

    __table_args__ = (
        CheckConstraint("starts_at IS NULL OR ends_at IS NULL OR starts_at < ends_at", name="period"),
        Index(
            "uq_user_role_live",
            "user_id",
            "role_id",
            unique=True,
            **LIVE,
        ),
    )


LANGUAGES = ("en", "zh")
