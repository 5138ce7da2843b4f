"""Exports of the demo: a finished file of the lead's, and columns that everybody may use."""

from models import Customer
from models.export import ExportRange
from resolvers.exports import exports, profiles, writing
from resolvers.exports.exports import Order
from resolvers.exports.listing import Listing
from resolvers.runtime.backend import Backend
from tasks.workbooks import book_for

COLUMNS = ("number", "name", "stage", "level", "industry", "region", "owner_id", "phone", "last_follow_up_at")
NAME = "周报 Weekly report"


def add(backend: Backend) -> None:
    """Keep columns and write a file, both as the lead would."""
    lead = backend.scope(backend.person("lead"), "panel")
    lead.do(profiles.save_profile, Customer, NAME, COLUMNS, shared=True)
    listing = Listing(condition={"level": {"in": ["a", "b"]}}, order=(("name", False),))
    order = Order(Customer, listing, ExportRange.FILTER, COLUMNS)
    writing.write_now(lead, lead.do(exports.start, order, in_background=False), book_for)
