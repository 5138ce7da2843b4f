"""What a new installation starts with, on both engines."""

from collections import Counter
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, select, text

from millpond import database, migrate
from millpond.database import opened
from models import (
    AuditEntry,
    Customer,
    Dictionary,
    DictionaryItem,
    NumberRule,
    Organisation,
    PolicyRevision,
    Pool,
    Role,
)
from models.database.engines import writing_engine
from policies import STARTER, Snapshot, parse
from resolvers.audit.replay import Comparison
from resolvers.records import create_update
from resolvers.runtime.backend import Backend
from resolvers.setup.install import ROLES, install, starter_words
from tests.support.world import World

DICTIONARIES = {
    "category": 12,
    "industry": 17,
    "level": 4,
    "lost_reason": 8,
    "opportunity_stage": 6,
    "region": 9,
    "source": 10,
    "stage": 9,
}


@pytest.fixture
def backend(new_url: str) -> Iterator[Backend]:
    with opened(new_url) as backend:
        yield backend


def test_a_new_installation_has_its_organisation_policy_roles_words_and_number_rule(backend: Backend) -> None:
    assert rows(backend, Organisation, "id", "name", "time_zone", "currency") == [(1, "Millpond", "UTC", "CNY")]
    assert rows(backend, PolicyRevision, "number", "text") == [(1, STARTER)]
    assert sorted(rows(backend, Role, "code", "name", "name_zh")) == sorted(
        (code, english, chinese) for code, (english, chinese) in ROLES.items()
    )
    assert rows(backend, NumberRule, "for_module", "pattern") == [("customer", "C{YYYY}{seq:3}")]
    codes = dict(rows(backend, Dictionary, "id", "code"))
    assert Counter(codes[id] for (id,) in rows(backend, DictionaryItem, "dictionary_id")) == DICTIONARIES


def test_everything_that_is_made_at_the_beginning_is_in_the_log(backend: Backend) -> None:
    logged = Counter(action for (action,) in rows(backend, AuditEntry, "action"))

    assert logged == {
        "organisation.create": 1,
        "role.create": len(ROLES),
        "dictionary.create": len(DICTIONARIES) + sum(DICTIONARIES.values()),
        "number.create": 1,
        "pipeline.create": 7,
        "duplicate_rule.create": 15,
    }
    assert {name for (name,) in rows(backend, AuditEntry, "actor_name")} == {"system:install"}


def test_installing_again_changes_nothing(backend: Backend) -> None:
    before = rows(backend, AuditEntry, "id")

    assert install(backend) is False

    assert rows(backend, AuditEntry, "id") == before
    assert rows(backend, PolicyRevision, "number") == [(1,)]


def test_what_people_threw_away_does_not_come_back(backend: Backend) -> None:
    system, lines = backend.system("system:test"), STARTER.splitlines()
    backend.policy = Snapshot("\n".join(x for x in lines if "auditor" not in x), revision=backend.policy.revision)
    (role_id,) = (id for id, code in rows(backend, Role, "id", "code") if code == "auditor")
    (item_id,) = (id for id, key in rows(backend, DictionaryItem, "id", "key") if key == "steel")
    system.do(create_update.delete, Role, [role_id])
    system.do(create_update.delete, DictionaryItem, [item_id])

    assert install(backend) is False

    assert [code for code, gone in rows(backend, Role, "code", "deleted_at") if gone is not None] == ["auditor"]
    assert [key for key, gone in rows(backend, DictionaryItem, "key", "deleted_at") if gone is not None] == ["steel"]


def test_what_is_missing_is_made_and_the_rest_is_left_alone(world: World) -> None:
    # The small world has its own seven roles and four short dictionaries, and neither words for levels nor a number rule.
    before = world.count(Role)

    assert install(world.backend) is True

    assert world.count(Role) == before
    assert {row["code"] for row in world.rows(Dictionary)} == DICTIONARIES.keys()
    assert [row["pattern"] for row in world.rows(NumberRule)] == ["C{YYYY}{seq:3}"]
    industry = next(row["id"] for row in world.rows(Dictionary) if row["code"] == "industry")
    assert world.count(DictionaryItem, DictionaryItem.dictionary_id == industry) == 3


def test_the_starter_policy_speaks_only_of_roles_that_are_installed() -> None:
    spoken_of = {name for line in parse(STARTER) for name in line.columns[: 2 if line.kind == "g" else 1]}

    assert spoken_of - {"*", "system", "system:pool"} == ROLES.keys()


def test_e_commerce_is_understood_as_retail_and_as_internet() -> None:
    meant = [word.english for word in starter_words() if word.dictionary == "industry" and "电商" in word.aliases]

    assert meant == ["Retail", "Internet"]


def test_every_word_has_a_key_of_its_own_and_a_label_in_both_languages() -> None:
    words = list(starter_words())

    assert max(Counter((word.dictionary, word.key) for word in words).values()) == 1
    assert [word for word in words if not word.english or not word.chinese] == []


def test_the_classification_is_a_tree(backend: Backend) -> None:
    above = dict(rows(backend, DictionaryItem, "id", "key"))
    tree = {key: above.get(parent) for key, parent in rows(backend, DictionaryItem, "key", "parent_id") if parent}

    assert tree == {
        **dict.fromkeys(("prospect_early", "prospect_medium", "prospect_strong"), "prospect"),
        **dict.fromkeys(("formal_new", "formal_hot", "formal_core", "formal_vip"), "formal"),
        "channel_partner": "channel",
    }


def test_the_first_customer_of_a_new_installation_takes_the_words_that_are_there(backend: Backend) -> None:
    system = backend.system("system:test")
    pool_id = system.do(create_update.create, Pool, {"name": "Pool"}).id
    given = {"name": "Acme", "pool_id": pool_id, "industry": "steel", "contact_name": "Bo", "contact_phone": "139"}

    customer = system.do(create_update.create, Customer, given)

    assert customer.number == f"C{backend.clock().year}001"


def rows(backend: Backend, model: type, *names: str) -> list[tuple[object, ...]]:
    table = model.__table__  # type: ignore[attr-defined]
    with backend.writer.engine.connect() as connection:
        found = connection.execute(select(*(table.c[name] for name in names)).order_by(*table.primary_key.columns))
        return [tuple(row) for row in found]


def test_what_a_migration_does_to_records_is_in_the_log_and_what_was_done_by_hand_is_not(
    new_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def by_hand(statement: str) -> None:
        engine = writing_engine(new_url)
        with engine.begin() as connection:
            connection.execute(text(statement))
        engine.dispose()

    def migrated(_: Engine) -> str:
        by_hand("UPDATE role SET name_zh = 'Z' WHERE code = 'finance'")
        return "2099_next"

    by_hand("UPDATE role SET name = 'Kings' WHERE code = 'sales'")
    monkeypatch.setattr(migrate, "revisions", lambda: ["2099_next"])
    monkeypatch.setattr(migrate, "migrate", migrated)
    monkeypatch.setattr(database, "check_current", lambda _: None)

    database.bring_up(new_url)

    (difference,) = database.look(new_url, lambda connection: list(Comparison().differences(connection)))
    assert difference.changes == {"name": ["Sales", "Kings"]}
    with database.opened(new_url) as backend, backend.writer.engine.connect() as connection:
        newest = connection.execute(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
    assert (newest.action, newest.changes, newest.reason) == (
        "audit.accept",
        {"name_zh": ["财务", "Z"]},
        "upgrade to 2099_next",
    )
