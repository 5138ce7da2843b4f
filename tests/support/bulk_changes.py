"""Bulk changes in tests: begun as a door begins them, and carried out inline by the job."""

from collections.abc import Sequence
from typing import Any

import tasks
from models import BulkItem, Customer, Entity
from models.bulk_change import ItemState
from resolvers.bulk import changes, changing, undoing
from resolvers.bulk.changes import Made
from resolvers.exports.listing import Listing
from resolvers.runtime.stored_refusals import restored_refusal
from tasks.engine import Engine
from tests.support.world import World


class BulkChanges:
    """The bulk changes of a world."""

    def __init__(self, world: World) -> None:
        tasks.load()
        self.world = world

    def begin(
        self,
        login: str,
        given: dict[str, Any],
        *,
        model: type[Entity] = Customer,
        ids: Sequence[int] = (),
        reason: str | None = None,
        **listing: Any,
    ) -> int:
        chosen = Listing(ids=tuple(ids), **listing)
        id: int = self.world.scope(login).do(changing.begin, model, chosen, given, reason)
        return id

    def changed(self, login: str, given: dict[str, Any], **more: Any) -> int:
        """The id of a bulk change that is carried out."""
        id = self.begin(login, given, **more)
        self.run()
        return id

    def run(self) -> None:
        Engine(self.world.backend, "test").run_due()

    def undo(self, login: str, id: int) -> int:
        """The id of the undoing of a bulk change, carried out."""
        return self.undo_batch(login, self.of(login, id).row.batch_id)

    def undo_batch(self, login: str, batch_id: str) -> int:
        id: int = self.world.scope(login).do(undoing.undo, batch_id)
        self.run()
        return id

    def of(self, login: str, id: int) -> Made:
        made = self.world.run(self.world.scope(login).read(changes.bulk_change, id))
        assert made is not None
        return made

    def states(self, id: int) -> dict[int, ItemState]:
        """Record -> what has become of it."""
        return {row["record_id"]: ItemState(row["state"]) for row in self._items(id)}

    def said(self, id: int, language: str = "en") -> dict[int, str]:
        """Record -> why it was refused or kept."""
        return {
            row["record_id"]: restored_refusal(row["problem"]).say(language)
            for row in self._items(id)
            if row["problem"]
        }

    def _items(self, id: int) -> list[dict[str, Any]]:
        return [row for row in self.world.rows(BulkItem) if row["change_id"] == id]
