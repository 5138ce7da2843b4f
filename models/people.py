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
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"), index=True)
    path: Mapped[str] = mapped_column(text_type(400), default="", index=True, info=trait(system_managed=True))
    """The ids from the root down to itself, `/1/4/`; a subtree is everything that begins with it."""
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
    name: Mapped[Line]
    department_id: Mapped[int | None] = mapped_column(
        ForeignKey("department.id", name="fk_app_user_department_id", use_alter=True), index=True
    )
    active: Mapped[bool] = mapped_column(default=True)
    absent_until: Mapped[datetime | None]
    email: Mapped[str | None] = mapped_column(text_type(200), info=trait(separate_right=True))
    capacity: Mapped[int | None] = mapped_column(info=trait(separate_right=True))
    language: Mapped[str] = mapped_column(text_type(8), default="en", info=trait(separate_right=True))

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
    name: Mapped[Line]
    name_zh: Mapped[str | None]

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
    role_id: Mapped[int] = mapped_column(ForeignKey("role.id"), index=True, info=trait(immutable=True))
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]

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
