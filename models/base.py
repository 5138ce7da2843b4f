"""What every table shares: key, version, who and when, the bin, column types that mean the same on both engines."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, ClassVar, cast

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Dialect,
    Enum,
    ForeignKey,
    Integer,
    MetaData,
    Numeric,
    String,
    Text,
    TypeDecorator,
    inspect,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column
from sqlalchemy.types import TypeEngine

from .declaration import check_declared
from .names import Names

TIME_FORM = "%Y-%m-%dT%H:%M:%S.%f"


def utcnow() -> datetime:
    """Now, aware, cut to the millisecond that both databases store."""
    return clip(datetime.now(UTC))


def clip(moment: datetime) -> datetime:
    """`moment` in UTC without what is below a millisecond."""
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@lru_cache(maxsize=1024)
def time_text(moment: datetime) -> str:
    """The one text form of a time: `2026-11-24T08:30:00.000Z`; text order is time order."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def moment_of(text: str) -> datetime:
    """The time that `time_text` wrote.  Raises ValueError for any other text."""
    return datetime.strptime(text, f"{TIME_FORM}Z").replace(tzinfo=UTC)


class Utc(TypeDecorator[datetime]):
    """Aware UTC to the millisecond.  SQLite stores the text form, so JSON built there needs no formatting."""

    impl = postgresql.TIMESTAMP(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(sqlite.TEXT())
        return dialect.type_descriptor(postgresql.TIMESTAMP(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        return time_text(value) if dialect.name == "sqlite" else clip(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return datetime.fromisoformat(value) if isinstance(value, str) else value.astimezone(UTC)


class Money(TypeDecorator[Decimal]):
    """Exact amounts with two decimals: NUMERIC on PostgreSQL, whole hundredths on SQLite."""

    impl = Numeric(16, 2)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(BigInteger() if dialect.name == "sqlite" else Numeric(16, 2))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        if value is None or dialect.name != "sqlite":
            return value
        return int((value * 100).to_integral_value())

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        if value is None:
            return None
        return Decimal(value) / 100 if dialect.name == "sqlite" else Decimal(value)


def text_type(length: int) -> String:
    """Text in byte order on both engines, so that keyset pages agree."""
    return String(length).with_variant(postgresql.VARCHAR(length, collation="C"), "postgresql")


def long_text() -> Text:
    """Text without a length in the database; the use cases cap it at `LONG` characters."""
    return Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


LONG = 20_000

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
    """

    system_managed: bool = False
    immutable: bool = False
    dictionary: str | None = None
    separate_right: bool = False
    required: bool = False
    generated: bool = False
    historical: bool = False
    derived: bool = False


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
