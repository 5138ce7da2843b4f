"""The one base of every screen over a kind of record: list, page, forms and commands, derived and then declared.

A screen says what is special about it and holds no rule.  Lists read through `resolvers.reading.pages` behind the read
wall; writing goes through use cases.
"""

from collections.abc import Mapping
from typing import Any

from resolvers.records import recycle_bin
from resolvers.runtime.batch import Outcome
from resolvers.runtime.scope import Scope

from .command_page import CommandPage
from .commands import command
from .list_page import ListPage
from .record_page import RecordPage
from .screen import served as served
from .translation import Label


class PolicyModelView(ListPage, RecordPage, CommandPage):
    """A whole screen.  Declare what is special; see `screen.py` for what can be declared."""

    @command(
        Label("Delete"),
        icon="trash",
        action="*.delete",
        tone="danger",
        confirm=Label("It goes to the recycle bin with what hangs on it, and can be restored from there."),
        when=lambda row: row["deleted_at"] is None,
    )
    def delete(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        return recycle_bin.delete(scope, self.model, ids)
