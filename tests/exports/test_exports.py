"""Exports: what is in the file, whose it is, how long it is kept, and what the log says of it."""

import os
import stat
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, update

from models import AuditEntry, Contact, Customer, Export, Job, Notice, Opportunity, Organisation
from models.errors import (
    ExportEnded,
    ExportExpired,
    ExportGone,
    Forbidden,
    NotExported,
    NotFound,
    NothingToExport,
    TooManyRecords,
    Validation,
)
from models.export import ExportFormat, ExportRange, ExportState
from models.job import JobState
from resolvers.exports import exports, housekeeping
from resolvers.exports.exports import Order
from resolvers.exports.listing import Listing
from resolvers.jobs.kinds import Work
from tests.support.exporting import CSV, Exports, opened
from tests.support.refusals import add_line
from tests.support.world import World


def _set(world: World, statement: Any) -> None:
    with world.backend.writer.engine.begin() as connection:
        connection.execute(statement)


def _all(world: World, statement: Any) -> list[Any]:
    with world.backend.writer.engine.connect() as connection:
        return [*connection.execute(statement)]


NAMES = ("number", "name", "stage", "owner_id")


def test_a_file_holds_the_list_in_its_order_with_words_for_keys(world: World, exporting: Exports) -> None:
    world.customer("Beta", "li", stage="won")
    world.customer("Acme", "li", stage="early")
    world.customer("Hidden", "mei", stage="early")

    listing = Listing(condition={"stage": {"in": ["early", "won"]}}, order=(("name", False),))
    rows = exporting.made("lead", Customer, listing, NAMES)

    assert rows[0] == ["Number", "Name", "Customer stage", "Owner"]
    assert [row[1:] for row in rows[1:]] == [["Acme", "Early", "Li Na"], ["Beta", "Won", "Li Na"]]


def test_a_chinese_maker_gets_chinese_words(world: World, exporting: Exports) -> None:
    world.customer("华兴", "li", stage="early", phone="13800138000")
    world.ada.do(_speak_chinese, world.ids["lead"])
    rows = exporting.made("lead", Customer, Listing(), ("name", "stage", "locked"))

    assert rows == [["名称", "客户阶段", "已锁定"], ["华兴", "early中", "否"]]
    made = exporting.of("lead", 1)
    assert made is not None
    assert made.row.title == "客户"
    assert exports.name_of(made.row, "UTC") == "客户 2026-11-24.xlsx"


def _speak_chinese(scope, user_id):  # type: ignore[no-untyped-def]
    from models import User
    from resolvers.records import create_update

    create_update.update(scope, User, user_id, {"language": "zh"})


def test_times_are_dates_in_the_zone_amounts_numbers_and_numbers_of_records_texts(
    world: World, exporting: Exports
) -> None:
    _set(world, update(Organisation).values(time_zone="Asia/Shanghai"))
    customer = world.customer("Acme", "li")
    world.make(
        Opportunity,
        name="=1+1",
        customer_id=customer,
        amount=Decimal("1200.50"),
        currency="CNY",
        expected_close=datetime(2026, 12, 31, tzinfo=UTC).date(),
    )
    id = exporting.start("ada", Opportunity, columns=("name", "amount", "expected_close", "created_at", "customer_id"))
    exporting.run()
    made = exporting.of("ada", id)
    assert made is not None
    assert made.state is ExportState.DONE
    with opened(exporting.folder / exports.file_of(made.row)) as book:
        sheet = book.worksheets[0]
        name, amount, close, created, customer_cell = next(sheet.iter_rows(min_row=2))
        assert (name.value, name.data_type, name.number_format) == ("=1+1", "s", "@")
        assert (amount.value, amount.number_format) == (1200.5, "#,##0.00")
        assert close.value.date().isoformat() == "2026-12-31"
        assert created.value == datetime.fromisoformat("2026-11-24T16:00")
        assert customer_cell.value.endswith("Acme")
        assert customer_cell.data_type == "s"
        assert sheet.freeze_panes == "A2"
        assert sheet["A1"].font.bold
        assert book.properties.creator == "Ada Ng"
        assert "2026-11-24" in book.properties.description


def test_contacts_come_with_their_phones_as_far_as_the_maker_sees_them(world: World, exporting: Exports) -> None:
    customer = world.customer("Acme", "li")
    points = [{"kind": "PHONE", "value": "+86 138 0013 8000"}, {"kind": "PHONE", "value": "010-6552"}]
    world.make(Contact, name="Hu", customer_id=customer, points=points)

    assert exporting.made("lead", Contact, None, ("name", "points.phone"), **CSV) == [
        ["Full name", "Phone"],
        ["Hu", "'+86 138 0013 8000; 010-6552"],
    ]
    add_line(world, "p, sales_lead, contact.points, view, all, any, deny")
    assert exporting.made("lead", Contact, None, ("name", "points.phone"), **CSV) == [["Full name"], ["Hu"]]


def test_a_selection_holds_the_chosen_records_alone(world: World, exporting: Exports) -> None:
    acme, beta = world.customer("Acme", "li"), world.customer("Beta", "li")
    hidden = world.customer("Hidden", "mei")
    rows = exporting.made("lead", Customer, Listing(ids=(acme, hidden)), ("name",))
    assert rows == [["Name"], ["Acme"]]
    assert beta
    with pytest.raises(NothingToExport):
        exporting.start("lead", Customer, Listing(), range=ExportRange.SELECTION)


def test_the_right_to_export_is_another_than_to_view_and_covers_its_own_records(
    world: World, exporting: Exports
) -> None:
    world.customer("Acme", "li")
    for login in ("li", "fin", "sam", "aud"):
        with pytest.raises(Forbidden):
            exporting.start(login, Customer)
    assert exporting.made("lead", Customer, None, ("name",)) == [["Name"], ["Acme"]]
    world.lead.do(exports.start, Order(Customer, Listing(), ExportRange.ALL))
    add_line(world, "p, sales_lead, customer, export, all, any, deny")
    exporting.run()
    failed = exporting.of("lead", 2)
    assert failed is not None
    assert failed.state is ExportState.FAILED
    assert failed.error is not None
    with pytest.raises(Forbidden):
        world.lead.do(exports.download, 1)


def test_others_find_no_export_of_mine(world: World, exporting: Exports) -> None:
    world.customer("Acme", "li")
    id = exporting.start("lead", Customer)
    exporting.run()
    assert exporting.of("ada", id) is None
    for use_case in (exports.download, exports.cancel, exports.delete):
        with pytest.raises(NotFound):
            world.ada.do(use_case, id)
    assert len(exporting.rows("lead", id)) == 2


def test_a_file_expires_and_is_gone_from_the_disk(world: World, exporting: Exports) -> None:
    world.customer("Acme", "li")
    id = exporting.start("lead", Customer)
    with pytest.raises(NotExported):
        world.lead.do(exports.download, id)
    exporting.run()
    (name,) = [path.name for path in exporting.folder.iterdir()]
    path = exporting.folder / name
    assert len(name) > 30
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(exporting.folder.stat().st_mode) == 0o700

    world.clock.pass_by(days=7)
    with pytest.raises(ExportExpired):
        world.lead.do(exports.download, id)
    world.system.do(_expire)
    assert not path.exists()
    made = exporting.of("lead", id)
    assert made is not None
    assert made.state is ExportState.EXPIRED
    world.clock.pass_by(days=31)
    world.system.do(_expire)
    assert exporting.of("lead", id) is None


def _expire(scope):  # type: ignore[no-untyped-def]
    with scope.write("system.tidy") as db:
        housekeeping.expire(scope, db, Work({}, 0, 100, {}))


def test_a_file_that_belongs_to_no_export_is_swept_after_a_day(world: World, exporting: Exports) -> None:
    exporting.folder.mkdir()
    old, fresh = exporting.folder / ("a" * 32 + ".xlsx"), exporting.folder / ("b" * 32 + ".rows")
    for path in (old, fresh):
        path.write_text("x")
    os.utime(old, (0, 0))
    world.system.do(_expire)
    assert (old.exists(), fresh.exists()) == (False, True)


def test_the_log_tells_the_filter_and_the_count_and_each_download(world: World, exporting: Exports) -> None:
    world.customer("Acme", "li", stage="early")
    listing = Listing(condition={"stage": {"in": ["early"]}}, search="acme")
    exporting.rows("lead", _done(exporting, listing))
    entries = {
        x.action: x
        for x in _all(world, select(AuditEntry).where(AuditEntry.entity == "export").order_by(AuditEntry.id))
    }
    assert [*entries] == ["customer.export", "user.download"]
    written = entries["customer.export"]
    assert (written.label, written.record_id, written.actor_name) == ("Customers", None, "Lena Lead")
    assert written.changes["rows"] == [None, 1]
    assert written.changes["filter"] == [None, "Customer stage is one of Early and search: acme"]


def _done(exporting: Exports, listing: Listing) -> int:
    id = exporting.start("lead", Customer, listing)
    exporting.run()
    return id


def test_the_maker_is_told_when_it_is_done(world: World, exporting: Exports) -> None:
    world.customer("Acme", "li")
    _done(exporting, Listing())
    (notice,) = _all(world, select(Notice).where(Notice.receiver_id == world.ids["lead"], Notice.kind == "job_ended"))
    assert notice.facts == {"job": "export_records", "done": 1, "failed": 0}


def test_the_limit_of_the_organisation_is_in_the_sentence(world: World, exporting: Exports) -> None:
    for name in ("A", "B", "C"):
        world.customer(name, "li")
    _set(world, update(Organisation).values(export_rows=2))
    with pytest.raises(TooManyRecords) as refused:
        exporting.start("lead", Customer)
    assert "2 rows" in refused.value.say()
    assert "2 行" in refused.value.say("zh")
    assert len(exporting.made("lead", Customer, Listing(condition={"name": {"in": ["A", "B"]}}))) == 3

    _set(world, update(Organisation).values(export_rows=3))
    id = exporting.start("lead", Customer)
    world.customer("D", "li")
    exporting.run()
    failed = exporting.of("lead", id)
    assert failed is not None
    assert failed.state is ExportState.FAILED
    assert failed.error is not None
    assert "3 rows" in failed.error[0]


def test_what_waits_is_cancelled_and_what_is_done_is_deleted(world: World, exporting: Exports) -> None:
    world.customer("Acme", "li")
    waiting = exporting.start("lead", Customer)
    world.lead.do(exports.cancel, waiting)
    exporting.run()
    made = exporting.of("lead", waiting)
    assert made is not None
    assert made.state is ExportState.CANCELLED
    with pytest.raises(ExportEnded):
        world.lead.do(exports.cancel, waiting)

    done = _done(exporting, Listing())
    world.lead.do(exports.delete, done)
    assert exporting.of("lead", done) is None
    assert [*exporting.folder.iterdir()] == []


def test_an_export_deleted_while_it_waits_leaves_nothing(world: World, exporting: Exports) -> None:
    world.customer("Acme", "li")
    id = exporting.start("lead", Customer)
    world.lead.do(exports.delete, id)
    exporting.run()
    assert _all(world, select(Export)) == []
    (job,) = _all(world, select(Job).where(Job.kind == "export_records"))
    assert job.state is JobState.CANCELLED


def test_a_file_that_was_removed_is_said_to_be_gone(world: World, exporting: Exports) -> None:
    world.customer("Acme", "li")
    id = _done(exporting, Listing())
    for path in exporting.folder.iterdir():
        path.unlink()
    with pytest.raises(ExportGone):
        world.lead.do(exports.download, id)


def test_what_the_maker_never_sees_is_no_column_and_what_is_unknown_is_refused(
    world: World, exporting: Exports
) -> None:
    world.customer("Acme", "li", phone="13800138000")
    add_line(world, "p, sales_lead, customer.phone, view, all, any, deny")
    assert exporting.made("lead", Customer, None, ("phone", "name")) == [["Name"], ["Acme"]]
    with pytest.raises(Validation):
        exporting.start("lead", Customer, columns=("phone",))
    with pytest.raises(Validation):
        exporting.start("lead", Customer, columns=("salt",))


def test_a_filter_of_the_panel_is_kept_with_its_types(world: World, exporting: Exports) -> None:
    early = world.customer("Acme", "li")
    world.clock.pass_by(days=2)
    world.customer("Beta", "li")
    since = world.clock.now - timedelta(days=1)
    listing = Listing(filter={"and": [{"created_at": {"lt": since}}, {"owner_id": {"in": [world.ids["li"]]}}]})
    assert exporting.made("lead", Customer, listing, ("name",)) == [["Name"], ["Acme"]]
    assert early


def test_csv_begins_with_the_mark_of_utf_8(world: World, exporting: Exports) -> None:
    world.customer("华兴", "li")
    id = exporting.start("lead", Customer, columns=("name",), format=ExportFormat.CSV)
    exporting.run()
    stored = world.lead.do(exports.download, id).stored
    assert (exporting.folder / stored).read_bytes() == "\ufeffName\r\n华兴\r\n".encode()


def test_the_filter_is_told_in_the_words_of_each_language(world: World, exporting: Exports) -> None:
    world.customer("Acme", "li", stage="early")
    condition = {
        "and": [
            {"or": [{"stage": {"in": ["early", "won"]}}, {"phone": {"isNull": True}}]},
            {"ownerId": {"in": [f"usr_{world.ids['li']}"]}},
            {"not": {"createdAt": {"lt": "2020-01-01T00:00:00Z"}}},
            {"contacts": {"none": {"name": {"contains": "Hu"}}}},
        ]
    }
    id = exporting.start("lead", Customer, Listing(condition=condition))
    made = exporting.of("lead", id)
    assert made is not None
    said = made.row.said
    assert said.startswith(
        "(Customer stage is one of Early, Won or Phone is empty) and Owner is one of Li Na and not (Created is less than"
    )
    assert said.endswith("Contacts there is none (Full name contains Hu)")
    world.ada.do(_speak_chinese, world.ids["lead"])
    id = exporting.start("lead", Customer, Listing(condition=condition, search="acme"))
    chinese = exporting.of("lead", id)
    assert chinese is not None
    assert chinese.row.said.startswith(
        "（客户阶段属于 early中、won中 或 电话为空） 且 负责人属于 Li Na 且 非（创建时间小于"
    )
    assert chinese.row.said.endswith("联系人不存在（姓名包含 Hu） 且 搜索：acme")
