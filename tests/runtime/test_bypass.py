"""What goes past the read guard says why: the reasons are a short list, and each use of one is counted here."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import bindparam, delete, insert, select

from millpond.package_conflicts import PACKAGES
from models import Contact, Customer, Event, QuotaCounter
from models.database.bypass import OPTION, Because, bypass_policy
from models.database.engines import WriteSession
from models.database.prepared import Prepared
from policies import Snapshot
from resolvers.runtime.statement_guard import PolicyBypassed
from tests.support.world import World

ROOT = Path(__file__).resolve().parents[2]
MOST_REASONS = 12

USES = {
    Because.APPLIES_TO_ALL: 29,
    Because.COUNTS_OWN_RECORDS: 3,
    Because.COUNTS_FOR_POOL: 2,
    Because.FILLS_INDEX: 10,
    Because.FOLLOWS_CHECK: 35,
    Because.JUDGES_RIGHTS: 34,
    Because.KEEPS_COPY: 16,
    Because.KEEPS_RULE: 46,
    Because.LOCKS_ROWS: 7,
    Because.NAMES_REFUSAL: 1,
    Because.WARNS_OF_DUPLICATE: 3,
    Because.WRITES_LOG: 10,
}
"""How often each reason is given.  A new bypass changes a number here, and its review asks whether it has to be one."""


def _uses(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Because"
    ]


def test_every_bypass_is_counted_by_its_reason() -> None:
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    used = Counter(Because[name] for path in files for name in _uses(path))

    assert used == USES


def test_nothing_but_the_guard_and_the_reasons_knows_the_option() -> None:
    named = re.compile(rf"\bOPTION\b|[\"']{OPTION}[\"']")
    known = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if named.search(path.read_text(encoding="utf-8"))
    }

    assert known == {"models/database/bypass.py", "resolvers/runtime/read_guard.py"}


def test_the_reasons_are_few_and_each_is_a_sentence() -> None:
    assert len(Because) <= MOST_REASONS
    assert all(re.fullmatch(r"[A-Z][^.]{20,120}\.", reason) for reason in Because)


def test_a_session_is_guarded_unless_a_reason_is_given(world: World) -> None:
    world.customer("Acme", owner="li")

    def count(options: dict[str, object]) -> int:
        nobody = {"principal": None, "policy": Snapshot("")}
        with world.backend.writer.engine.connect() as connection, WriteSession(connection, info=nobody) as db:
            return len(db.execute(select(Customer.id), execution_options=options).all())

    assert (count({}), count(bypass_policy(Because.WRITES_LOG))) == (0, 1)


@pytest.mark.parametrize(
    "statement",
    [
        select(Customer.__table__.c.id),
        select(Event.id).where(Event.record_id.in_(select(Customer.__table__.c.id))),
        insert(Customer),
        delete(Contact).where(Contact.id == bindparam("id")),
    ],
)
def test_a_prepared_statement_about_protected_records_needs_a_reason(world: World, statement: object) -> None:
    with world.backend.writer.engine.connect() as connection, pytest.raises(PolicyBypassed, match="stands where no"):
        Prepared(statement).run(connection, id=1)


def test_a_prepared_statement_needs_none_with_the_policy_in_it_or_about_what_has_none(world: World) -> None:
    judged = select(Customer.__table__.c.id).execution_options(policy=True)

    with world.backend.writer.engine.connect() as connection:
        assert Prepared(judged).rows(connection) == []
        assert Prepared(select(QuotaCounter.used)).rows(connection) == []
        assert Prepared(select(Customer.__table__.c.id), because=Because.WRITES_LOG).rows(connection) == []
