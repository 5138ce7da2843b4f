"""The base of every screen over a kind of record: list, page, forms and commands, derived from the model.

A screen declares what is special about it and holds no rule.  Lists are read by `resolvers.reading.pages` behind the
read guard; every change goes through a use case.
"""

from collections.abc import Mapping
from typing import Any

from resolvers.records import recycle_bin
from resolvers.runtime.batch import Outcome
from resolvers.runtime.scope import Scope

from .command_page import CommandPage
from .commands import command
from .create_page import CreatePage
from .fact_page import FactPage
from .list_page import ListPage
from .restore_page import RestorePage
from .translation import Label


class PolicyModelView(ListPage, CreatePage, FactPage, RestorePage, CommandPage):
    """A whole screen.  `screen.py` lists what a screen can declare."""

    @command(
        icon="trash",
        action="*.delete",
        tone="danger",
        confirm=Label("It goes to the recycle bin with what hangs on it, and can be restored from there."),
        when=lambda row: row["deleted_at"] is None,
    )
    def delete(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        return recycle_bin.delete(scope, self.model, ids)
