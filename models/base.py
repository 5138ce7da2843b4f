"""What every table shares: key, version, who and when, the bin, and the traits of columns."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, ClassVar, cast

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    Enum,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    inspect,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

from .column_types import LONG as LONG
from .column_types import TIME_FORM as TIME_FORM
from .column_types import Money as Money
from .column_types import Utc as Utc
from .column_types import clip as clip
from .column_types import long_text as long_text
from .column_types import moment_of as moment_of
from .column_types import text_type as text_type
from .column_types import time_text as time_text
from .column_types import utcnow as utcnow
from .declaration import check_declared
from .names import Names

LIVE: dict[str, Any] = {
    "sqlite_where": text("deleted_at IS NULL"),
    "postgresql_where": text("deleted_at IS NULL"),
}
"""The condition of an index that ignores the bin, so that a name is free again when its record is there."""

Key = Annotated[int, mapped_column(primary_key=True)]
Word = Annotated[str, mapped_column(text_type(40))]
Line = Annotated[str, mapped_column(text_type(200))]
Prose = Annotated[str, mapped_column(long_text())]
Hash = Annotated[str, mapped_column(text_type(64))]


@dataclass(frozen=True)
class Trait:
    """What a column is beyond its type.  Inputs, labels and rights derive from it.

    `system_managed`: only a use case sets it.  `immutable`: given at creation, never edited.
    `dictionary`: the code of the dictionary whose keys it holds.  `separate_right`: rights on the module do not cover it;
    a policy line must name the field.  `required`: an empty value is refused although NULL can be stored.
    `generated`: a rule fills it when no value is given, like a number.  `historical`: it names a user of the past, who
    may leave all the same.  `derived`: it repeats or is computed from other columns, so the log need not know it.
    `not_negative`: a number below zero is refused.
    """

    system_managed: bool = False
    immutable: bool = False
    dictionary: str | None = None
    separate_right: bool = False
    required: bool = False
    generated: bool = False
    historical: bool = False
    derived: bool = False
    not_negative: bool = False


PLAIN = Trait()


def trait(**what: Any) -> dict[str, Any]:
    """The `info` of a column: `mapped_column(info=trait(immutable=True))`."""
    return {"trait": Trait(**what)}


def trait_of(column: Column[Any]) -> Trait:
    found: Trait = column.info.get("trait", PLAIN)
    return found


def choice(kind: type[StrEnum], **column: Any) -> Any:
    """A column that holds one member of `kind`, checked by the database."""
    stored = Enum(
        kind, native_enum=False, create_constraint=True, length=20, values_callable=_values, name=_snake(kind.__name__)
    )
    return mapped_column(stored, **column)


def _values(kind: type[StrEnum]) -> list[str]:
    return [member.value for member in kind]


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower()


class Base(DeclarativeBase):
    """Every table.  One with a `prefix` is protected: it is read under policy and nowhere else."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: text_type(200),
        datetime: Utc,
        date: Date,
        Decimal: Money,
        int: Integer,
        bool: Boolean,
        dict[str, Any]: JSON,
        list[str]: JSON,
    }

    module: ClassVar[str] = ""
    """The word of policy lines and of action names: `customer` in `customer.claim`."""
    prefix: ClassVar[str] = ""
    """The letters before the number in global ids: `cus` in `cus_12`."""
    names: ClassVar[Names]
    """What its records are called, in English and Chinese.  A protected table has to say it."""
    visible_through: ClassVar[str] = ""
    """The relation whose record decides who may view this one: `customer` for a contact."""
    policy_columns: ClassVar[dict[str, str]] = {}
    """Where policy words find their facts when the column has another name: `{"pool_id": "id"}` for a pool."""

    def __init_subclass__(cls, **more: Any) -> None:
        """Refuse a table that leaves out what the doors derive from it.  Raises Misdeclared."""
        check_declared(cls)
        super().__init_subclass__(**more)

    @classmethod
    def __table_cls__(cls, name: str, metadata: MetaData, *arguments: Any, **options: Any) -> Table:
        """The table.  SQLite never gives an id a second time, because log, seats and shares remember records by id."""
        ids = [x for x in arguments if isinstance(x, Column) and x.name == "id" and isinstance(x.type, Integer)]
        if any(x.autoincrement for x in ids):
            options["sqlite_autoincrement"] = True
        return Table(name, metadata, *arguments, **options)


class Entity(Base):
    """A row people own, edit, delete and restore.  Its changes are audited by the flush itself."""

    __abstract__ = True

    cascades_with: ClassVar[str] = ""
    """The relation whose record takes this one along to the bin and back, `through` when left out."""
    singleton: ClassVar[bool] = False
    """Whether the table has one row for good: it is edited, never made or deleted."""
    named_by: ClassVar[str] = "name"
    """The column that names a record to a person: number, name or code."""
    search: ClassVar[tuple[str, ...]] = ("name",)
    """What the search box of a list looks at."""
    together: ClassVar[tuple[frozenset[str], ...]] = ()
    """Columns that mean one thing together, like amount and currency: two users' edits of them are never merged."""
    order: ClassVar[str] = "-created_at"
    """The order of lists without another one: a column, `-` for newest first.  The id breaks ties."""

    id: Mapped[Key] = mapped_column(sort_order=-10)
    version: Mapped[int] = mapped_column(default=1, info=trait(system_managed=True), sort_order=90)
    created_at: Mapped[datetime] = mapped_column(info=trait(system_managed=True), sort_order=91)
    updated_at: Mapped[datetime] = mapped_column(info=trait(system_managed=True), sort_order=93)
    deleted_at: Mapped[datetime | None] = mapped_column(info=trait(system_managed=True), sort_order=95)
    delete_batch_id: Mapped[str | None] = mapped_column(
        text_type(40), index=True, info=trait(system_managed=True), sort_order=97
    )

    @declared_attr
    def created_by_id(cls) -> Mapped[int | None]:
        return mapped_column(ForeignKey("app_user.id"), info=trait(system_managed=True, historical=True), sort_order=92)

    @declared_attr
    def updated_by_id(cls) -> Mapped[int | None]:
        return mapped_column(ForeignKey("app_user.id"), info=trait(system_managed=True, historical=True), sort_order=94)

    @declared_attr
    def deleted_by_id(cls) -> Mapped[int | None]:
        return mapped_column(ForeignKey("app_user.id"), info=trait(system_managed=True, historical=True), sort_order=96)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}

    @classmethod
    def with_partners(cls, keys: Iterable[str]) -> set[str]:
        """These columns, and those that mean one thing together with one of them."""
        wanted = {*keys}
        return wanted.union(*(group for group in cls.together if not group.isdisjoint(wanted)))

    @property
    def label(self) -> str:
        """How the record is called where only one word fits: in the log, in a refusal."""
        return str(getattr(self, self.named_by))

    def __str__(self) -> str:
        return self.label


class Part(Base):
    """A row that belongs to one entity and has no life of its own; its changes are logged as its whole's.

    `part_of` names the relation to the whole, `through` follows it for rights.
    """

    __abstract__ = True

    part_of: ClassVar[str]
    """The relation to the whole; the foreign key is `<part_of>_id`."""

    id: Mapped[Key] = mapped_column(sort_order=-10)


def columns(model: type[Base]) -> Iterator[Column[Any]]:
    """The mapped columns of a model in the order of its table."""
    keys = {attribute.columns[0].key for attribute in inspect(model).column_attrs}
    return (cast("Column[Any]", column) for column in model.__table__.columns if column.key in keys)


def column_of(model: type[Base], key: str) -> Column[Any]:
    """One column of a model by its key."""
    column: Column[Any] = cast("Any", model.__table__.c[key])
    return column


def parent_of(column: Column[Any]) -> str | None:
    """The table a foreign key points to, None for a plain column."""
    return next((key.column.table.name for key in column.foreign_keys), None)
