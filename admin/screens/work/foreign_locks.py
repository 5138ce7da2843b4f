"""Locks of other users, for those who may unlock: a line for each, without what the lock closes."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from models import Customer, Entity
from resolvers.customers.foreign_locks import MOST_LOCKS, foreign_locks, hidden_in_bin
from resolvers.reading.offers import Place
from resolvers.runtime.ids import global_id

from ...kit.commands import Command
from ...kit.labels import one
from ...kit.pages import Page
from ...kit.panel_request import panel_request
from ...kit.routes import page_route
from ...kit.translation import Label


class ForeignLocks(Page):
    """The customers that other users keep locked and the user may unlock."""

    icon, group, position, path = "lock", "work", 45, "/locks"
    title = Label("Locks of others")
    hint = Label("Customers that their owners keep locked. You may unlock them; the owner is told.")
    needs = "customer.unlock"
    place = Place(Customer, action="unlock", locked_by_others=True)

    @page_route("/locks", ("customer", "unlock"))
    async def show(self, request: Request) -> Response:
        ask = panel_request(request)
        locks = await ask.scope.read(foreign_locks)
        context = {
            "locks": locks,
            "unlock": self._button(Customer, "unlock", binned=False),
            "is_cut": len(locks) == MOST_LOCKS,
            "hidden": [
                (
                    each,
                    one(each.model),
                    global_id(each.model, each.id),
                    self._button(each.model, "restore", binned=True),
                )
                for each in await ask.scope.read(hidden_in_bin)
            ],
        }
        return await self.render(ask, "locks.html", context)

    def _button(self, model: type[Entity], name: str, *, binned: bool) -> tuple[Any, Command]:
        """(the screen, its command): of the list of a kind of record, or of its recycle bin."""
        screens = (x for x in self.panel.views if getattr(x, "model", None) is model and bool(x.binned) is binned)
        return next((x, each) for x in screens for each in x.commands if each.name == name)
