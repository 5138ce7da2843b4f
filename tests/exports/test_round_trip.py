"""What is exported comes back as it was: brought in again it changes nothing, and in an empty place it makes the same records."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from models import Contact, Customer, Dictionary, DictionaryItem, Entity, FollowUp, Opportunity, User
from models.contact import PointKind
from models.csv_guard import guarded, unguarded
from models.export import ExportFormat
from models.import_batch import ImportMode, ImportState, RowState
from models.listed_values import joined, parted
from models.numbering import Tombstone
from models.sheet_cells import MOMENT
from resolvers.exports import exports
from resolvers.exports.cells import Words, cell
from resolvers.exports.kinds import ExportColumn, Holds, columns_of
from resolvers.exports.listing import Listing
from resolvers.imports import applying, batches, mapping
from resolvers.imports.date_columns import DateOrder, Order, date_of
from resolvers.imports.mapping import Plan
from resolvers.records import create_update, recycle_bin
from resolvers.runtime.stored_refusals import restored_refusal
from tests.support.exporting import Exports, csv_rows, xlsx_rows
from tests.support.result_books import ResultBooks
from tests.support.world import World

TEXTS = (
    "=1+1",
    "+86 138 0013 8000",
    "-Minus",
    "@At",
    "'=quoted",
    "'plain",
    "000123",
    "123456789012345678",
    "1.38E+10",
    "_x0041_",
    "#N/A",
    "TRUE",
    "2026-06-30",
    "1,234.50",
    "15%",
    '"quoted"',
    "a;b、c",
    "华兴（上海）",
    "😀",
)
"""What a line of text may be."""
PROSE = ("first\nsecond", "=1\n+2", "tab\there", "x" * 3_000)
PHONES = ("013800138000", "+86 138 0013 8000", "0571-88881234 ext. 5", "(021) 6552-9988")


@dataclass(frozen=True)
class Kind:
    """One kind of record: its records of every sort, how they are found again, and how their place becomes empty."""

    model: type[Entity]
    target: str
    key: tuple[str, ...]
    make: Callable[[World], None]
    away: Callable[[World], None]
    is_ours: Callable[[Mapping[str, Any]], bool] = lambda _row: True
    """Whether a record is one of those that were made here."""


def gone(model: type[Entity]) -> Callable[[World], None]:
    def purge(world: World) -> None:
        ids = [row["id"] for row in world.rows(model)]
        world.system.do(recycle_bin.purge, model, ids, confirm=True, skip_bin=True)
        assert world.rows(model) == []
        with world.backend.writer.engine.begin() as connection:  # numbers are given once, but not in an empty place
            connection.execute(delete(Tombstone))

    return purge


def customers(world: World) -> None:
    """Of people and words of one name, and of a word that is archived by now, too."""
    for login in ("li", "mei"):
        world.system.do(create_update.update, User, world.ids[login], {"name": "Namesake"})
    industry = next(row["id"] for row in world.rows(Dictionary) if row["code"] == "industry")
    for key in ("same_1", "same_2"):
        world.make(DictionaryItem, dictionary_id=industry, key=key, label_en="Same", label_zh="相同", position=90)
    for n, text in enumerate(TEXTS):
        world.customer(
            text,
            "li",
            remark=PROSE[n % 4],
            latest_need=TEXTS[-n],
            phone=PHONES[n % 4] if n % 2 else None,
            address=text,
            industry=("same_1", "same_2", None)[n % 3],
        )
    world.customer("Pooled", pool="north", email="a+b@example.com")
    for _ in range(2):
        world.customer("Twin", "mei")


def pooled(world: World) -> None:
    for n, text in enumerate(TEXTS):
        world.customer(text, pool="north", remark=PROSE[n % 4], phone=PHONES[n % 4])


def contacts(world: World) -> None:
    twins = [world.customer("Twin", "li") for _ in range(2)]
    number = world.row(Customer, twins[0])["number"]
    named_by_number = world.customer(number, "li")
    for n, text in enumerate(TEXTS):
        points = [
            {"kind": PointKind.PHONE, "value": PHONES[n % 4]},
            {"kind": PointKind.PHONE, "value": "10086"},
            {"kind": PointKind.OTHER, "value": f"QQ; {n}, 'a'"},
            {"kind": PointKind.WECHAT, "value": f"wx{n}"},
        ]
        world.make(
            Contact,
            customer_id=(*twins, named_by_number)[n % 3],
            name=text,
            title=TEXTS[-n],
            birthday=(date(1900, 1, 1), date(1900, 2, 28), date(1904, 1, 1), date(9998, 12, 31))[n % 4],
            do_not_contact=bool(n % 2),
            remark=PROSE[n % 4],
            points=points if n % 3 else [],
        )


def opportunities(world: World) -> None:
    customer = world.customer("=Acme", "li")
    contact = world.make(Contact, customer_id=customer, name="Ann")
    amounts = ("0.00", "0.10", "12500.00", "99999999999999.99", "12345678901234.56", None)
    for n, text in enumerate(TEXTS):
        amount = amounts[n % 6]
        world.make(
            Opportunity,
            customer_id=customer,
            owner_id=world.ids["li"],
            contact_id=contact if n % 2 else None,
            name=text,
            amount=None if amount is None else Decimal(amount),
            currency=("CNY", "USD")[n % 2],
            expected_close=(date(1900, 1, 1), date(2026, 2, 28), date(9998, 12, 31), None)[n % 4],
            remark=PROSE[n % 4],
        )


def follow_ups(world: World) -> None:
    customer = world.customer("Acme", "li")
    contact = world.make(Contact, customer_id=customer, name="@Ann")
    for n, text in enumerate((*TEXTS, *PROSE)):
        world.clock.pass_by(minutes=1)
        world.li.do(
            create_update.create,
            FollowUp,
            {
                "customer_id": customer,
                "contact_id": contact if n % 2 else None,
                "kind": ("CALL", "VISIT", "EMAIL")[n % 3],
                "content": text,
                "happened_at": world.clock() - timedelta(days=n, seconds=n),
            },
        )


def words(world: World) -> None:
    dictionary = world.make(Dictionary, code="colours", name="Colours", name_zh="颜色表")
    other = world.make(Dictionary, code="shades", name="Shades", name_zh="色调")
    for parent in (dictionary, other):
        world.make(DictionaryItem, dictionary_id=parent, key="top", label_en="Top", label_zh="顶级")
    top = next(
        row["id"] for row in world.rows(DictionaryItem) if row["dictionary_id"] == dictionary and row["key"] == "top"
    )
    for n, text in enumerate(TEXTS):
        made = world.make(
            DictionaryItem,
            dictionary_id=dictionary,
            key=f"key_{n}",
            label_en=text,
            label_zh=TEXTS[-n] if n % 2 else None,
            aliases=[f"a;{n}", f"b、{n}", f'"c{n}"'] if n % 3 else [],
            parent_id=top if n % 2 else None,
            position=n,
            tone=("GREY", "RED", None)[n % 3],
        )
        if n % 4 == 1:
            world.system.do(
                create_update.update, DictionaryItem, made, {"archived_at": datetime(2026, 3, n, 10, n, n, tzinfo=UTC)}
            )


def people(world: World) -> None:
    department = world.rows(User)[0]["department_id"]
    for n, text in enumerate(TEXTS):
        made = world.make(
            User,
            login=f"person.{n}",
            name=text,
            department_id=department,
            email=f"p{n}@example.com" if n % 2 else None,
            capacity=n if n % 3 else None,
            language=("en", "zh")[n % 2],
            absent_until=datetime(2027, 11, 1, 5 + n % 4, 30, tzinfo=UTC) if n % 2 else None,
        )
        if n % 5 == 0:
            world.ada.do(create_update.update, User, made, {"active": False})


def other_logins(world: World) -> None:
    """People are never deleted for good, so those that are there give up what the file holds."""
    for row in world.rows(User):
        if row["login"].startswith("person."):
            world.system.do(create_update.update, User, row["id"], {"email": None})
            world.system.do(create_update.update, User, row["id"], {"login": f"was.{row['login']}"})


def words_gone(world: World) -> None:
    ids = [row["id"] for row in world.rows(DictionaryItem) if row["key"].startswith("key_")]
    world.system.do(recycle_bin.purge, DictionaryItem, ids, confirm=True, skip_bin=True)


KINDS = {
    "customer": Kind(Customer, "customer", ("number",), customers, gone(Customer)),
    "pooled_customer": Kind(Customer, "pooled_customer", ("number",), pooled, gone(Customer)),
    "contact": Kind(Contact, "contact", ("customer_id", "name"), contacts, gone(Contact)),
    "opportunity": Kind(Opportunity, "opportunity", ("customer_id", "name"), opportunities, gone(Opportunity)),
    "follow_up": Kind(FollowUp, "follow_up", (), follow_ups, gone(FollowUp)),
    "dictionary_item": Kind(
        DictionaryItem,
        "dictionary_item",
        ("dictionary_id", "key"),
        words,
        words_gone,
        lambda row: row["key"].startswith("key_"),
    ),
    "person": Kind(User, "person", ("login",), people, other_logins, lambda row: row["login"].startswith("person.")),
}
EACH = pytest.mark.parametrize("name", [*KINDS])
WAYS = pytest.mark.parametrize(
    ("format", "language"), [(ExportFormat.XLSX, "en"), (ExportFormat.CSV, "zh"), (ExportFormat.XLSX, "zh")]
)


class Trips:
    """Exports of a world that come back, all by one administrator in one language and zone."""

    def __init__(self, world: World, folder: Path, language: str) -> None:
        self.world, self.exports, self.files = world, Exports(world, folder), ResultBooks(world, folder)
        world.system.do(create_update.update, User, world.ids["ada"], {"language": language})

    def export(self, kind: Kind, format: ExportFormat) -> Path:
        ids = tuple(row["id"] for row in self.world.rows(kind.model) if kind.is_ours(row) and row["deleted_at"] is None)
        id = self.exports.start("ada", kind.model, Listing(ids=ids), tuple(columns_of(kind.model)), format=format)
        self.exports.run()
        return self.exports.folder / self.world.scope("ada").do(exports_download, id)

    def back(self, kind: Kind, path: Path, mode: ImportMode, rows: Sequence[str] = ()) -> int:
        """The id of an import of the file, mapped by the proposals alone, and carried out."""
        id = self.files.begin("ada", path.read_bytes(), target=kind.target, name=path.name)
        self.files.run()
        assert self.files.batch(id)["state"] == ImportState.READ, self.files.batch(id)["error"]
        columns = self.columns(id)
        key = kind.key if mode is ImportMode.UPDATE else ()
        self.world.ada.do(mapping.set_mapping, id, Plan(columns, mode, key, reason=_reason(kind)))
        self.files.run()
        self.refuse_bad(id)
        self.world.ada.do(applying.confirm, id)
        self.files.run()
        self.refuse_bad(id)
        return id

    def columns(self, id: int) -> dict[int, str]:
        found = self.world.run(self.world.ada.read(proposed, id))
        return {each.place: each.field.key for each in found if each.field is not None}

    def refuse_bad(self, id: int) -> None:
        wrong = {
            number: (row["cells"][:4], [restored_refusal(each).say() for each in row["problems"]])
            for number, row in self.files.rows_of(id).items()
            if row["problems"]
        }
        assert wrong == {}

    def cells(self, path: Path) -> list[list[Any]]:
        return csv_rows(path) if path.suffix == ".csv" else xlsx_rows(path)


def _reason(kind: Kind) -> str | None:
    """Of the kinds that are checked for duplicates."""
    return "as exported" if kind.model in (Customer, Contact) else None


def exports_download(scope: Any, id: int) -> str:
    stored: str = exports.download(scope, id).stored
    return stored


def proposed(scope: Any, db: Any, id: int) -> Any:
    return mapping.proposals(scope, db, batches.own(scope, db, id))


def mapped(rows: Sequence[Sequence[Any]], columns: Mapping[int, str]) -> list[Any]:
    """The cells of the mapped columns, sorted."""
    places = sorted(columns)
    return sorted(([row[place] for place in places] for row in rows[1:]), key=repr)


@pytest.mark.long
@WAYS
@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.key])
@pytest.mark.sampled(sqlite=12, postgresql=4)
def test_imp_10_what_is_exported_changes_nothing_when_it_comes_back(
    world: World, tmp_path: Path, name: str, format: ExportFormat, language: str
) -> None:
    kind, trips = KINDS[name], Trips(world, tmp_path / "files", language)
    kind.make(world)
    before = world.rows(kind.model)
    id = trips.back(kind, trips.export(kind, format), ImportMode.UPDATE)
    states = {row["state"] for row in trips.files.rows_of(id).values()}
    assert states == {RowState.SAME}
    assert world.rows(kind.model) == before


def test_imp_10_an_archived_word_stays_when_its_record_comes_back(world: World, tmp_path: Path) -> None:
    kind, trips = KINDS["customer"], Trips(world, tmp_path / "files", "en")
    world.customer("Acme", "li", industry="steel")
    item = next(row["id"] for row in world.rows(DictionaryItem) if row["key"] == "steel")
    world.system.do(create_update.update, DictionaryItem, item, {"archived_at": world.clock()})
    before = world.rows(Customer)
    id = trips.back(kind, trips.export(kind, ExportFormat.CSV), ImportMode.UPDATE)
    assert [row["state"] for row in trips.files.rows_of(id).values()] == [RowState.SAME]
    assert world.rows(Customer) == before


def test_imp_10_a_time_that_comes_twice_comes_back_as_itself() -> None:
    new_york = ZoneInfo("America/New_York")
    column = ExportColumn("at", Holds.MOMENT, ("", ""))
    for hour in (4, 5, 6, 7):
        at = datetime(2026, 11, 1, hour, 30, tzinfo=UTC)
        said = cell(column, at, Words("en", new_york))
        given = said if isinstance(said, str) else [MOMENT, said.isoformat()]  # type: ignore[union-attr]
        found = date_of(given, DateOrder(Order.YEAR_FIRST))
        assert isinstance(found, datetime)
        assert (found if found.tzinfo else found.replace(tzinfo=new_york)).astimezone(UTC) == at


VALUES = st.lists(
    st.text("ab;；、\n\"', ", min_size=1, max_size=8).map(str.strip).filter(bool), max_size=5, unique=True
)


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_imp_10_several_values_of_one_cell_come_back_apart(values: list[str]) -> None:
    assert parted(joined(values)) == values


@pytest.mark.parametrize(
    ("text", "values"), [("a；b、c\nd; a", ["a", "b", "c", "d"]), ('"x', ['"x']), ('"x"; y', ['"x"', "y"])]
)
def test_what_people_type_is_taken_apart_as_before(text: str, values: list[str]) -> None:
    assert parted(text) == values


@pytest.mark.parametrize("text", [*TEXTS, "'1.38E+10", "+1.38E+10", "''=1", "=\n1"])
def test_imp_10_every_text_comes_back_from_csv(text: str) -> None:
    assert unguarded(guarded(text)) == text


def test_imp_10_one_of_each_sort_comes_back(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The short form: customers by workbook, contacts by CSV."""
    monkeypatch.setattr("tests.exports.test_round_trip.TEXTS", ("=1+1", "000123", "a;b"))
    trips = Trips(world, tmp_path / "files", "zh")
    for name, format in (("customer", ExportFormat.XLSX), ("contact", ExportFormat.CSV)):
        KINDS[name].make(world)
        before = world.rows(KINDS[name].model)
        id = trips.back(KINDS[name], trips.export(KINDS[name], format), ImportMode.UPDATE)
        assert {row["state"] for row in trips.files.rows_of(id).values()} == {RowState.SAME}
        assert world.rows(KINDS[name].model) == before


@pytest.mark.long
@WAYS
@EACH
@pytest.mark.sampled(sqlite=12, postgresql=4)
def test_imp_10_what_is_exported_makes_the_same_records_anew(
    world: World, tmp_path: Path, name: str, format: ExportFormat, language: str
) -> None:
    kind, trips = KINDS[name], Trips(world, tmp_path / "files", language)
    kind.make(world)
    first = trips.cells(path := trips.export(kind, format))
    kind.away(world)
    id = trips.back(kind, path, ImportMode.INSERT)
    columns = trips.columns(id)
    second = trips.cells(trips.export(kind, format))
    assert len(columns) >= 5
    assert mapped(first, columns) == mapped(second, columns)


NASTY = "=+-@'\"\\;,、；|_x0041%#&<>\t （）Aａ１é中文😀0.E/:~^`{}[]!?\u00a0\u3000\u2028"


@pytest.mark.long
@pytest.mark.parametrize("format", [*ExportFormat])
def test_imp_10_whatever_texts_hold_comes_back(world: World, tmp_path: Path, format: ExportFormat) -> None:
    kind, trips, chosen = KINDS["customer"], Trips(world, tmp_path / "files", "zh"), random.Random(18)

    def some(letters: str, least: int = 1) -> str:
        return "".join(chosen.choices(letters, k=chosen.randint(least, 14)))

    for n in range(190):
        world.customer(
            f"{some(NASTY)}{n}", "li", address=some(NASTY), latest_need=some(NASTY), remark=some(f"{NASTY}\n\r")
        )
    before = world.rows(Customer)
    path = trips.export(kind, format)
    id = trips.back(kind, path, ImportMode.UPDATE)
    assert {row["state"] for row in trips.files.rows_of(id).values()} == {RowState.SAME}
    assert world.rows(Customer) == before
    first = trips.cells(path)
    kind.away(world)
    columns = trips.columns(trips.back(kind, path, ImportMode.INSERT))
    assert mapped(first, columns) == mapped(trips.cells(trips.export(kind, format)), columns)
