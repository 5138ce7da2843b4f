"""Candidates: the records that share a key with what is entered, from all records, whoever may see them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Protocol

from sqlalchemy import ARRAY, BigInteger, String, bindparam, func, select, type_coerce
from sqlalchemy.orm import Session, aliased

from models import Base, Contact, Customer, DuplicateRule
from models.database.bypass import Because, bypass_policy
from models.database.prepared import Prepared
from models.duplicate_key import DuplicateKey, traits_of_contacts, traits_of_customers
from models.duplicates import DEFAULTS, Evidence, Finding, Traits, Verdict, assess
from models.search import SPAN

MOST_OF_A_KEY = 50
"""Maximum number of records that are looked at for one key, the newest first."""
MOST_KEYS = 60
"""Maximum number of keys that are looked up, those that say most first."""
Docs = Mapping[int, Traits]
"""Doc id -> the traits of its record."""


class Known(Protocol):
    """What is known of candidates: a judgement for a user leaves out what they may not compare with."""

    def customers(self, found: Docs) -> Docs: ...

    def contacts(self, found: Docs) -> Docs: ...

    def people(self, found: Docs) -> Docs:
        """The contacts by which customers are compared, after these."""


class Everything:
    """All is known: what a save is judged by."""

    def customers(self, found: Docs) -> Docs:
        return found

    contacts = people = customers


EVERYTHING = Everything()


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
    """What is probably the same as `asked`, among all that is stored; see `find_many`."""
    return find_many(db, model, [asked], [but])[0]


def find_many(
    db: Session,
    model: type[Base],
    asked: Sequence[Traits],
    but: Sequence[int | None] = (),
    known: Known = EVERYTHING,
) -> list[list[Finding[int]]]:
    """What is probably the same as each of these, in their order: findings about ids of `model`, each without `but`.

    A record that became part of another one leads to that one.  Up to six queries, and those of `known`.
    """
    verdicts = verdicts_of(db, model.module)
    if all(verdict is Verdict.NOTHING for verdict in verdicts.values()):
        return [[] for _ in asked]
    keys = [traits.hashed_keys[:MOST_KEYS] for traits in asked]
    by_key = _docs_by_key(db, {key for wanted in keys for key in wanted})
    docs = [{doc for key in wanted for doc in by_key[key]} for wanted in keys]
    everything: set[int] = set().union(*docs)
    candidates = (_customers if model is Customer else _contacts)(db, everything, known)
    found = [candidates(each) for each in docs]
    stands = _standing(db, model, {id for each in found for id in each})
    without = but or [None] * len(asked)
    each_of = zip(asked, found, without, strict=True)
    return [_judged(traits, each, stands, verdicts, itself) for traits, each, itself in each_of]


# --- steps -----------------------------------------------------------------------------------------------


def _judged(
    asked: Traits,
    found: Mapping[int, Traits],
    stands: Mapping[int, int],
    verdicts: Mapping[Evidence, Verdict],
    but: int | None,
) -> list[Finding[int]]:
    """What is probably the same among candidates, each record once, the oldest of equals first."""
    others = [(that, traits) for id, traits in sorted(found.items()) if (that := stands.get(id, id)) != but]
    assessed = assess(asked, others, verdicts)
    return [x for n, x in enumerate(assessed) if x.that not in {before.that for before in assessed[:n]}]


def _docs_by_key(db: Session, wanted: set[int]) -> Mapping[int, list[int]]:
    """Hashed key -> the newest docs that have it, MOST_OF_A_KEY at most.  One query."""
    found: dict[int, list[int]] = defaultdict(list)
    if wanted:
        is_postgresql = db.get_bind().dialect.name == "postgresql"
        given = sorted(wanted) if is_postgresql else f"[{','.join(map(str, sorted(wanted)))}]"
        for key, doc in (_IN_ARRAY if is_postgresql else _IN_JSON).rows(db, wanted=given):
            found[key].append(doc)
    return found


def _newest_docs(each: Any) -> Prepared:
    """SELECT of (key, doc) of these keys, each limited by itself: the docs from its MOST_OF_A_KEYth newest on."""
    wanted = type_coerce(each.c.value, BigInteger)
    row, newer = aliased(DuplicateKey), aliased(DuplicateKey)
    newest = select(newer.doc_id).where(newer.key == wanted).order_by(newer.doc_id.desc())
    last = newest.offset(MOST_OF_A_KEY - 1).limit(1).correlate(each).scalar_subquery()
    return Prepared(
        select(row.key, row.doc_id).join_from(each, row, row.key == wanted).where(row.doc_id >= func.coalesce(last, 0))
    )


_IN_ARRAY = _newest_docs(
    func.unnest(bindparam("wanted", type_=ARRAY(BigInteger)), type_=BigInteger).table_valued("value").render_derived()
)
_IN_JSON = _newest_docs(func.json_each(bindparam("wanted", type_=String)).table_valued("value"))
_customer: Any = Customer.__table__
_contact: Any = Contact.__table__


def _customers(db: Session, docs: Iterable[int], known: Known) -> Callable[[set[int]], dict[int, Traits]]:
    """Candidates by docs: customer id -> its traits, with the phones and addresses of those contacts among the docs."""
    ids, contact_ids = {doc // SPAN for doc in docs}, {doc % SPAN for doc in docs} - {0}
    own = known.customers(dict(traits_of_customers(db, _customer.c.id.in_(ids)))) if ids else {}
    present = _contact.c.id.in_(contact_ids) & _contact.c.deleted_at.is_(None)
    people = known.people(dict(traits_of_contacts(db, present))) if contact_ids else {}

    @cache  # many rows have the same candidates, whose keys are computed once
    def joined(id: int, found: tuple[int, ...]) -> Traits:
        return _joined(own[id * SPAN], [people[doc] for doc in found])

    def candidates(mine: set[int]) -> dict[int, Traits]:
        by_customer: dict[int, list[int]] = {doc // SPAN: [] for doc in mine if doc // SPAN * SPAN in own}
        for doc in sorted(mine & people.keys()):
            by_customer[doc // SPAN].append(doc)
        return {id: joined(id, tuple(found)) for id, found in by_customer.items()}

    return candidates


def _contacts(db: Session, docs: Iterable[int], known: Known) -> Callable[[set[int]], dict[int, Traits]]:
    ids = {doc % SPAN for doc in docs} - {0}
    people = known.contacts(dict(traits_of_contacts(db, _contact.c.id.in_(ids)))) if ids else {}
    return lambda mine: {doc % SPAN: people[doc] for doc in mine & people.keys()}


def _joined(customer: Traits, people: Sequence[Traits]) -> Traits:
    """The traits of a customer with the phones and addresses of these contacts of it."""
    phones = (*customer.phones, *(phone for one in people for phone in one.phones))
    emails = (*customer.emails, *(email for one in people for email in one.emails))
    return Traits(customer.name, phones, emails, customer.registration)


def _standing(db: Session, model: type[Base], ids: Iterable[int]) -> dict[int, int]:
    """Id -> the record that stands for it, of records that were merged away."""
    table: Any = model.__table__
    asked = select(table.c.id, table.c.merged_into_id).where(table.c.id.in_(ids), table.c.merged_into_id.is_not(None))
    found = db.execute(asked, execution_options=bypass_policy(Because.WARNS_OF_DUPLICATE)) if ids else ()
    return {row.id: row.merged_into_id for row in found}
