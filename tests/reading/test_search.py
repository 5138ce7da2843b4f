"""The search box: any part of a number, name, contact or phone, in Chinese too, and never by what the searcher may not see."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text, update

from models import Contact, Customer, Entity, FollowUp, Opportunity, SearchDoc, User
from models.contact import ContactPoint, PointKind, key_of
from models.errors import Forbidden, Refusal, Validation
from models.follow_up import FollowUpKind
from models.search_pieces import fold, name_pieces, pieces_of
from models.search_rules import GIN, INDEX
from resolvers.customers.transfer_related import transfer
from resolvers.reading import pages, search_index, search_lookup, search_words
from resolvers.reading.pages import ListRequest
from resolvers.reading.search import candidates
from resolvers.records import create_update
from resolvers.runtime.scope import Scope
from resolvers.setup.indexes import rebuild_indexes
from resolvers.setup.invariants import broken
from tests.support.claim_checks import change, claim
from tests.support.engines import at_length_on_postgresql
from tests.support.graphql import Api
from tests.support.refusals import add_line
from tests.support.terminal import millpond, told
from tests.support.world import World

PHONE = "13800138000"


def found(world: World, text: str, login: str = "ada", model: type[Entity] = Customer, **more: Any) -> list[str]:
    """The names that the search box of a list shows, which are as many as it says."""
    page = world.run(world.scope(login).read(pages.page, ListRequest(model, ("name",), search=text, size=50, **more)))
    assert page.count == len(page.rows)
    return sorted(row["name"] or "" for row in page.rows)


def contact(world: World, customer: int, name: str, *points: str, kind: str = "PHONE") -> int:
    given = [{"kind": kind, "value": value} for value in points]
    return world.make(Contact, customer_id=customer, name=name, points=given)


def docs(world: World) -> list[tuple[int, int | None, str]]:
    return [(row["customer_id"], row["contact_id"], row["name"]) for row in world.rows(SearchDoc)]


def agrees(world: World) -> bool:
    """Whether the index says what the records say, by its own check."""
    with world.backend.writer.engine.connect() as connection:
        return list(search_index.check(connection)) == []


# --- what is found ---------------------------------------------------------------------------------------


def test_a_number_is_found_by_its_beginning_and_by_any_three_characters(world: World) -> None:
    for name in ("One", "Two"):
        world.customer(name)

    assert found(world, "C2026001") == ["One"]
    assert found(world, "c2026002") == ["Two"]
    assert found(world, "001") == ["One"]
    assert found(world, "c2") == found(world, "C") == ["One", "Two"]
    assert found(world, "01") == []


def test_any_part_of_a_name_is_found(world: World) -> None:
    world.customer("上海鑫达科技有限公司")
    world.customer("Horizon Trading Ltd")

    assert [found(world, part) for part in ("鑫达", "技有限", "上海鑫达科技有限公司")] == [["上海鑫达科技有限公司"]] * 3
    assert [found(world, part) for part in ("oriz", "TRADING", "ltd", "on")] == [["Horizon Trading Ltd"]] * 4
    assert [found(world, part) for part in ("达鑫", "horizons", "nt", "鑫科")] == [[]] * 4


def test_one_character_is_enough(world: World) -> None:
    world.customer("鑫达科技")
    world.customer("Quartz")

    assert found(world, "鑫") == found(world, "技") == ["鑫达科技"]
    assert found(world, "q") == found(world, "Z") == ["Quartz"]
    assert found(world, "x") == found(world, "铁") == []


def test_every_word_has_to_be_found_in_the_same_record_in_any_field(world: World) -> None:
    acme = world.customer("Acme 上海")
    contact(world, acme, "Wang Fang", PHONE)
    world.customer("Acme 北京")
    contact(world, world.customer("Other 上海"), "Wang Li")

    assert found(world, "上海 acme") == ["Acme 上海"]
    assert found(world, "acme wang") == ["Acme 上海"]
    assert found(world, "fang 8000") == found(world, "wang\u3000C2026001") == ["Acme 上海"]
    assert found(world, "wang 北京") == []


def test_a_customer_is_found_by_its_contacts_and_a_contact_by_itself(world: World) -> None:
    customer = world.customer("鑫达科技")
    contact(world, customer, "王小芳", PHONE)
    contact(world, customer, "Bo", "bo@xinda.example", kind="EMAIL")

    assert found(world, "小芳") == found(world, "bo@xin") == ["鑫达科技"]
    assert found(world, "小芳", model=Contact) == ["王小芳"]
    assert found(world, "XINDA.example", model=Contact) == ["Bo"]
    assert found(world, "鑫达", model=Contact) == ["Bo", "王小芳"]  # by their customer


def test_a_phone_is_found_by_any_three_figures_however_it_is_written(world: World) -> None:
    contact(world, world.customer("A"), "Ann", "+86 138-0013 8000")
    world.customer("B", phone="(0571) 8888-6666", email="Info@B.example")

    for typed in (
        "138 0013 8000",
        "+8613800138000",
        "+86 138-0013 8000",
        "0086 138 0013 8000",
        "8000",
        "1380013",
        "１３８",
    ):
        assert found(world, typed) == ["A"], typed
    for typed in ("0571-8888", "88886666", "666", "info@b"):
        assert found(world, typed) == ["B"], typed
    assert found(world, "80") == found(world, "80001") == []


def test_width_case_and_kinds_of_space_do_not_matter(world: World) -> None:
    world.customer("ＡＣＭＥ　Straße（上海）")

    for typed in ("acme", "ＡＣＭＥ", "STRASSE", "(上海)", "（上", "acme strasse", "\tacme\n"):
        assert found(world, typed) == ["ＡＣＭＥ　Straße（上海）"], typed


@pytest.mark.parametrize(
    "part",
    [
        "100%",
        "a_b",
        'say "hi"',
        "O'Neil",
        "AND",
        "x*",
        "NEAR(",
        "^caret",
        "-minus",
        "a:b",
        "(a)",
        "\\",
        "{c}",
        "+plus",
        ";--",
    ],
)
def test_signs_of_query_languages_are_plain_text(sqlite_url: str, part: str) -> None:
    world = World(sqlite_url)
    try:
        world.customer(f"One{part} two")
        world.customer("One two, ten percent, 100 axb")

        assert found(world, part) == [f"One{part} two"]
        assert [sign for sign in part.split() if f"One{part} two" not in found(world, sign)] == []
    finally:
        world.close()


def test_signs_of_query_languages_are_plain_text_on_both(world: World) -> None:
    world.customer("100%_\"'*(){}:^-+\\/ OR")

    for typed in ("%", "_", '"', "'", "*", "(", "0%_", "\"'*", "^-+\\", "or", "\\/"):
        assert found(world, typed) == ["100%_\"'*(){}:^-+\\/ OR"], typed
    assert found(world, "%0") == found(world, "0_%") == []


def test_emoji_and_rare_characters_are_found(world: World) -> None:
    world.customer("Rocket 🚀 Café ①")
    world.customer("𠮷野家")

    assert found(world, "🚀") == found(world, "café") == found(world, "①") == ["Rocket 🚀 Café ①"]
    assert found(world, "𠮷") == found(world, "𠮷野") == ["𠮷野家"]
    assert found(world, "👍") == []


def test_long_and_senseless_texts_are_answered_too(world: World) -> None:
    name = "很长的公司名称" * 14
    world.customer(name)

    assert found(world, name) == [name]
    assert found(world, name[1:] + "尾") == []
    assert found(world, "\ufdfa" * 100) == []
    assert found(world, "公\ud800司") == found(world, "   ") == found(world, "\ud800") == found(world, "\x01") == [name]
    for typed in ("x" * 101, " ".join("abcdefghijklmnopq")):
        with pytest.raises(Validation):
            found(world, typed)


# --- who finds it ----------------------------------------------------------------------------------------


def test_a_phone_that_a_pool_hides_finds_nothing_for_who_may_not_see_it(world: World) -> None:
    pooled = world.customer("Pooled", pool="north", phone=PHONE, email="boss@pooled.example")
    contact(world, pooled, "Ann", "13912345678")
    contact(world, pooled, "Bo", "bo@pooled.example", kind="EMAIL")
    typed = (PHONE, "boss@", "13912345678", "bo@pooled")

    for word in typed:
        assert found(world, word, "li") == found(world, word, "li", Contact) == []
        assert found(world, word, "fin") == ["Pooled"]
    assert found(world, f"pooled {PHONE}", "li") == []
    assert found(world, "pooled ann", "li") == ["Pooled"]

    world.rule("north", daily_quota=9)
    claim(world, "li", pooled)

    assert [found(world, word, "li") for word in typed] == [["Pooled"]] * 4
    assert found(world, "139123", "li", Contact) == ["Ann"]


def test_a_hidden_name_of_a_contact_finds_neither_it_nor_its_customer(world: World) -> None:
    contact(world, world.customer("Acme"), "Secret Ann", PHONE)
    add_line(world, "p, sales, contact.name, view, all, any, deny")

    assert found(world, "secret", "li") == found(world, "secret", "li", Contact) == []
    assert found(world, PHONE, "li") == ["Acme"]
    assert found(world, "secret", "fin") == ["Acme"]


def test_everybody_finds_his_own_and_nothing_else(world: World) -> None:
    for owner in ("li", "mei"):
        contact(world, world.customer(f"Acme of {owner}", owner), f"Ann of {owner}", PHONE)
    locked = world.customer("Acme locked", "wu")
    with world.backend.writer.engine.begin() as connection:
        connection.execute(
            update(Customer.__table__)
            .where(Customer.__table__.c.id == locked)
            .values(locked_by_id=world.ids["wu"], locked_at=world.clock.now)
        )

    assert found(world, "acme", "li") == ["Acme of li"]
    assert found(world, "8000", "mei") == ["Acme of mei"]
    assert found(world, "ann", "mei", Contact) == ["Ann of mei"]
    assert found(world, "acme", "fin") == ["Acme of li", "Acme of mei"]
    assert found(world, "acme", "wu") == ["Acme locked"]


def test_nobody_finds_anything_where_there_are_more_than_can_be_listed_and_he_may_see_none(world: World) -> None:
    for n in range(4):
        world.customer(f"Acme {n}", "mei")

    def asked(scope: Scope, db: Any, limit: int) -> list[int] | None:
        return candidates(scope, db, Customer, "acme", limit)

    assert world.run(world.li.read(asked, 2)) == []
    assert world.run(world.mei.read(asked, 3)) is None
    assert len(world.run(world.mei.read(asked, 4)) or ()) == 4


# --- in a list -------------------------------------------------------------------------------------------


@pytest.fixture(params=[40, pytest.param(0, marks=pytest.mark.long)], ids=["sparse", "dense"])
def crowded(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three are many."""
    monkeypatch.setattr(pages, "MOST_COUNTED", 3)
    monkeypatch.setattr(search_lookup, "FEW", 2)
    monkeypatch.setattr(search_lookup, "DENSE", request.param)


@pytest.mark.usefixtures("crowded")
@pytest.mark.parametrize("model", [Customer, Contact])
def test_many_are_walked_in_the_order_of_the_list_page_by_page(world: World, model: type[Entity]) -> None:
    for n in range(9):
        world.clock.pass_by(minutes=1)
        customer = world.customer(f"{'Acme' if n % 2 else 'Other'} {n}", "li" if n < 8 else "mei")
        contact(world, customer, f"{'Acme' if n % 2 else 'Other'} {n}")
    asked = ListRequest(model, ("name",), search="other", size=2, order=(("created_at", True),))

    first = world.run(world.li.read(pages.page, asked))
    second = world.run(world.li.read(pages.page, ListRequest(**{**vars(asked), "after": first.after})))
    back = world.run(world.li.read(pages.page, ListRequest(**{**vars(asked), "before": second.before})))

    assert (first.count, first.is_counted) == (4, False)
    assert [row["name"] for row in first.rows] == ["Other 6", "Other 4"]
    assert [row["name"] for row in second.rows] == ["Other 2", "Other 0"]
    assert (second.after, back.rows) == (None, first.rows)
    assert world.run(world.li.read(pages.count, asked)) == 4
    mine = ListRequest(model, ("name",), search="other", filter={"name": {"contains": "4"}})
    assert [row["name"] for row in world.run(world.li.read(pages.page, mine)).rows] == ["Other 4"]


def test_a_search_is_within_the_filter_of_the_list(world: World) -> None:
    world.customer("Acme early", stage="early")
    world.customer("Acme won", stage="won")

    assert found(world, "acme", filter={"stage": {"eq": "won"}}) == ["Acme won"]


def test_a_model_without_an_index_is_searched_as_before(world: World) -> None:
    assert found(world, "li n", model=User) == ["Li Na"]


# --- written with the record -----------------------------------------------------------------------------


def test_a_new_name_or_phone_is_found_and_of_the_old_ones_the_former_name_of_the_customer(world: World) -> None:
    customer = world.customer("Before", phone=PHONE)
    ann = contact(world, customer, "Ann", "13912345678")

    change(world, Customer, customer, name="After", phone="02155556666")
    change(world, Contact, ann, name="Bea", points=[{"kind": "WECHAT", "value": "Bea_w"}])

    assert [found(world, old) for old in ("before", PHONE, "ann", "139123")] == [["After"], [], [], []]
    assert [found(world, new) for new in ("after", "2155556666", "bea", "BEA_W")] == [["After"]] * 4
    assert agrees(world)


def test_the_bin_keeps_what_is_searched_and_the_list_decides(world: World) -> None:
    customer = world.customer("Acme")
    ann, _bo = contact(world, customer, "Ann"), contact(world, customer, "Bo")
    world.system.do(create_update.delete, Contact, [ann])

    assert found(world, "ann") == found(world, "ann", model=Contact) == []
    assert found(world, "ann", model=Contact, binned=True) == ["Ann"]

    world.system.do(create_update.delete, Customer, [customer])
    assert found(world, "acme") == found(world, "bo") == []
    assert found(world, "acme", binned=True) == ["Acme"]

    world.system.do(create_update.restore, Customer, [customer])
    assert found(world, "acme") == found(world, "bo") == ["Acme"]
    assert found(world, "ann") == []
    assert agrees(world)


def test_what_is_purged_leaves_no_doc(world: World) -> None:
    keep, gone = world.customer("Keep"), world.customer("Gone", phone=PHONE)
    contact(world, gone, "Ann", "13912345678")
    ann = contact(world, keep, "Ann too", "13912345678")
    world.system.do(create_update.delete, Customer, [gone])
    world.system.do(create_update.delete, Contact, [ann])

    world.system.do(create_update.purge, Customer, [gone], confirm=True)
    world.system.do(create_update.purge, Contact, [ann], confirm=True)

    assert docs(world) == [(keep, None, "keep")]
    assert found(world, "139123", binned=None) == found(world, "gone", binned=None) == []
    assert agrees(world)


def test_what_is_undone_leaves_no_doc(world: World) -> None:
    customer = world.customer("Acme", "li")
    before = docs(world)

    def undone(scope: Scope) -> None:
        with scope.write("customer.edit") as db:
            scope.load(db, Customer, customer, to="edit").name = "Undone"
            db.flush()
            raise Validation("no", "不")

    def half(scope: Scope) -> None:
        with scope.write("customer.edit") as db:
            scope.load(db, Customer, customer, to="edit").name = "Half"
            db.flush()
            with suppress(Refusal):
                create_update.create(
                    scope, Contact, {"customer_id": customer, "name": "Ghost", "points": [{"kind": "?"}]}
                )

    with pytest.raises(Validation):
        world.li.do(undone)
    assert docs(world) == before
    assert found(world, "undone") == []

    world.li.do(half)
    assert found(world, "half") == ["Half"]
    assert found(world, "ghost") == []
    assert found(world, "acme") == ["Half"]
    with pytest.raises(Forbidden):
        world.li.do(create_update.create, Customer, {"name": "Foreign", "owner_id": world.ids["mei"]})
    assert found(world, "foreign") == []
    assert agrees(world)


def test_a_contact_that_moves_to_another_customer_is_found_there(world: World) -> None:
    one, two = world.customer("One"), world.customer("Two")
    ann = contact(world, one, "Ann", PHONE)

    def move(scope: Scope) -> None:
        with scope.write("contact.edit") as db:
            scope.load(db, Contact, ann, to="edit").customer_id = two

    world.system.do(move)

    assert found(world, "ann") == found(world, PHONE) == ["Two"]
    assert agrees(world)


def test_what_changes_nothing_that_is_searched_writes_no_doc(world: World) -> None:
    customer = world.customer("Acme", pool="north", phone=PHONE)
    world.rule("north", daily_quota=9)

    with counted(world, "search_doc") as statements:
        claim(world, "li", customer)
        change(world, Customer, customer, stage="early")
        ann = contact(world, customer, "Ann", PHONE)
        statements.clear()
        world.li.do(transfer, Contact, [ann], world.ids["li"])
        world.system.do(create_update.delete, Contact, [ann])
        world.system.do(create_update.restore, Contact, [ann])

    assert statements == []


@contextmanager
def counted(world: World, table: str) -> Iterator[list[str]]:
    """The statements about a table that use cases execute meanwhile."""
    said: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if table in statement:
            said.append(statement)

    event.listen(world.backend.writer.engine, "before_cursor_execute", hear)
    yield said
    event.remove(world.backend.writer.engine, "before_cursor_execute", hear)


# --- the whole index -------------------------------------------------------------------------------------


def furnished(world: World) -> None:
    for n in range(3):
        contact(
            world, world.customer(f"Acme {n} 鑫达", phone=PHONE, email=f"a{n}@b.example"), f"Ann {n}", "139 1234 5678"
        )


def test_a_rebuilt_index_is_the_same_that_the_flushes_wrote(world: World) -> None:
    furnished(world)
    before = world.rows(SearchDoc)

    with world.backend.writer.engine.begin() as connection:
        assert search_index.rebuild(connection) == 6

    assert world.rows(SearchDoc) == before
    assert found(world, "鑫达 5678") == ["Acme 0 鑫达", "Acme 1 鑫达", "Acme 2 鑫达"]
    change(world, Customer, 1, name="Other")
    assert found(world, "other") == ["Other"]
    assert agrees(world)


def test_the_index_is_written_anew_by_one_command(url: str) -> None:
    world = World(url)
    furnished(world)
    with world.backend.writer.engine.begin() as connection:
        connection.execute(text("DELETE FROM search_doc"))
    assert found(world, "acme") == []

    assert told(millpond(url, "reindex")) == (
        0,
        "",
        "The search index knows 6 customers and contacts; 0 sort keys were brought up to date.\n",
    )

    assert found(world, "acme 1") == ["Acme 1 鑫达"]
    assert agrees(world)
    world.close()


def test_a_doc_that_says_something_else_is_found_and_mended(world: World) -> None:
    furnished(world)
    said = "Customer C2026002 is found by something else than it says: run millpond reindex."

    for fault in (
        "UPDATE search_doc SET name = 'x' WHERE customer_id = 2 AND contact_id IS NULL",
        "DELETE FROM search_doc WHERE customer_id = 2 AND contact_id IS NOT NULL",
        "UPDATE contact_point SET value_key = '1' WHERE contact_id = 2",
        "UPDATE customer SET phone = NULL WHERE id = 2",
    ):
        with world.backend.writer.engine.begin() as connection:
            connection.execute(text(fault))
            assert said in broken(connection), fault
            rebuild_indexes(connection)
            assert broken(connection) == [], fault


def test_docs_too_many_or_too_few_are_counted(world: World) -> None:
    furnished(world)
    with world.backend.writer.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO search_doc (id, customer_id, contact_id, number, name, sounds, phones, addresses, customs, pieces)"
                " SELECT 1, 9, 9, number, name, sounds, phones, addresses, customs, pieces FROM search_doc LIMIT 1"
            )
        )

        assert list(search_index.check(connection)) == [
            "There are 6 customers and contacts, but 7 in the search index: run millpond reindex."
        ]


def test_an_index_that_lost_a_doc_is_noticed(sqlite_url: str) -> None:
    world = World(sqlite_url)
    furnished(world)
    with world.backend.writer.engine.begin() as connection:
        connection.exec_driver_sql(f"INSERT INTO {INDEX} ({INDEX}) VALUES ('delete-all')")

        assert (
            next(search_index.check(connection))
            == "Customer C2026001 is found by something else than it says: run millpond reindex."
        )
    world.close()


def test_the_index_is_what_answers(world: World) -> None:
    furnished(world)
    gone = f"DROP TABLE {INDEX}" if world.backend.dialect == "sqlite" else f"DROP INDEX {GIN}"
    with world.backend.writer.engine.connect() as connection:
        connection.execute(text(gone))
        connection.rollback()
        plan = (
            f"EXPLAIN QUERY PLAN SELECT rowid FROM {INDEX} WHERE {INDEX} MATCH 'ac'"
            if world.backend.dialect == "sqlite"
            else "EXPLAIN SELECT id FROM search_doc WHERE pieces @@ 'ac'::tsquery"
        )
        connection.execute(text("SET LOCAL enable_seqscan = off")) if world.backend.dialect != "sqlite" else None
        told = " ".join(str(row) for row in connection.execute(text(plan)))
    assert "VIRTUAL TABLE INDEX" in told or GIN in told


# --- always ----------------------------------------------------------------------------------------------

LETTERS = st.sampled_from("ab1鑫达　 %_\"'-Ａ🚀")
FIGURES = st.text("0186", min_size=3, max_size=12)
NAMES = st.text(LETTERS, min_size=1, max_size=6).filter(str.strip)
RECORDS = st.lists(
    st.tuples(NAMES, st.sampled_from(["li", "mei", "north"]), FIGURES, st.lists(st.tuples(NAMES, FIGURES), max_size=2)),
    min_size=1,
    max_size=4,
)
TYPED = st.lists(st.one_of(st.text(LETTERS, min_size=1, max_size=3), FIGURES, NAMES), min_size=1, max_size=2).map(
    " ".join
)


def holds(word: search_words.Word, name: str, number: str, phones: list[str]) -> bool:
    """What a record holds, by looking."""
    is_number = (
        word.text in fold(number) if len(word.text) >= 3 else bool(number) and fold(number).startswith(word.text)
    )
    return word.text in fold(name) or is_number or bool(word.figures and any(word.figures in phone for phone in phones))


def by_looking(world: World, login: str, typed: str) -> set[int]:
    """The customers that somebody should find: all that he sees is looked through."""
    person = world.principal(login)
    result = set()
    for row in world.rows(Customer, Customer.deleted_at.is_(None)):
        mine = row["owner_id"] == person.id
        pooled = row["pool_id"] in person.pools
        if not (mine or pooled or login == "ada"):
            continue
        shows = not pooled
        says = [(row["name"], row["number"], [key_of(PointKind.PHONE, row["phone"])] if shows else [])]
        for one in world.rows(Contact, Contact.customer_id == row["id"], Contact.deleted_at.is_(None)):
            points = world.rows(ContactPoint, ContactPoint.contact_id == one["id"])
            says.append((one["name"], "", [point["value_key"] for point in points] if shows else []))
        if all(any(holds(word, *said) for said in says) for word in search_words.words_of(typed)):
            result.add(row["id"])
    return result


@pytest.mark.long
@at_length_on_postgresql
@pytest.mark.usefixtures("crowded")
@pytest.mark.timeout(170)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(made=RECORDS, asked=st.lists(TYPED, min_size=4, max_size=4))
def test_what_is_found_is_what_somebody_finds_who_looks_through_all_he_sees(
    world: World, made: list[Any], asked: list[str]
) -> None:
    world.system.do(
        create_update.delete, Customer, [row["id"] for row in world.rows(Customer, Customer.deleted_at.is_(None))]
    )
    for name, place, phone, people in made:
        at = {"pool": place} if place == "north" else {"owner": place}
        customer = world.customer(name, phone=phone, **at)
        for who, figures in people:
            contact(world, customer, who, figures)

    for typed in (words for words in asked if search_words.words_of(words)):
        for login in ("ada", "li", "mei"):
            expected = by_looking(world, login, typed)
            page = world.run(world.scope(login).read(pages.page, ListRequest(Customer, ("name",), search=typed)))
            assert {row.id for row in page.rows} == expected, (login, typed)
            assert page.count == min(len(expected), 4), (login, typed)


@pytest.mark.parametrize("name", ["ab 鑫", "-a-", "🚀🚀", "ａ％"])
def test_whatever_a_name_holds_its_pieces_hold(name: str) -> None:
    folded = fold(name)
    pieces = set(pieces_of("", folded, "", ()))

    for word in folded.split():
        for start in range(len(word)):
            for end in range(start + 1, len(word) + 1):
                assert pieces.issuperset(name_pieces(word[start:end]))


# --- by the customer -----------------------------------------------------------------------------------------------

ABOUT: tuple[tuple[type[Entity], str], ...] = ((Contact, "name"), (Opportunity, "name"), (FollowUp, "content"))


def about(world: World, customer: int, owner: str = "li") -> None:
    """A contact, an opportunity and a follow-up of a customer, none of which names it."""
    of = {"customer_id": customer, "owner_id": world.ids[owner]}
    world.make(Contact, customer_id=customer, name="Ann")
    world.make(Opportunity, **of, name="Big deal")
    world.make(FollowUp, **of, content="Called", kind=FollowUpKind.CALL, happened_at=world.clock())


def found_about(world: World, text: str, login: str = "li") -> list[list[str]]:
    """What each kind is found by, in the panel and through GraphQL alike."""
    shown = []
    for model, key in ABOUT:
        page = world.run(world.scope(login).read(pages.page, ListRequest(model, (key,), search=text, size=50)))
        assert page.count == len(page.rows)
        shown.append(sorted(row[key] for row in page.rows))
    names = ("contacts { nodes { name } }", "opportunities { nodes { name } }", "followUps { nodes { content } }")
    fields = " ".join(name.replace(" {", "(search: $q) {", 1) for name in names)
    said = Api(world).ask(login, f"query($q: String) {{ {fields} }}", q=text)
    assert [sorted(next(iter(node.values())) for node in of["nodes"]) for of in said.values()] == shown
    return shown


@pytest.mark.parametrize(
    ("few", "dense"), [(5_000, 40), (0, 40), pytest.param(0, 0, marks=pytest.mark.long)], ids=["few", "many", "dense"]
)
def test_what_is_about_a_customer_is_found_by_its_name_and_number(
    world: World, monkeypatch: pytest.MonkeyPatch, few: int, dense: int
) -> None:
    monkeypatch.setattr(search_lookup, "FEW", few)
    monkeypatch.setattr(search_lookup, "DENSE", dense)
    pine = world.customer("Pine Trade Ltd")
    about(world, pine)
    other = world.customer("Oak Works")
    world.make(Contact, customer_id=other, name="Trade Pine")
    number = world.row(Customer, pine)["number"]

    everything = [["Ann"], ["Big deal"], ["Called"]]
    assert found_about(world, "trade ltd") == found_about(world, "LTD pine") == found_about(world, number) == everything
    assert found_about(world, "pine trade") == [["Ann", "Trade Pine"], ["Big deal"], ["Called"]]
    assert found_about(world, "pine works") == found_about(world, "tradeltd") == [[], [], []]
    assert found_about(world, "ann")[0] == ["Ann"]
    assert found_about(world, "deal")[1:] == [["Big deal"], []]


def test_nothing_is_found_by_a_customer_that_the_reader_may_not_see_or_whose_name_is_hidden(world: World) -> None:
    about(world, world.customer("Pine Trade", owner="wu"), "wu")
    assert found_about(world, "pine", "wu") == [["Ann"], ["Big deal"], ["Called"]]
    assert found_about(world, "pine", "mei") == [[], [], []]

    add_line(world, "p, sales, customer.name, view, all, any, deny")

    assert found_about(world, "pine", "wu") == [[], [], []]
    assert found_about(world, "ann", "wu")[0] == ["Ann"]
