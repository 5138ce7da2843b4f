"""The small world with records of every kind in every state, and a canary in each text: one that occurs nowhere else."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import insert

import models
from models import Base, Customer, Entity, FollowUp, Share, User
from models.base import Money, columns, trait_of
from models.errors import Refusal
from models.pool import GranteeKind
from models.share import ShareLevel
from resolvers.customers import lock as locking
from resolvers.customers import transfer as transferring
from resolvers.people import accounts
from resolvers.pool import release as releasing
from resolvers.records import create_update
from resolvers.runtime.scope import Scope
from tests.support.world import START, World

from .columns import free_texts
from .declared import FILE, Canary, Kind, Ref
from .tables import HOSTILE, KINDS, TEXTS

LOGINS = ("ada", "li", "fin", "aud", "sam", "nil", "wu", "mei", "lead", "rolf")
"""At least one user of each role, and Nil, who has none."""
_OWNERS = ("li", "li shut", "li gone", "wu", "wu shut", "mei", "mei shut", "mei gone", "mei shared", "ada")
_FORMS = "|".join(re.escape(form).replace(re.escape("{n:03d}"), r"\d{3}") for form in TEXTS.values())
CANARY = re.compile(rf"Zq\d{{3}}[a-z]+?q|{_FORMS}|7\d,?\d{{3}}\.23|88,?\d{{3}}")
"""A canary in a page: it tells of which field of which record it is."""


class Dataset:
    """The dataset in a database: `ids` by name, `canaries` with the field in which each stands, or stood."""

    filled: ClassVar[dict[str, tuple[dict[str, Canary], dict[str, int]]]] = {}
    """Address of a filled database -> its canaries and ids."""

    def __init__(self, world: World) -> None:
        self.world, self.ids = world, world.ids
        self.canaries: dict[str, Canary] = {}
        self._count = 0

    @classmethod
    def settle(cls, url: str, place: str) -> None:
        """Fill the small world at this address, and remember what is in it."""
        world = World(url)
        try:
            dataset = cls(world)
            dataset.fill()
            cls.filled[place] = (dataset.canaries, dict(world.ids))
        finally:
            world.close()

    def fill(self) -> None:
        last = {model: self._records(model, kind) for model, kind in KINDS.items()}
        self._people()
        for name in _OWNERS:
            self._customer(f"of {name}", owner_id=self.ids[name.partition(" ")[0]])
        for name in ("north", "south", "lake"):
            self._customer(f"in {name}", pool_id=self.ids[name])
        self._events()
        self._deletions(last)

    def _records(self, model: type[Base], kind: Kind) -> str:
        """Create the records of a kind; returns the last one, which is still to be deleted if `deleted` names it."""
        last = ""
        for name, values in kind.records.items():
            if last in kind.deleted:
                self._delete(self.world.ada, model, self.ids[last])
            self.ids[name], last = self.make(model, values), name
        return last

    def make(self, model: type[Base], values: Mapping[str, Any], by: Scope | None = None, **names: str) -> int:
        """Create a record with a canary in every text that `values` leaves open; returns its id."""
        self._count += 1
        canaries = {key: text for key, text in _canaries(model, self._count).items() if key not in values}
        nested = self._nested(model)
        given = {key: self._id(value, names) for key, value in values.items()}
        id = _create(by or self.world.system, model, {**canaries, **nested, **given})
        for key, text in canaries.items():
            for written in (f"{text:,.2f}", f"{text:.2f}") if isinstance(text, Decimal) else (text,):
                self._mark(written, model, id, key)
        for key, rows in nested.items():
            for text in (value for row in rows for value in row.values() if CANARY.fullmatch(value)):
                self._mark(text, model, id, key)
        return id

    def _id(self, value: Any, names: Mapping[str, str]) -> Any:
        return self.ids[value.format(**names)] if isinstance(value, Ref) else value

    def _nested(self, model: type[Base]) -> dict[str, list[dict[str, str]]]:
        nested = KINDS[model].nested
        if nested is None:
            return {}
        return {nested.key: [{key: form.format(n=self._count) for key, form in row.items()} for row in nested.rows]}

    def _mark(self, text: str, model: type[Base], id: int, key: str) -> str:
        self.canaries[text] = (model, id, key)
        return text

    def _people(self) -> None:
        self.world.__dict__.setdefault("extra", set()).add("nil")
        for login in LOGINS:
            self._count += 1
            email, capacity = f"zq{self._count:03d}@mark.example", 88_000 + self._count
            self.world.system.do(create_update.update, User, self.ids[login], {"email": email, "capacity": capacity})
            self._mark(email, User, self.ids[login], "email")
            for written in (f"{capacity:,}", f"{capacity}"):
                self._mark(written, User, self.ids[login], "capacity")

    def _customer(self, name: str, **place: int) -> None:
        """A customer with one child of each kind."""
        self.ids[name] = self.make(Customer, {"stage": "early", **place})
        for model, kind in KINDS.items():
            if kind.under_customer is not None:
                self.ids[f"{kind.called} {name}"] = self._child(model, name)

    def _child(self, model: type[Base], customer: str) -> int:
        values = {"customer_id": self.ids[customer], **(KINDS[model].under_customer or {})}
        return self.make(model, values, customer=customer)

    def _events(self) -> None:
        """Edits, a lock, a release, transfers, a share, a deactivated user and a refused command: the log and the history tell of them."""
        for login in ("li", "wu", "mei"):
            id = self.ids[f"of {login} shut"]
            self.world.scope(login).do(locking.lock, [id], self._reason(id, "lock_reason"))
            edited = self.ids[f"of {login}"]
            for _ in range(2):
                remark = self._reason(edited, "remark")
                self.world.scope(login).do(create_update.update, Customer, edited, {"remark": remark})
        for login in ("li", "sam"):
            call = {"customer_id": self.ids["of li"], "kind": "CALL", "happened_at": START}
            self.make(FollowUp, call, self.world.scope(login))
        self._customer("let go", owner_id=self.ids["li"])
        why = self._reason(self.ids["let go"], "version")
        self.world.li.do(releasing.release, [self.ids["let go"]], self.ids["north"], why)
        self._customer("handed on", owner_id=self.ids["ada"])
        why = self._reason(self.ids["handed on"], "version")
        self.world.ada.do(transferring.transfer, [self.ids["handed on"]], self.ids["mei"], why)
        share = {"grantee_kind": GranteeKind.USER, "grantee_id": self.ids["li"], "level": ShareLevel.EDIT}
        with self.world.backend.writer.engine.begin() as connection:
            connection.execute(insert(Share), {**share, "customer_id": self.ids["of mei shared"], "starts_at": START})
        self.world.ada.do(accounts.set_active, [self.ids["former"]], active=False)
        refused = self.world.wu.do(transferring.transfer, [self.ids["of mei"]], self.ids["wu"])
        assert refused.ids == []

    def _reason(self, id: int, key: str) -> str:
        """A text that is shown to users who see this field of the customer."""
        self._count += 1
        return self._mark(f"Zq{self._count:03d}saidq", Customer, id, key)

    def _deletions(self, last: Mapping[type[Base], str]) -> None:
        for login in ("li", "mei"):
            self._delete(self.world.scope(login), Customer, self.ids[f"of {login} gone"])
        for model, kind in reversed(KINDS.items()):
            if last[model] in kind.deleted:
                self._delete(self.world.ada, model, self.ids[last[model]])
        for model, kind in KINDS.items():
            for owner in ("li", "mei") if kind.under_customer is not None else ():
                self._delete(self.world.ada, model, self._child(model, f"of {owner}"))

    def _delete(self, by: Scope, model: type[Entity], id: int) -> None:
        done = by.do(create_update.delete, model, [id])
        assert done.problems == [], (model, done.problems)


def _create(by: Scope, model: type[Base], values: Mapping[str, Any]) -> int:
    try:
        id: int = by.do(create_update.create, model, values).id
    except Refusal as refusal:
        sentence = f"{FILE}, KINDS and TEXTS: no {model.__name__} can be created of {dict(values)}"
        raise AssertionError(f"{sentence}: {refusal.say('en')}") from refusal
    return id


def _canaries(model: type[Base], n: int) -> dict[str, Any]:
    """Column -> a text of its own, or an amount of money."""
    amounts = [c.key for c in columns(model) if isinstance(c.type, Money) and not trait_of(c).system_managed]
    words = {key: TEXTS.get(key, f"Zq{{n:03d}}{key.replace('_', '')}q").format(n=n) for key in free_texts(model)}
    return {**words, **{key: Decimal(f"7{n:03d}1.23") for key in amounts}}


def make_hostile(world: World) -> None:
    """Fill the small world with a record of every kind that holds code in each text."""
    world.system.do(create_update.update, User, world.ids["li"], {"name": f"Li {HOSTILE}"})
    world.system.do(create_update.update, models.Organisation, 1, {"name": HOSTILE, "support_contact": HOSTILE})
    world.system.do(create_update.update, models.Pool, world.ids["north"], {"name": HOSTILE, "description": HOSTILE})
    forms = {"phone": "13000000000", "email": f"{HOSTILE.replace(' ', '')}@x"}
    for model, kind in KINDS.items():
        for values in kind.hostile:
            texts = {key: forms.get(key, HOSTILE) for key in free_texts(model)}
            given = {key: world.ids[value] if isinstance(value, Ref) else value for key, value in values.items()}
            _create(world.system, model, {**texts, **given})
    world.li.do(locking.lock, [1], HOSTILE)
    world.li.do(locking.unlock, [1], HOSTILE)
    world.li.do(releasing.release, [1], world.ids["north"], HOSTILE)
    world.ada.do(create_update.update, Customer, 2, {"name": f"{HOSTILE}!"})
