"""Candidates: the records that share a key with what is entered, from all records, whoever may see them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, bindparam, select, union_all
from sqlalchemy.orm import Session

from models import Base, Contact, Customer, DuplicateRule
from models.database.bypass import Because, bypass_policy
from models.database.prepared import Prepared
from models.duplicate_key import keys, traits_of_contacts, traits_of_customers
from models.duplicates import DEFAULTS, Evidence, Finding, Traits, Verdict, assess, hashed, keys_of
from models.search import SPAN

MOST_OF_A_KEY = 50
"""Maximum number of records that are looked at for one key, the newest first."""
MOST_KEYS = 60
"""Maximum number of keys that are looked up, those that say most first."""


def verdicts_of(db: Session, module: str) -> dict[Evidence, Verdict]:
    """What each kind of evidence counts for, as administrators decided."""
    return DEFAULTS[module] | dict(_RULES.rows(db, module=module))


_rules: Any = DuplicateRule.__table__.c
_RULES = Prepared(
    select(_rules.evidence, _rules.verdict).where(
        _rules.for_module == bindparam("module"), _rules.deleted_at.is_(None)
    ),
    because=Because.APPLIES_TO_ALL,
)


def find(db: Session, model: type[Base], asked: Traits, but: int | None = None) -> list[Finding[int]]:
    """What is probably the same as `asked`: findings about ids of `model`, without the record `but` itself.

    A record that became part of another one leads to that one.  Two queries for the keys and the rules, and up to five
    for the records.
    """
    verdicts = verdicts_of(db, model.module)
    if counts_for_nothing(verdicts):
        return []
    docs = docs_with(db, [hashed(key) for key in keys_of(asked)])
    found = _customers(db, docs) if model is Customer else _contacts(db, docs)
    return judged(asked, found, standing(db, model, found), verdicts, but)


def counts_for_nothing(verdicts: Mapping[Evidence, Verdict]) -> bool:
    return all(verdict is Verdict.NOTHING for verdict in verdicts.values())


def judged(
    asked: Traits,
    found: Mapping[int, Traits],
    stands: Mapping[int, int],
    verdicts: Mapping[Evidence, Verdict],
    but: int | None = None,
) -> list[Finding[int]]:
    """What is probably the same among candidates, each record once, the oldest of equals first.

    `stands`: as `standing` returns it.
    """
    others = [(that, traits) for id, traits in sorted(found.items()) if (that := stands.get(id, id)) != but]
    assessed = assess(asked, others, verdicts)
    return [x for n, x in enumerate(assessed) if x.that not in {before.that for before in assessed[:n]}]


def docs_with(db: Session, wanted: Sequence[int]) -> set[int]:
    """The ids of docs that have one of these hashed keys."""
    wanted = wanted[:MOST_KEYS]
    if not wanted:
        return set()
    room = next(size for size in (4, 12, 24, MOST_KEYS) if len(wanted) <= size)
    given = {f"key{n}": wanted[min(n, len(wanted) - 1)] for n in range(room)}
    return {doc for (doc,) in _lookup(room).rows(db, **given)}


@lru_cache
def _lookup(room: int) -> Prepared:
    """SELECT of docs by so many keys, each limited by itself, so that none crowds out another."""
    return Prepared(union_all(*(select(_newest(n).subquery().c.doc_id) for n in range(room))))


def _newest(n: int) -> Select[Any]:
    wanted = select(keys.c.doc_id).where(keys.c.key == bindparam(f"key{n}"))
    return wanted.order_by(keys.c.doc_id.desc()).limit(MOST_OF_A_KEY)


def _customers(db: Session, docs: Iterable[int]) -> dict[int, Traits]:
    """Customer id -> its traits, with the phones and addresses of those contacts among the docs."""
    by_customer: dict[int, list[int]] = defaultdict(list)
    for doc in docs:
        by_customer[doc // SPAN].append(doc % SPAN)
    contacts = [contact_id for found in by_customer.values() for contact_id in found if contact_id]
    people: dict[int, list[Traits]] = defaultdict(list)
    table: Any = Contact.__table__
    if contacts:
        for doc, traits in traits_of_contacts(db, table.c.id.in_(contacts) & table.c.deleted_at.is_(None)):
            people[doc // SPAN].append(traits)
    customer: Any = Customer.__table__
    own = traits_of_customers(db, customer.c.id.in_(by_customer)) if by_customer else ()
    return {doc // SPAN: joined(traits, people[doc // SPAN]) for doc, traits in own}


def standing(db: Session, model: type[Base], ids: Iterable[int]) -> dict[int, int]:
    """Id -> the record that stands for it, of records that were merged away."""
    table: Any = model.__table__
    asked = select(table.c.id, table.c.merged_into_id).where(table.c.id.in_(ids), table.c.merged_into_id.is_not(None))
    found = db.execute(asked, execution_options=bypass_policy(Because.WARNS_OF_DUPLICATE)) if ids else ()
    return {row.id: row.merged_into_id for row in found}


def joined(customer: Traits, people: Sequence[Traits]) -> Traits:
    """The traits of a customer with the phones and addresses of these contacts of it."""
    phones = (*customer.phones, *(phone for one in people for phone in one.phones))
    emails = (*customer.emails, *(email for one in people for email in one.emails))
    return Traits(customer.name, phones, emails, customer.registration)


def _contacts(db: Session, docs: Iterable[int]) -> dict[int, Traits]:
    table: Any = Contact.__table__
    ids = [doc % SPAN for doc in docs if doc % SPAN]
    return {doc % SPAN: traits for doc, traits in traits_of_contacts(db, table.c.id.in_(ids))} if ids else {}
