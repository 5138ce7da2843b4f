"""Nonsense that a user may type by hand into an address or a form."""

import pytest

import models
from resolvers.records import create_update
from tests.support.world import World

DEEP = "[" * 1_500
"""JSON that Python cannot read because it is too deep."""
NONSENSE = [
    "a\0b",
    "x" * 10_000,
    "9" * 4_000,
    DEEP,
    "\0",
    "-1",
    "0",
    "1e400",
    "1e-400",
    "1E+13",
    "1E-999999",
    "NaN",
    "sNaN",
    "-Infinity",
    "2147483648",
    "9223372036854775808",
    "１２",
    "٣",
    "²",
    "1_000",
    "null",
    "{}",
    "true",
    "'; DROP TABLE customer; --",
    "%",
    "%s %(x)s {x} {0} {x.__class__}",
    "\\",
    "\ud7ff\U0010ffff\ufffe\u202e",
    "\r\n\t",
    "cus_1\0",
    "usr_99999999999999999999",
    "cus_" + "1" * 5_000,
    "me",
    "0000-00-00",
    "0001-01-01",
    "9999-12-31",
    "1900-01-01",
    "9998-12-31",
    "2026-W01-1",
    "0001-01-01T00:00",
    "9999-12-31T23:59",
    "2026-11-24T08:00:00Z",
    "-id,id,-id",
    "id__class__",
    ",,,,",
    "5b5d",
]
"""In an order such that the first ones break most."""
BRIEFLY = [*NONSENSE[:2], "sNaN", "0001-01-01T00:00", "9999-12-31T23:59"]
"""The nonsense of a form in brief."""
EAST, WEST = "Pacific/Kiritimati", "Pacific/Niue"
"""The time zones farthest ahead and behind UTC: near the ends of the calendar one of them has no date."""
ZONES = [EAST, pytest.param(WEST, marks=pytest.mark.long)]


def move_to(world: World, zone: str) -> None:
    """Give the organisation this time zone."""
    world.system.do(create_update.update, models.Organisation, 1, {"time_zone": zone})
