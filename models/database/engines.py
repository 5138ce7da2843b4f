"""Engines and sessions of both databases.  SQLite begins its transactions explicitly; read engines cannot write."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import Session, SessionTransaction

from .flush import flush_changes
from .patience import Patience, PatientConnection
from .prepared import run_text
from .sqlalchemy_internals import needs_flush, while_flushing
from .turns import BUSY_MILLISECONDS, begin_in_turn

_PRAGMAS = ("journal_mode=wal", "synchronous=full", "foreign_keys=on", f"busy_timeout={BUSY_MILLISECONDS}")
_WRITER_CACHE, _READER_CACHE = "cache_size=-65536", "cache_size=-8192"
"""Pages that a connection keeps, in KiB: there is one writer, and up to eight sessions read."""
PLANNING = {"plan_cache_mode": "force_custom_plan", "random_page_cost": "1.1"}
"""The settings under which PostgreSQL plans the statements of read sessions."""


WHEN_MADE: list[Callable[[Session], None]] = []
"""Called with every new session: the read guard finds out for whom it was made."""


class _GuardedSession(Session):
    """What both kinds of session share: they are made for one principal, and do not bypass the guards and the log."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for call in WHEN_MADE:
            call(self)

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise RuntimeError("the old bulk methods skip the policy and the log; add the rows, or use guarded_update")

    bulk_save_objects = bulk_insert_mappings = bulk_update_mappings = _refuse


class ReadSession(_GuardedSession):
    """A session that reads and never writes."""


class WriteSession(_GuardedSession):
    """The session of a use case, made by `scope.write` only."""

    def begin(self, nested: bool = False) -> SessionTransaction:
        """Begin at once, because `Prepared` statements use the connection without the session."""
        begun = super().begin(nested)
        self.connection()
        return begun

    def flush(self, objects: Sequence[Any] | None = None) -> None:
        """Write what has changed, by the fast path of `flush.py` where it applies."""
        if objects is not None or not needs_flush(self):
            super().flush(objects)
        elif not while_flushing(self, flush_changes):
            super().flush()


@event.listens_for(ReadSession, "before_flush")
def _refuse_to_write(*_: object) -> None:
    raise RuntimeError("the read side does not write")


def is_sqlite(url: str) -> bool:
    return make_url(url).get_backend_name() == "sqlite"


def writing_engine(url: str, *, size: int = 8, patience: Patience | None = None, yields: bool = False) -> Engine:
    """The engine with which use cases write, for `sqlite:///path` or `postgresql://…`; waits without `patience`.

    `yields`: on SQLite its transactions let those of other processes go first, because no user waits for them.
    """
    at = make_url(url)
    if is_sqlite(url):
        engine = create_engine(
            at.set(drivername="sqlite"), connect_args={"check_same_thread": False}, hide_parameters=True
        )
        _prepare_connections(engine, (*_PRAGMAS, _WRITER_CACHE))
        begin_in_turn(engine, at.database or "", yields=yields)
    else:
        engine = _postgresql_writing(at.set(drivername="postgresql+psycopg"), size, patience)
    _run_savepoints_as_text(engine)
    return engine


def _postgresql_writing(at: URL, size: int, patience: Patience | None) -> Engine:
    def connect() -> PatientConnection:
        given, named = engine.dialect.create_connect_args(at)
        limits = patience.writing() if patience is not None else {}
        made = PatientConnection.connect(*given, **{**limits, **named})
        made.deadline = patience.answer if patience is not None else None
        return made

    engine = create_engine(at, creator=connect, pool_size=size, max_overflow=size, hide_parameters=True)
    return engine


def reading_engine(url: str, *, size: int = 8, patience: Patience | None = None) -> AsyncEngine:
    """The engine with which everything else reads.  The database itself refuses writes on it."""
    at = make_url(url)
    if is_sqlite(url):
        engine = create_async_engine(at.set(drivername="sqlite+aiosqlite"), pool_size=size, hide_parameters=True)
        _prepare_connections(engine.sync_engine, (*_PRAGMAS, _READER_CACHE, "query_only=on"))
        event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
        return engine
    limits = patience.settings(patience.row) if patience is not None else {}
    engine = create_async_engine(
        at.set(drivername="postgresql+asyncpg"),
        pool_size=size,
        max_overflow=size,
        hide_parameters=True,
        isolation_level="AUTOCOMMIT",  # statements see the same as in a transaction that is read committed
        connect_args={
            "server_settings": {"default_transaction_read_only": "on", "jit": "off", **limits},
            **(patience.reading() if patience is not None else {}),
        },
    )
    _plan_each_time(engine)
    if patience is not None:
        _give_up_silent(engine, patience)
    return engine


def _give_up_silent(engine: AsyncEngine, patience: Patience) -> None:
    """Close a connection whose server has not answered in time, and let the system watch all of them."""

    @event.listens_for(engine.sync_engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        transport = getattr(connection.driver_connection, "_transport", None)  # asyncpg shows it under no other name
        if transport is not None:
            patience.watch(transport.get_extra_info("socket"))

    @event.listens_for(engine.sync_engine, "handle_error")
    def _failed(context: Any) -> None:
        if isinstance(context.original_exception, TimeoutError):
            context.is_disconnect = True


def _plan_each_time(engine: AsyncEngine) -> None:
    """Have PostgreSQL plan every statement for its own values, and cost random pages as on a solid-state disk.

    Read sessions run large statements that filter and search.  A generic plan reads far too much for most values.
    """

    @event.listens_for(engine.sync_engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        wanted = "; ".join(f"SET {name} = {value}" for name, value in PLANNING.items())
        connection.run_async(
            lambda driver: driver.execute(wanted)
        )  # outside any transaction, whose rollback would undo it


def _run_savepoints_as_text(engine: Engine) -> None:
    """Send savepoints to the driver as text.  Every use case has some, and SQLAlchemy would compile each anew."""
    dialect: Any = engine.dialect
    dialect.do_savepoint = lambda connection, name: run_text(connection, f"SAVEPOINT {name}")
    dialect.do_rollback_to_savepoint = lambda connection, name: run_text(connection, f"ROLLBACK TO SAVEPOINT {name}")
    dialect.do_release_savepoint = lambda connection, name: run_text(connection, f"RELEASE SAVEPOINT {name}")


def _prepare_connections(engine: Engine, pragmas: Iterable[str]) -> None:
    """Leave the begin of a transaction to SQLAlchemy, because those that the driver begins by itself lose savepoints."""

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
