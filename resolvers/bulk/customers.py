"""Many new customers: places, numbers, duplicates, capacity, ownership periods and first contacts, each for all at once."""

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property, partial
from operator import itemgetter
from types import SimpleNamespace
from typing import Any

from sqlalchemy.orm import Session

from models import ADD_EVENT, Contact, ContactPoint, Customer, User
from models.audit.recording import record_new
from models.contact import PointKind
from models.duplicate_key import CUSTOMER_TRAITS, contact_traits, customer_traits, rows_of
from models.errors import Duplicate
from models.search import doc_id, doc_of_contact, doc_of_customer, put_docs
from models.search_customs import custom_texts

from ..customers import approval
from ..customers import customer as rules
from ..customers.stages import check_new_customer
from ..duplicates.doubts import in_doubt
from ..duplicates.enforcement import traits_of_new
from ..duplicates.key_index import put as put_keys
from ..ownership.capacity import capacity_reached, reserve_capacities
from ..ownership.periods import begin_all
from ..ownership.release_book import book_of
from ..people.people import active_user
from ..records.numbering import hold_counter, numbered, pattern_of
from ..runtime.scope import Scope
from .drafts import Draft, noting
from .insert import completed, put, reserve
from .kinds import Kind


class Customers(Kind):
    """What `CustomerRules` asks and does, for many new customers."""

    model = Customer

    def __init__(self, scope: Scope, db: Session) -> None:
        super().__init__(scope, db)
        self._owners: dict[int, User] = {}
        self._open_pools: set[int] = set()
        self._contacts: dict[int, _First] = {}

    # -- the rules --------------------------------------------------------------------------------------------

    def prepare(self, draft: Draft) -> None:
        rules.place(self.scope, draft.values, self._owner, self._check_pool)
        rules.check_contact(draft.extra, is_needed=self._contact_is_needed)
        draft.has_rule_ahead = bool(draft.values.get("number"))  # which may be taken
        draft.values["number"] = draft.values.get("number") or ""
        if self._needs_approval:
            draft.values.update(approval.pending(self.scope))

    def check(self, draft: Draft) -> None:
        rules.check_reach(draft.values)
        check_new_customer(self.scope, self.db, draft.values)

    def judge(self, drafts: Sequence[Draft]) -> None:
        if any(not draft.values["number"] for draft in drafts):
            hold_counter(self.scope, self.db, "customer")
        asked = [traits_of_new(draft.values, draft.extra) for draft in drafts]
        for place in in_doubt(self.scope, self.db, Customer, asked, note=noting(drafts)):
            drafts[place].is_doubtful = True

    def complete(self, drafts: Sequence[Draft]) -> None:
        given = [draft.given.get("number") and draft.values["number"] for draft in drafts]
        pattern = pattern_of(self.db, "customer")
        for draft, found in zip(drafts, numbered(self.scope, self.db, "customer", given), strict=True):
            draft.has_rule_ahead = False
            if isinstance(found, Duplicate):
                draft.refuse(found)
                continue
            draft.values["number"], draft.values["number_order"] = found.number, pattern.order(found.number)
            draft.notices = [found.notice] if found.notice else []
            self._date(draft)

    @cached_property
    def _needs_approval(self) -> bool:
        return approval.is_asked_for(self.scope, self.db)

    @cached_property
    def _contact_is_needed(self) -> bool:
        return rules.contact_is_needed(self.db)

    def _owner(self, user_id: int) -> User:
        if user_id not in self._owners:
            self._owners[user_id] = active_user(self.scope, self.db, user_id)
        return self._owners[user_id]

    def _check_pool(self, pool_id: int) -> None:
        if pool_id not in self._open_pools:
            rules.check_open(self.db, pool_id)
            self._open_pools.add(pool_id)

    def _date(self, draft: Draft) -> None:
        book, now = self._book, self.scope.person.now
        if book.terms:
            row = SimpleNamespace(**completed(self.scope, Customer, draft.values, 0))
            due = book.due(self.db.connection(), row, now)
            draft.values["release_due_at"], draft.values["release_rule_id"] = due

    @cached_property
    def _book(self) -> Any:
        return book_of(self.db)

    def doubt_changes(self, drafts: Sequence[Draft]) -> None:
        changed = [
            x
            for x in drafts
            if any(x.values.get(key, x.before.get(key)) != x.before.get(key) for key in CUSTOMER_TRAITS)
        ]
        asked = [traits_of_new({**_traits_of(x.record), **x.values}, {}) for x in changed]
        for place in in_doubt(self.scope, self.db, Customer, asked, [x.that for x in changed]):
            changed[place].is_doubtful = True

    # -- what follows -----------------------------------------------------------------------------------------

    def follow(self, drafts: Sequence[Draft]) -> None:
        now = self.scope.person.now
        owners = {draft.id: owner for draft in drafts if (owner := draft.values.get("owner_id")) is not None}
        if owners:
            begin_all(self.db, owners, rules.began_by(self.db), now)
        self._tell_pools([draft for draft in drafts if draft.id not in owners])
        self._write_contacts([draft for draft in drafts if draft.extra.get("contact_name")])
        self._index(drafts)

    def log(self, draft: Draft) -> None:
        if (first := self._contacts.get(draft.id)) is not None:
            record_new(self.db, Contact, first.row, first.logged())

    def fit(self, drafts: Sequence[Draft]) -> bool:
        mine: dict[int, list[Draft]] = defaultdict(list)
        for draft in drafts:
            if (owner_id := draft.values.get("owner_id")) is not None:
                mine[owner_id].append(draft)
        for owner_id, wanted in sorted(mine.items(), key=itemgetter(0)):
            for draft in wanted[reserve_capacities(self.db, owner_id, len(wanted)) :]:
                draft.refuse(capacity_reached(self.db, self._owners[owner_id]))
        return all(draft.verdict is None for draft in drafts)

    def _tell_pools(self, drafts: Sequence[Draft]) -> None:
        now, action = self.scope.now(), self.db.info["signature"].action
        told = [
            {"at": now, "topic": f"pool:{draft.values['pool_id']}", "action": action, "record_id": draft.id}
            for draft in drafts
        ]
        if told:
            ADD_EVENT.run_each(self.db.connection(), told)

    def _write_contacts(self, drafts: Sequence[Draft]) -> None:
        connection = self.db.connection()
        made = partial(completed, self.scope, Contact)
        ids = reserve(connection, Contact, len(drafts))
        self._contacts = {
            draft.id: _First(
                made(rules.first_contact(draft.id, draft.extra), id), list(rules.first_points(draft.extra))
            )
            for draft, id in zip(drafts, ids, strict=True)
        }
        put(connection, Contact, [first.row for first in self._contacts.values()])
        points = [{"contact_id": first.row["id"], **x} for first in self._contacts.values() for x in first.points]
        put(connection, ContactPoint, points)

    def _index(self, drafts: Sequence[Draft]) -> None:
        connection = self.db.connection()
        rows, firsts = [draft.row for draft in drafts], self._contacts.values()
        texts = custom_texts(connection, Customer.module, [row.get("custom") for row in rows])
        docs = [
            doc_of_customer(row["id"], row["number"], row["name"], row["phone"], row["email"], held)
            for row, held in zip(rows, texts, strict=True)
        ]
        docs += [first.doc() for first in firsts]
        put_docs(connection, docs)
        traits = [(doc_id(row["id"]), customer_traits(*(row[key] for key in CUSTOMER_TRAITS))) for row in rows]
        put_keys(connection, rows_of([*traits, *(first.traits() for first in firsts)]))


def _traits_of(row: Customer) -> dict[str, Any]:
    return {key: getattr(row, key) for key in CUSTOMER_TRAITS}


class _First:
    """The contact that came with a customer."""

    def __init__(self, row: dict[str, Any], points: list[dict[str, Any]]) -> None:
        self.row, self.points = row, points

    def logged(self) -> dict[str, list[Any]]:
        """What the log says of its phone and its address."""
        return {PointKind(point["kind"]).lower(): [None, point["value"]] for point in self.points}

    def doc(self) -> dict[str, Any]:
        keys = ((point["kind"], point["value_key"]) for point in self.points)
        return doc_of_contact(self.row["customer_id"], self.row["id"], self.row["name"], keys)

    def traits(self) -> Any:
        customer_id, values = self.row["customer_id"], [(point["kind"], point["value"]) for point in self.points]
        return doc_id(customer_id, self.row["id"]), contact_traits(customer_id, self.row["name"], values)
