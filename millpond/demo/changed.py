"""A bulk change of the demo: the lead has made customers key customers at once, and could still undo it."""

from sqlalchemy import select

import tasks
from models import Customer, User
from resolvers.bulk import changing
from resolvers.bulk.bookkeeping import JOB
from resolvers.exports.listing import Listing
from resolvers.runtime.backend import Backend
from tasks.engine import Engine

MOST = 12


def add(backend: Backend) -> None:
    """Change them, as the lead would in the panel."""
    tasks.load()
    lead = backend.scope(backend.person("lead"), "demo")
    with backend.writer.engine.connect() as connection:
        mine = select(Customer.id).join(User, User.id == Customer.owner_id)
        mine = mine.where(User.department_id == lead.person.department_id, Customer.deleted_at.is_(None))
        ids = tuple(connection.execute(mine.order_by(Customer.id).limit(MOST)).scalars())
    if ids:
        lead.do(changing.begin, Customer, Listing(ids=ids), {"level": "a"}, "年度重点客户盘点")
        Engine(backend, "demo", kinds=(JOB,)).run_due()
