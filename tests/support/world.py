"""The small world of the tests: three departments, nine users, two pools, and whatever a test adds."""

import asyncio
from collections.abc import Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import func, insert, select
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.orm import Session

import models
from models import Base, Customer, Department, Dictionary, DictionaryItem, Entity, PoolMember, Role, User, UserRole
from models.database.bypass import OPTION
from models.database.engines import writing_engine
from models.duplicates import DEFAULTS, Verdict
from models.pool import GranteeKind, Seat
from policies import STARTER, Principal, Snapshot
from resolvers.access.offered_lines import known_words, note_words
from resolvers.records import create_update
from resolvers.runtime import policy_proof
from resolvers.runtime.backend import Backend
from resolvers.runtime.policy_store import put_in_force
from resolvers.runtime.scope import Scope

T = TypeVar("T")

START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
AS_STORED = {OPTION: "a test looks at what is stored"}

ROLES = ("administrator", "role_manager", "sales", "sales_lead", "finance", "support", "auditor")
PEOPLE = {
    "ada": ("Ada Ng", "administrator", None),
    "lead": ("Lena Lead", "sales_lead", "east"),
    "li": ("Li Na", "sales", "east"),
    "wu": ("Wu Wei", "sales", "east"),
    "mei": ("Mei Lin", "sales", "west"),
    "fin": ("Finn Ray", "finance", None),
    "sam": ("Sam Ode", "support", None),
    "rolf": ("Rolf Vik", "role_manager", None),
    "aud": ("Audrey Oh", "auditor", None),
}
WORDS = {
    "industry": ("retail", "internet", "steel"),
    "stage": ("early", "won"),
    "source": ("web",),
    "region": ("east",),
}


@cache
def _texts(dialect: Dialect) -> dict[str, str]:
    """Table -> the statement that reads all of it; the log of attempts is left out."""
    return {
        table.name: str(select(table).order_by(*table.primary_key.columns).compile(dialect=dialect))
        for table in Base.metadata.sorted_tables
        if table.name not in ("audit_entry", "audit_seal", "sign_in_session")
    }


def _rows_of(cursor: DBAPICursor, text: str) -> list[dict[str, Any]]:
    cursor.execute(text)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _rules() -> Iterator[dict[str, Any]]:
    """Nothing counts as a duplicate: tests give many customers one name.  Those of duplicates delete the rules."""
    for module, evidences in DEFAULTS.items():
        for evidence, verdict in evidences.items():
            if verdict is not Verdict.NOTHING:
                yield {"for_module": module, "evidence": evidence, "verdict": Verdict.NOTHING}


class Clock:
    """A clock that stands still until `pass_by` moves it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **time: float) -> None:
        self.now += timedelta(**time)


class World:
    """A backend with users and records.  `world.li` is a new scope of the user Li, as at the start of a request."""

    def __init__(self, url: str) -> None:
        """Open a database in which `settle` has created the world."""
        self.clock = Clock()
        self.backend = Backend(url, clock=self.clock).open()
        self.loop = asyncio.new_event_loop()
        self.system = self.backend.system("system:test")
        self.ids = self._known()

    @classmethod
    def settle(cls, url: str) -> None:
        """Create the world in a migrated, empty database."""
        engine = writing_engine(url)
        with engine.begin() as connection:
            beginning = {"id": 1, "name": "Millpond", "version": 1, "time_zone": "UTC", "currency": "CNY"}
            beginning |= {"language": "en", "contact_required": False, "created_at": START, "updated_at": START}
            connection.execute(insert(models.Organisation), beginning)
            proof = policy_proof.recorded(policy_proof.proved(Snapshot(STARTER), frozenset()), STARTER)
            put_in_force(connection, STARTER, "the beginning", START, proof=proof)
            there = set(connection.execute(select(models.PolicyWord.word)).scalars())
            note_words(connection, known_words() - there, START)
        engine.dispose()
        world = cls(url)
        try:
            world._settle()
        finally:
            world.close()  # closing the last connection writes SQLite's log into the file

    def __getattr__(self, login: str) -> Scope:
        if login not in PEOPLE and login not in self.__dict__.get("extra", ()):
            raise AttributeError(login)
        return self.scope(login)

    def scope(self, login: str, door: str = "test") -> Scope:
        return self.backend.scope(self.backend.person(login), door)

    def principal(self, login: str) -> Principal:
        return self.backend.person(login)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Await a coroutine in the event loop of this world, to which the connections of the read side belong."""
        return self.loop.run_until_complete(coroutine)

    def make(self, model: type[Entity], **values: Any) -> int:
        """The id of a new record, created by the use case as the system principal."""
        return self.system.do(create_update.create, model, values).id

    def user(self, login: str, name: str, role: str, department: str | None = None) -> int:
        values: dict[str, Any] = {"login": login, "name": name}
        if department:
            values["department_id"] = self.ids[department]
        self.ids[login] = self.make(User, **values)
        self.make(UserRole, user_id=self.ids[login], role_id=self.ids[role])
        self.__dict__.setdefault("extra", set()).add(login)
        return self.ids[login]

    def customer(self, name: str = "Acme", owner: str | None = None, pool: str | None = None, **values: Any) -> int:
        """The id of a new customer of `owner` (Li by default), or in `pool`."""
        place = {"pool_id": self.ids[pool]} if pool else {"owner_id": self.ids[owner or "li"]}
        return self.make(Customer, name=name, **place, **values)

    def seat(self, pool: str, login: str, seat: Seat = Seat.MEMBER) -> int:
        return self.make(
            PoolMember, pool_id=self.ids[pool], grantee_kind=GranteeKind.USER, grantee_id=self.ids[login], seat=seat
        )

    def rule(self, pool: str, **numbers: int) -> int:
        return self.make(models.ClaimRule, pool_id=self.ids[pool], **numbers)

    # -- reading without the policy ----------------------------------------------------------------------

    def row(self, model: type[Base], id: int) -> dict[str, Any]:
        with self.backend.writer.engine.connect() as connection:
            return dict(connection.execute(select(model.__table__).where(model.__table__.c.id == id)).mappings().one())

    def rows(self, model: type[Base], *where: Any) -> list[dict[str, Any]]:
        table = model.__table__
        with self.backend.writer.engine.connect() as connection:
            found = connection.execute(select(table).where(*where).order_by(*table.primary_key.columns))
            return [dict(row) for row in found.mappings()]

    def count(self, model: type[Base], *where: Any) -> int:
        with self.backend.writer.engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(model.__table__).where(*where)).scalar_one()

    def everything(self) -> dict[str, list[dict[str, Any]]]:
        """Every row of every table: what a refused use case must leave as it was (the log of attempts left out).

        The values are the driver's: what they mean does not matter to whether they have changed.
        """
        with self.backend.writer.engine.connect() as connection:
            cursor = connection.connection.cursor()  # the driver's own, because a test asks for some fifty tables
            return {name: _rows_of(cursor, text) for name, text in _texts(connection.dialect).items()}

    def log(self, entity: str | None = None, record_id: int | None = None, since: int = 0) -> list[dict[str, Any]]:
        entry = models.AuditEntry.__table__.c
        wanted = [entry.id > since]
        if entity:
            wanted.append(entry.entity == entity)
        if record_id:
            wanted.append(entry.record_id == record_id)
        return self.rows(models.AuditEntry, *wanted)

    def mark(self) -> int:
        """The id of the newest entry of the log, for `log(since=…)`."""
        return max((entry["id"] for entry in self.log()), default=0)

    def _known(self) -> dict[str, int]:
        """Name in lower case -> id, of users, departments, roles and pools."""
        named = (User.login, Department.name, Role.code, models.Pool.name)
        with self.backend.writer.engine.connect() as connection:
            rows = [row for name in named for row in connection.execute(select(name, name.class_.id))]
        return {name.lower(): id for name, id in rows}

    def _settle(self) -> None:
        for rule in _rules():
            self.make(models.DuplicateRule, **rule)
        head = self.make(Department, name="House")
        for name in ("east", "west"):
            self.ids[name] = self.make(Department, name=name.title(), parent_id=head)
        self.ids["house"] = head
        for code in ROLES:
            self.ids[code] = self.make(Role, code=code, name=code.replace("_", " ").title())
        for login, (name, role, department) in PEOPLE.items():
            self.user(login, name, role, department)
        for name in ("north", "south"):
            self.ids[name] = self.make(models.Pool, name=name.title())
        for login in ("li", "wu"):
            self.seat("north", login)
        self.seat("north", "lead", Seat.ADMIN)
        self.seat("south", "mei")
        for code, keys in WORDS.items():
            dictionary = self.make(Dictionary, code=code, name=code.title())
            for position, key in enumerate(keys):
                self.make(
                    DictionaryItem,
                    dictionary_id=dictionary,
                    key=key,
                    label_en=key.title(),
                    label_zh=f"{key}中",
                    position=position,
                )

    def session(self, db: Session, model: type[Base], id: int) -> Any:
        return db.execute(select(model).where(model.id == id), execution_options=AS_STORED).scalar_one()  # type: ignore[attr-defined]

    def close(self) -> None:
        self.backend.writer.close()
        self.loop.run_until_complete(self.backend.stop_reading())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()
