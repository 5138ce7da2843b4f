"""Many new contacts, with their phones and addresses."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from models import Contact, ContactPoint
from models.audit.entries import Changes
from models.contact import PointKind, key_of
from models.duplicate_key import contact_traits, rows_of, traits_of_contacts
from models.duplicates import Traits
from models.errors import Validation
from models.search import doc_id, doc_of_contact, put_docs
from models.search_customs import custom_texts

from ..customers.contacts import note_points, points_given, set_points, with_primary
from ..duplicates.doubts import in_doubt
from ..duplicates.key_index import put as put_keys
from .drafts import Doubt, Draft, noting
from .insert import put
from .kinds import Kind

_POINTS = "points given"
"""Where a draft keeps its phones and addresses, checked."""


class Contacts(Kind):
    """What `ContactRules` asks and does, for many new contacts.

    A contact and its phones are one entry of the log, where the single use case writes two.
    """

    model = Contact

    def check(self, draft: Draft) -> None:
        if draft.values.get("owner_id") not in (None, self.scope.person.id):
            raise Doubt
        draft.has_rule_ahead = True  # the single use case asks for rights first
        draft.extra[_POINTS] = points_given(draft.extra.get("points") or ())
        draft.has_rule_ahead = False

    def judge(self, drafts: Sequence[Draft]) -> None:
        self._doubt_primaries([draft for draft in drafts if draft.values.get("is_primary")])
        asked = [self._traits(draft, draft.values) for draft in drafts]
        for place in in_doubt(self.scope, self.db, Contact, asked, note=noting(drafts)):
            drafts[place].is_doubtful = True

    def doubt_changes(self, drafts: Sequence[Draft]) -> None:
        for draft in drafts:
            draft.is_doubtful |= bool(draft.values.get("is_primary"))
        compared = [draft for draft in drafts if "name" in draft.values or "points" in draft.extra]
        stored = dict(traits_of_contacts(self.db, Contact.id.in_([draft.that for draft in compared])))
        asked = [self._changed_traits(draft, stored) for draft in compared]
        for place in in_doubt(self.scope, self.db, Contact, asked, [draft.that for draft in compared]):
            compared[place].is_doubtful = True

    def changed(self, draft: Draft) -> None:
        if "points" in draft.extra and set_points(self.db, draft.record, draft.extra["points"] or ()):
            note_points(self.db, draft.record, draft.before)

    def follow(self, drafts: Sequence[Draft]) -> None:
        connection = self.db.connection()
        put(connection, ContactPoint, [point for draft in drafts for point in _points(draft)])
        texts = custom_texts(connection, Contact.module, [draft.row.get("custom") for draft in drafts])
        put_docs(connection, [_doc(draft, held) for draft, held in zip(drafts, texts, strict=True)])
        traits = [(doc_id(draft.row["customer_id"], draft.id), self._traits(draft, draft.row)) for draft in drafts]
        put_keys(connection, rows_of(traits))

    def parts_of(self, draft: Draft) -> Changes:
        by_kind: dict[str, list[str]] = {}
        for kind, value in draft.extra[_POINTS]:
            by_kind.setdefault(PointKind(kind).lower(), []).append(value)
        return {kind: [None, values if len(values) > 1 else values[0]] for kind, values in by_kind.items()}

    def _doubt_primaries(self, drafts: Sequence[Draft]) -> None:
        taken = with_primary(self.db, {draft.values["customer_id"] for draft in drafts}) if drafts else set()
        for draft in drafts:
            draft.is_doubtful |= draft.values["customer_id"] in taken
            taken.add(draft.values["customer_id"])

    def _changed_traits(self, draft: Draft, stored: Mapping[int, Traits]) -> Traits:
        row = draft.record
        was, name = stored[doc_id(row.customer_id, row.id)], draft.values.get("name", row.name)
        if "points" not in draft.extra:
            return replace(was, name=name)
        try:
            return contact_traits(row.customer_id, name, points_given(draft.extra["points"] or ()))
        except Validation:
            draft.is_doubtful = True
            return was

    def _traits(self, draft: Draft, values: Any) -> Any:
        return contact_traits(values["customer_id"], values["name"], draft.extra[_POINTS])


def _points(draft: Draft) -> list[dict[str, Any]]:
    return [
        {"contact_id": draft.id, "kind": kind, "value": value, "value_key": key_of(kind, value), "position": position}
        for position, (kind, value) in enumerate(draft.extra[_POINTS])
    ]


def _doc(draft: Draft, customs: Mapping[str, str]) -> dict[str, Any]:
    keys = [(kind, key_of(kind, value)) for kind, value in draft.extra[_POINTS]]
    return doc_of_contact(draft.row["customer_id"], draft.id, draft.row["name"], keys, customs)
