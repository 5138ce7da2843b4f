"""Sensitive reads: who saw whose phone on a page, noted beside the reading."""

from typing import Any

import pytest

from models import Contact, Customer, SensitiveRead
from models.errors import Forbidden
from resolvers.personal.reads import sensitive_reads
from resolvers.runtime.ids import global_id
from tests.support.claim_checks import unchanged
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
