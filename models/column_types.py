"""Column types that mean the same on both engines: times, amounts and text."""

from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, BigInteger, Dialect, Numeric, String, Text, TypeDecorator, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeEngine

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


def json_type() -> JSON:
    """JSON out of which statements pick single values: JSONB on PostgreSQL.  None is NULL."""
    return JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


LONG = 20_000

LIVE: dict[str, Any] = {
    "sqlite_where": text("deleted_at IS NULL"),
    "postgresql_where": text("deleted_at IS NULL"),
}
"""The condition of an index that ignores the bin, so that a name is free again when its record is there."""
MERGED: dict[str, Any] = {
    "sqlite_where": text("merged_into_id IS NOT NULL"),
    "postgresql_where": text("merged_into_id IS NOT NULL"),
}
"""The option of an index over the records that were merged into another."""
