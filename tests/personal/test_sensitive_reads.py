"""Sensitive reads: who saw whose phone on a page, noted beside the reading."""

from pathlib import Path
from typing import Any

import pytest

from models import Contact, Customer, SensitiveRead
from models.errors import Forbidden
from resolvers.personal.reads import sensitive_reads
from resolvers.runtime.ids import global_id
from tests.support.claim_checks import unchanged
from tests.support.exporting import Exports
from tests.support.graphql import Api
from tests.support.merging import contact
from tests.support.panel import Panel
from tests.support.world import World


def test_a_page_with_a_phone_is_noted_once_a_day_and_a_hidden_one_never(world: World) -> None:
    owned = world.customer("Otter", "li", phone="021 1000")
    pooled = world.customer("Pooled", pool="north", phone="021 2000")
    person, bare = contact(world, owned, "Ann", "138 0013 8000"), contact(world, owned, "Bob")
    pages = [("customer", Customer, owned), ("customer", Customer, pooled), ("contact", Contact, person)]
    panel = Panel(world)
    panel.of("li")
    with unchanged(world):
        for _ in range(2):
            for name, model, id in [*pages, ("contact", Contact, bare)]:
                assert panel.of("li").get(f"/admin/{name}/details/{global_id(model, id)}").status_code == 200
    world.run(world.backend.sensitive_reads.flush())

    noted = {(row["entity"], row["record_id"], row["door"]) for row in world.rows(SensitiveRead)}
    assert noted == {("customer", owned, "panel"), ("contact", person, "panel")}
    assert world.count(SensitiveRead) == 2
    world.clock.pass_by(days=1)
    Panel(world).of("li").get(f"/admin/contact/details/{global_id(Contact, person)}")  # a session lasts half a day
    world.run(world.backend.sensitive_reads.flush())
    assert world.count(SensitiveRead) == 3

    found: Any = world.run(world.ada.read(sensitive_reads, entity="contact", record_id=person))
    assert [(each.reader, each.row.record_id) for each in found] == [("Li Na", person)] * 2
    with pytest.raises(Forbidden):
        world.run(world.li.read(sensitive_reads))


def test_a_file_with_phones_is_noted_with_the_number_of_its_rows(world: World, tmp_path: Path) -> None:
    exporting = Exports(world, tmp_path)
    owned = world.customer("Otter", "li", phone="021 1000")
    contact(world, owned, "Ann", "138 0013 8000")
    for model, columns in ((Customer, ["name"]), (Customer, ["name", "phone"]), (Contact, ["name", "points.phone"])):
        exporting.made("ada", model, columns=columns)

    rows = world.rows(SensitiveRead)

    assert [(row["entity"], row["door"], row["record_id"], row["count"]) for row in rows] == [
        ("customer", "export", None, 1),
        ("contact", "export", None, 1),
    ]
    query = "{ sensitiveReads { door record count reader } }"
    assert (
        Api(world).ask("ada", query)["sensitiveReads"]
        == [{"door": "export", "record": None, "count": 1, "reader": "Ada Ng"}] * 2
    )


def test_what_could_not_be_written_waits_for_the_next_batch(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    owned, reads = world.customer("Otter", "li", phone="021 1000"), world.backend.sensitive_reads
    reads.note(world.ids["li"], "panel", "customer", owned, world.clock())

    async def fail(_work: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(world.backend.writer, "submit", fail)
        with pytest.raises(OSError, match="full"):
            world.run(reads.flush())
    assert world.count(SensitiveRead) == 0

    world.run(reads.flush())
    assert world.count(SensitiveRead) == 1
