"""A customer of the demo that waits for approval, from a time when the organisation asked for it."""

from models import Customer, Organisation
from resolvers.records import create_update
from resolvers.runtime.backend import Backend

COUNT = 1
"""Number of customers that are made here."""


def add(backend: Backend) -> None:
    """Let a seller enter it while new customers need approval, which those who try the demo need not wait for."""
    system, seller = backend.system("demo"), backend.scope(backend.person("mei"), "demo")
    system.do(create_update.update, Organisation, 1, {"approve_customers": True})
    given = {"name": "苏州云帆精密制造有限公司", "phone": "0512 6688 2310", "source": "referral"}
    contact = {"contact_name": "陆一鸣", "contact_phone": "0512 6688 2311"}
    seller.do(create_update.create, Customer, {**given, **contact})
    system.do(create_update.update, Organisation, 1, {"approve_customers": False})
