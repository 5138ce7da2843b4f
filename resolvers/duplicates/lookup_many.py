"""Candidates of many customers or contacts at once: the same judgement as `find`, in a constant number of queries."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, String, bindparam, func, select, type_coerce
from sqlalchemy.orm import Session, aliased

from models import Base, Contact, Customer
from models.duplicate_key import DuplicateKey, traits_of_contacts, traits_of_customers
from models.duplicates import Finding, Traits, hashed, keys_of
from models.search import SPAN

from .lookup import MOST_KEYS, MOST_OF_A_KEY, counts_for_nothing, joined, judged, standing, verdicts_of

_customer: Any = Customer.__table__
_contact: Any = Contact.__table__


def find_many(db: Session, model: type[Base], asked: Sequence[Traits]) -> list[list[Finding[int]]]:
    """What is probably the same as each of these, in their order; see `find`.  Up to six queries."""
    verdicts = verdicts_of(db, model.module)
    if counts_for_nothing(verdicts):
        return [[] for _ in asked]
    keys = [[hashed(key) for key in keys_of(traits)[:MOST_KEYS]] for traits in asked]
    by_key = _docs_by_key(db, {key for wanted in keys for key in wanted})
    docs = [{doc for key in wanted for doc in by_key[key]} for wanted in keys]
    everything: set[int] = set().union(*docs)
    candidates = _customers_in(db, everything) if model is Customer else _contacts_in(db, everything)
    found = [candidates(each) for each in docs]
    stands = standing(db, model, {id for each in found for id in each})
    return [judged(traits, each, stands, verdicts) for traits, each in zip(asked, found, strict=True)]


def _docs_by_key(db: Session, wanted: set[int]) -> dict[int, list[int]]:
    """Hashed key -> the newest docs that have it, MOST_OF_A_KEY at most.  One query."""
    found: dict[int, list[int]] = defaultdict(list)
    for key, doc in db.execute(_looked_up(db), {"wanted": _given(db, wanted)}) if wanted else ():
        found[key].append(doc)
    return found


def _given(db: Session, wanted: set[int]) -> Any:
    return sorted(wanted) if _is_postgresql(db) else f"[{','.join(map(str, sorted(wanted)))}]"


def _is_postgresql(db: Session) -> bool:
    return db.get_bind().dialect.name == "postgresql"


def _looked_up(db: Session) -> Any:
    """SELECT of (key, doc) from the newest docs of each key: those from the MOST_OF_A_KEYth on."""
    if _is_postgresql(db):
        each = func.unnest(bindparam("wanted", type_=ARRAY(BigInteger))).table_valued("value").render_derived()
    else:
        each = func.json_each(bindparam("wanted", type_=String)).table_valued("value")
    wanted = type_coerce(each.c.value, BigInteger)
    row, newer = aliased(DuplicateKey), aliased(DuplicateKey)
    newest = select(newer.doc_id).where(newer.key == wanted).order_by(newer.doc_id.desc())
    last = newest.offset(MOST_OF_A_KEY - 1).limit(1).correlate(each).scalar_subquery()
    return (
        select(row.key, row.doc_id).join_from(each, row, row.key == wanted).where(row.doc_id >= func.coalesce(last, 0))
    )


def _customers_in(db: Session, docs: Iterable[int]) -> Callable[[set[int]], dict[int, Traits]]:
    """Candidates by docs: customer id -> its traits, with what those contacts say that are among the docs."""
    ids, contact_ids = {doc // SPAN for doc in docs}, {doc % SPAN for doc in docs} - {0}
    own = {doc // SPAN: traits for doc, traits in traits_of_customers(db, _customer.c.id.in_(ids))} if ids else {}
    present = _contact.c.id.in_(contact_ids) & _contact.c.deleted_at.is_(None)
    people = dict(traits_of_contacts(db, present)) if contact_ids else {}

    def candidates(mine: set[int]) -> dict[int, Traits]:
        by_customer: dict[int, list[Traits]] = {doc // SPAN: [] for doc in mine if doc // SPAN in own}
        for doc in mine & people.keys():
            by_customer[doc // SPAN].append(people[doc])
        return {id: joined(own[id], found) for id, found in by_customer.items()}

    return candidates


def _contacts_in(db: Session, docs: Iterable[int]) -> Callable[[set[int]], dict[int, Traits]]:
    ids = {doc % SPAN for doc in docs} - {0}
    people = dict(traits_of_contacts(db, _contact.c.id.in_(ids))) if ids else {}
    return lambda mine: {doc % SPAN: people[doc] for doc in mine & people.keys()}
