"""Many new opportunities and follow-ups: their customers, their authors, and which follow-ups count."""

from collections.abc import Sequence
from types import SimpleNamespace

from models import Customer, FollowUp, Opportunity
from models.counting import copy_key
from models.follow_up_errors import uncounted
from models.last_contact import follow_new
from models.stage_terms import follow

from ..customers import follow_ups as rules
from ..customers.activities import OF_THE_SAME_CUSTOMER, customers_of, refusals_of_unapproved
from ..customers.stages import check_new_opportunity, place_in_pipeline
from ..ownership.release_dates import note_opportunities, renew
from ..records.organisation import currency_of
from ..runtime.rights_on_many import allowed
from ..runtime.write_guard import is_import
from .drafts import Doubt, Draft, each_open
from .kinds import Kind


class Activities(Kind):
    """What `Activity` asks, for many new records."""

    def prepare(self, draft: Draft) -> None:
        draft.values.setdefault("owner_id", self.scope.person.id)

    def check(self, draft: Draft) -> None:
        if draft.values.get("owner_id") not in (None, self.scope.person.id):
            self.check_owner()
        if draft.values.get("currency") is not None:
            draft.values["currency"] = currency_of(draft.values["currency"])

    def check_owner(self) -> None:
        """Raise Doubt for an owner who is not the caller, unless that is asked for all at once."""
        raise Doubt

    def judge(self, drafts: Sequence[Draft]) -> None:
        for model, key in OF_THE_SAME_CUSTOMER:
            naming = [(draft, id) for draft in drafts if (id := draft.values.get(key)) is not None]
            of = customers_of(self.db, model, {id for _, id in naming})
            for draft, id in naming:
                draft.is_doubtful |= of.get(id) != draft.values["customer_id"]


class Opportunities(Activities):
    """Of an opportunity, its customer notes when it was opened, and whether it is open or won."""

    model = Opportunity

    def prepare(self, draft: Draft) -> None:
        super().prepare(draft)
        place_in_pipeline(self.db, draft.values)

    def check(self, draft: Draft) -> None:
        super().check(draft)
        check_new_opportunity(self.scope, self.db, draft.values)

    def judge(self, drafts: Sequence[Draft]) -> None:
        super().judge(drafts)
        unapproved = refusals_of_unapproved(self.db, {draft.values["customer_id"] for draft in drafts})
        for draft in drafts:
            draft.is_doubtful |= draft.values["customer_id"] in unapproved

    def complete(self, drafts: Sequence[Draft]) -> None:
        now = self.db.info["now"]
        for draft in drafts:
            given = draft.values.get("probability") is not None
            draft.values.update(follow(self.db, draft.values, since=now, probability_given=given))

    def follow(self, drafts: Sequence[Draft]) -> None:
        ids = sorted({draft.row["customer_id"] for draft in drafts})
        note_opportunities(self.db, ids)
        renew(self.db, ids)


class FollowUps(Activities):
    """What `FollowUpRules` asks, for many new follow-ups.  A text that is copied within a chunk is left in doubt."""

    model = FollowUp

    def check_owner(self) -> None:
        if not is_import(self.db):
            raise Doubt

    def judge(self, drafts: Sequence[Draft]) -> None:
        super().judge(drafts)
        if is_import(self.db):
            self._doubt_authors(drafts)
        else:
            self._doubt_copies(drafts)
        wanted = [draft for draft in drafts if draft.is_open]
        found = rules.terms_of_new(self.scope, self.db, [draft.values for draft in wanted])
        terms = {id(draft): each for draft, each in zip(wanted, found, strict=True)}
        each_open(wanted, lambda draft: self._count(draft, terms[id(draft)]))

    def follow(self, drafts: Sequence[Draft]) -> None:
        follow_new(self.db, [draft.row for draft in drafts])

    def doubt_changes(self, drafts: Sequence[Draft]) -> None:
        for draft in drafts:
            draft.is_doubtful |= not rules.JUDGED.isdisjoint(draft.values)  # whether it counts depends on the others

    def _doubt_authors(self, drafts: Sequence[Draft]) -> None:
        others = [draft for draft in drafts if draft.values.get("owner_id") not in (None, self.scope.person.id)]
        may = allowed(self.db, Customer, {draft.values["customer_id"] for draft in others}, "import")
        for draft in others:
            draft.is_doubtful |= draft.values["customer_id"] not in may

    def _doubt_copies(self, drafts: Sequence[Draft]) -> None:
        seen = set[str]()
        for draft in drafts:
            key = copy_key(draft.values["content"])
            draft.is_doubtful |= key in seen
            seen.add(key)

    def _count(self, draft: Draft, terms: rules.Terms) -> None:
        values = draft.values
        rules.check_time(self.scope, values["happened_at"], terms)
        if is_import(self.db):
            values["counts"] = False
            return
        why = rules.objection(self.scope, SimpleNamespace(**values), terms, terms.owned_since)
        values["counts"] = why is None
        draft.notices = [uncounted(why, terms.rule)] if why is not None else []
