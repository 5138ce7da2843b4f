"""To whom records may go: the users that dialogs offer, and the transfer of contacts and opportunities."""

from collections.abc import Mapping, Sequence
from typing import Any

from models import Contact, Opportunity, User
from resolvers.customers import transfer_related
from resolvers.ownership.assignees import Candidate
from resolvers.runtime.batch import Outcome
from resolvers.runtime.ids import global_id
from resolvers.runtime.scope import Scope

from ...kit.commands import command
from ...kit.fields import Field, Kind
from ...kit.form_page import Options
from ...kit.formatting import number
from ...kit.panel_request import PanelRequest
from ...kit.translation import Label, gettext

_ = gettext
TO_WHOM = Field("user_id", Kind.RECORD, target=User, name=Label("New owner"), is_required=True)
REASON = Field("reason", Kind.TEXT, name=Label("Reason"), length=200)


@command(
    icon="arrows-exchange",
    action="*.transfer",
    when=lambda row: row["deleted_at"] is None,
    fields=(TO_WHOM, REASON),
)
def transfer(self: Any, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
    """A command of the screens over contacts and over opportunities, whose dialog offers `receivers`."""
    return transfer_related.transfer(scope, self.model, ids, given["user_id"] or 0, reason=given["reason"])


async def receivers(ask: PanelRequest, model: type[Contact | Opportunity], ids: list[int]) -> Options:
    """The users who may look after all of these records."""
    return offered(ask, await ask.scope.read(transfer_related.candidates, model, ids))


def offered(ask: PanelRequest, found: Sequence[Candidate]) -> Options:
    """The options of TO_WHOM."""
    return {"user_id": [(global_id(User, each.id), with_load(ask, each)) for each in found]}


def with_load(ask: PanelRequest, x: Candidate) -> str:
    """A candidate with the customers that they hold, as far as the user may know, and what speaks against them."""
    limit = "" if x.limit is None else f" / {number(ask, x.limit)}"
    load = f"{number(ask, x.held)}{limit}" if x.is_known else ""
    marks = ((x.is_absent, _("absent")), (x.is_full, _("full")), (not x.is_fit, _("may not work with it")))
    return " · ".join(part for part in (x.name, load, *(mark for holds, mark in marks if holds)) if part)
