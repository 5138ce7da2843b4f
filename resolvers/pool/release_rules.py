"""Release rules: what a rule may say, its rehearsal, and switching it on."""

from typing import Any, ClassVar

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import Customer, ReleaseRule
from models.database.bypass import Because, bypass_policy
from models.errors import NotRehearsed, Validation
from models.release_rule import CONDITIONS

from ..runtime.form_terms import FormTerms
from ..runtime.inputs import out_of_range
from ..runtime.lifecycle import Rules
from ..runtime.scope import Scope
from ..runtime.write_guard import permit

LONGEST_DAYS = 3_650


class ReleaseRuleRules(Rules[ReleaseRule]):
    """A rule says whom it is about; it is off after each change of what it says, until it is rehearsed again."""

    form: ClassVar[FormTerms] = FormTerms(
        one_of=(("everybody", *CONDITIONS.values()),),
        excluding=tuple(("everybody", key) for key in CONDITIONS.values()),
        bounds=dict.fromkeys(("days", "extension_days", "remind_days", "remind_again_days"), (1, LONGEST_DAYS)),
    )

    def check(self, scope: Scope, db: Session, row: ReleaseRule, values: dict[str, Any]) -> None:
        for key in ("days", "extension_days", "remind_days", "remind_again_days"):
            if (days := getattr(row, key)) is not None and not 0 < days <= LONGEST_DAYS:
                raise out_of_range(key, 1, LONGEST_DAYS)
        named = any(getattr(row, key) for key in CONDITIONS.values())
        if not (row.everybody or named):
            raise Validation(
                "Say which customers the rule is about: all of them, or those with certain words.",
                "请说明规则适用的客户：全部客户，或符合所选条件的客户。",
                field="everybody",
            )
        if row.everybody and named:
            raise Validation(
                "The rule is about all customers, so it cannot name some. Leave out the one or the other.",
                "规则已适用于全部客户，不能同时指定条件，请二选一。",
                field="everybody",
            )

    def changed(
        self, scope: Scope, db: Session, row: ReleaseRule, before: dict[str, Any], extra: dict[str, Any]
    ) -> None:
        """Switch off a rule that says something else than what was rehearsed."""
        if row.enabled and row.rehearsed_terms != row.terms():
            row.enabled = False
            db.flush()

    def deleted(self, scope: Scope, db: Session, row: ReleaseRule) -> None:
        row.enabled = False

    def purged(self, scope: Scope, db: Session, row: ReleaseRule) -> None:
        holding: Any = Customer.__table__
        db.connection().execute(
            update(holding).where(holding.c.release_rule_id == row.id).values(release_rule_id=None),
            execution_options=bypass_policy(Because.KEEPS_COPY),
        )


def note_rehearsal(scope: Scope, id: int, terms: str) -> None:
    """Note that the caller has seen what the rule does.  `terms`: what it said then.  Raises NotFound, Forbidden."""
    with scope.write("pool.rehearse") as db:
        row = scope.load(db, ReleaseRule, id, to="edit")
        permit(db, row, "rehearse")
        row.rehearsed_by_id, row.rehearsed_at, row.rehearsed_terms = scope.me, scope.person.now, terms


def switch(scope: Scope, id: int, *, on: bool) -> ReleaseRule:
    """Put a rule in force, or out of force.  Raises NotFound, Forbidden, InBin, NotRehearsed."""
    with scope.write("pool.switch") as db:
        row = scope.load(db, ReleaseRule, id, to="edit")
        permit(db, row, "switch")
        if on and (row.rehearsed_by_id != scope.me or row.rehearsed_terms != row.terms()):
            raise NotRehearsed(label=row.label)
        row.enabled = on
        return row


def seen(_scope: Scope, db: Session, id: int) -> ReleaseRule | None:
    """The rule, if the caller may see it and it is not in the bin.  Under the read guard."""
    wanted = select(ReleaseRule).where(ReleaseRule.id == id, ReleaseRule.deleted_at.is_(None))
    return db.execute(wanted).scalar_one_or_none()
