"""What every table shares: key, version, who and when, the bin, and the traits of columns."""

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
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
)
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

from .column_types import LIVE as LIVE
from .column_types import LONG as LONG
from .column_types import MERGED as MERGED
from .column_types import TIME_FORM as TIME_FORM
from .column_types import Money as Money
from .column_types import Utc as Utc
from .column_types import clip as clip
from .column_types import json_type as json_type
from .column_types import long_text as long_text
from .column_types import moment_of as moment_of
from .column_types import text_type as text_type
from .column_types import time_text as time_text
from .column_types import utcnow as utcnow
from .declaration import check_declared
from .errors import Refusal
from .names import Names
from .sort_keys import add_sort_keys, index_sort_keys
from .sort_keys import sort_key as sort_key
from .traits import Trait as Trait
from .traits import trait as trait
from .traits import trait_of as trait_of

Key = Annotated[int, mapped_column(primary_key=True)]
Word = Annotated[str, mapped_column(text_type(40))]
Line = Annotated[str, mapped_column(text_type(200))]
Prose = Annotated[str, mapped_column(long_text())]
Hash = Annotated[str, mapped_column(text_type(64))]


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
    inherited: ClassVar[frozenset[str]] = frozenset()
    """Columns whose value is that of the same column of `visible_through` where it is empty: the owner of a contact."""
    policy_columns: ClassVar[dict[str, str]] = {}
    """Where policy words find their facts when the column has another name: `{"pool_id": "id"}` for a pool."""

    def __init_subclass__(cls, **more: Any) -> None:
        """Refuse a table that leaves out what the doors derive from it.  Raises Misdeclared."""
        check_declared(cls)
        add_sort_keys(cls)
        super().__init_subclass__(**more)
        index_sort_keys(cls)

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
    """What the search box of a list looks at; a kind without it is left out of the global search, too."""
    beside: ClassVar[tuple[str, ...]] = ()
    """What the global search shows beside the name of a record: columns of texts, and foreign keys by their names."""
    searched_days: ClassVar[int | None] = None
    """The number of days whose records the global search looks through, for a kind with many texts and no index."""
    has_files: ClassVar[bool] = False
    """Whether users may keep files with its records (`models/attachment.py`)."""
    in_bulk: ClassVar[bool] = False
    """Whether users may change fields of many of its records at once (`resolvers/bulk/changing.py`)."""
    together: ClassVar[tuple[frozenset[str], ...]] = ()
    """Columns that mean one thing together, like amount and currency: two users' edits of them are never merged."""
    order: ClassVar[str] = "-created_at"
    """The order of lists without another one: a column, `-` for newest first.  The id breaks ties."""

    id: Mapped[Key] = mapped_column(sort_order=-10)
    version: Mapped[int] = mapped_column(default=1, info=trait(system_managed=True), sort_order=90)
    """Counts the changes of the record from 1. Send it with an edit, so that two users do not overwrite each other."""
    created_at: Mapped[datetime] = mapped_column(info=trait(system_managed=True), sort_order=91)
    """When the record was created."""
    updated_at: Mapped[datetime] = mapped_column(info=trait(system_managed=True), sort_order=93)
    """When the record was changed last."""
    deleted_at: Mapped[datetime | None] = mapped_column(info=trait(system_managed=True), sort_order=95)
    """When it went into the recycle bin; null outside."""
    delete_batch_id: Mapped[str | None] = mapped_column(
        text_type(40), index=True, info=trait(system_managed=True), sort_order=97
    )

    @declared_attr
    def created_by_id(cls) -> Mapped[int | None]:
        """The user who created it; null for the clock and for commands."""
        return mapped_column(ForeignKey("app_user.id"), info=trait(system_managed=True, historical=True), sort_order=92)

    @declared_attr
    def updated_by_id(cls) -> Mapped[int | None]:
        """The user who changed it last."""
        return mapped_column(ForeignKey("app_user.id"), info=trait(system_managed=True, historical=True), sort_order=94)

    @declared_attr
    def deleted_by_id(cls) -> Mapped[int | None]:
        """The user who put it into the recycle bin; null outside."""
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
    def notices(self) -> list[Refusal]:
        """What the use case that made the record tells beside it."""
        told: list[Refusal] = self.__dict__.setdefault("_notices", [])
        return told

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
    """The mapped columns of a model in the order of its table, without the keys that repeat others.

    The column that holds the values of custom fields is left out: each of them is a field of its own.
    """
    keys = {attribute.columns[0].key for attribute in inspect(model).column_attrs}
    return (column for column in stored_columns(model) if column.key in keys and not _serves_others(column))


def _serves_others(column: Column[Any]) -> bool:
    return trait_of(column).key_of is not None or trait_of(column).holds_custom


def stored_columns(model: type[Base]) -> Iterator[Column[Any]]:
    """All columns of a table, the keys that repeat others included."""
    return (cast("Column[Any]", column) for column in model.__table__.columns)


def column_of(model: type[Base], key: str) -> Column[Any]:
    """One column of a model by its key."""
    column: Column[Any] = cast("Any", model.__table__.c[key])
    return column


@cache
def sort_key_of(model: type[Base], key: str) -> str | None:
    """The column by which lists sort that are ordered by the column `key`; None where that is the column itself."""
    found = (c.key for c in stored_columns(model) if trait_of(c).sorts and trait_of(c).key_of == key)
    return next(found, None)


def is_customised(model: type[Base]) -> bool:
    """Whether records of the model have custom fields."""
    return "custom" in model.__table__.c and trait_of(column_of(model, "custom")).holds_custom


def parent_of(column: Column[Any]) -> str | None:
    """The table a foreign key points to, None for a plain column."""
    return next((key.column.table.name for key in column.foreign_keys), None)
