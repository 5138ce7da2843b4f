"""What can be done to customers, wherever they are listed: claim, assign, move, transfer, release, lock, unlock."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from models import Customer, Pool
from resolvers.customers import approval as approving
from resolvers.customers import lock as locking
from resolvers.customers import transfer as transferring
from resolvers.ownership import assignees
from resolvers.pool import assign as assigning
from resolvers.pool import auto_assign as auto_assigning
from resolvers.pool import claim as claiming
from resolvers.pool import extension as extending
from resolvers.pool import move as moving
from resolvers.pool import release as releasing
from resolvers.pool.destinations import pools_of
from resolvers.reading.pages import ListRequest, Row, page
from resolvers.records import recycle_bin
from resolvers.runtime.batch import Outcome
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.scope import Scope

from ...kit.commands import DETAIL, LIST, ROW, Command, command
from ...kit.fields import Field, Kind
from ...kit.form_page import Options
from ...kit.panel_request import PanelRequest
from ...kit.translation import Label, gettext, listed
from ...kit.view import PolicyModelView
from .receivers import REASON, TO_WHOM
from .receivers import offered as options_of
from .share_commands import FIELDS as SHARE_FIELDS
from .share_commands import share_with

_ = gettext
MOST_POOLS = 200
"""Maximum number of pools that a release or a move offers."""
INSIST = Field(
    "insist",
    Kind.YES_NO,
    name=Label("Insist"),
    help=Label("Also for somebody who is absent or may not work with it. The reason is kept in the log."),
)
RULES = {
    "IN_POOL": Label("It is in a pool"),
    "RIGHT": Label("You may claim there"),
    "APPROVAL": Label("It is approved"),
    "POOL_OPEN": Label("The pool is open"),
    "ARCHIVE": Label("The pool is no archive"),
    "CONDITIONS": Label("Conditions of the pool"),
    "PROTECTION": Label("Protection of new arrivals"),
    "COOLDOWN": Label("Waiting time of former owners"),
    "QUOTA_DAY": Label("Claims today"),
    "QUOTA_WEEK": Label("Claims this week"),
    "CAPACITY": Label("Capacity"),
}


def owned(row: Row) -> bool:
    return row["owner_id"] is not None and row["deleted_at"] is None


def pooled(row: Row) -> bool:
    return row["pool_id"] is not None and row["deleted_at"] is None


def _approved(row: Row) -> bool:
    """Whether nobody has to approve it any more."""
    return row["approval"] in (None, "APPROVED")


def waits_for_approval(row: Row) -> bool:
    return row["approval"] == "PENDING" and row["deleted_at"] is None


def _to_hand_out(row: Row) -> bool:
    """Whether it may leave its pool to an owner."""
    return pooled(row) and _approved(row)


class CustomerCommands(PolicyModelView):
    """The base of every screen over customers."""

    always = ("owner_id", "pool_id", "locked", "deleted_at", "release_due_at", "approval")

    @command(icon="check", action="customer.approve", when=waits_for_approval, tone="primary")
    def approve(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        return approving.approve(scope, ids)

    @command(
        Label("Reject"),
        icon="ban",
        action="customer.approve",
        when=waits_for_approval,
        fields=(replace(REASON, is_required=True),),
    )
    def reject(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        return approving.reject(scope, ids, given["reason"])

    @command(
        Label("Submit for approval"),
        icon="upload",
        action="customer.edit",
        when=lambda row: row["approval"] == "REJECTED" and row["deleted_at"] is None,
    )
    def submit(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        return approving.submit(scope, ids)

    @command(
        icon="hand-grab",
        key="c",
        action="customer.claim",
        where=(ROW, LIST, DETAIL),
        when=_to_hand_out,
        tone="primary",
    )
    def claim(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        return claiming.claim(scope, ids)

    @command(icon="user-plus", action="customer.assign", when=_to_hand_out, fields=(TO_WHOM, REASON))
    def assign(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        return assigning.assign(scope, ids, given["user_id"] or 0, reason=given["reason"])

    @command(
        Label("Assign automatically"),
        icon="users",
        action="customer.assign",
        when=_to_hand_out,
        confirm=Label("Each goes to a member of its pool, by the rule of the pool. Its page then says why."),
    )
    def auto_assign(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        return auto_assigning.auto_assign(scope, ids)

    @command(
        icon="ripple",
        action="customer.move",
        when=pooled,
        fields=(Field("pool_id", Kind.RECORD, target=Pool, name=Label("New pool"), is_required=True), REASON),
    )
    def move(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        return moving.move(scope, ids, given["pool_id"] or 0, given["reason"])

    @command(
        icon="arrows-exchange",
        key="t",
        action="customer.transfer",
        when=lambda row: owned(row) and _approved(row),
        fields=(TO_WHOM, REASON),
    )
    def transfer(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        insist, lifts = bool(given.get("insist")), bool(given.get("lift_lock"))
        owner_id, reason = given["user_id"] or 0, given["reason"]
        return transferring.transfer(scope, ids, owner_id, reason, insist=insist, lift_lock=lifts)

    @command(
        icon="arrow-back-up",
        key="r",
        action="customer.release",
        when=owned,
        fields=(
            Field("pool_id", Kind.RECORD, target=Pool, name=Label("Pool"), help=Label("Empty: by priority.")),
            REASON,
        ),
    )
    def release(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        lifts = bool(given.get("lift_lock"))
        return releasing.release(scope, ids, given["pool_id"], given["reason"], lift_lock=lifts)

    @command(
        icon="hourglass",
        action="customer.extend",
        when=lambda row: owned(row) and row["release_due_at"] is not None,
        fields=(replace(REASON, is_required=True),),
    )
    def extend(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        return extending.extend(scope, ids, given["reason"])

    @command(icon="share", action="customer.share", when=owned, fields=SHARE_FIELDS)
    def share(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        return share_with(scope, ids, given)

    @command(
        icon="lock",
        action="customer.lock",
        when=lambda row: owned(row) and not row["locked"],
        fields=(
            REASON,
            Field("until", Kind.TIME, name=Label("Locked until"), help=Label("Empty: until it is unlocked.")),
        ),
    )
    def lock(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        return locking.lock(scope, ids, given["reason"], given["until"])

    @command(
        icon="lock-open",
        action="customer.unlock",
        when=lambda row: bool(row["locked"]),
        fields=(REASON,),
    )
    def unlock(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        return locking.unlock(scope, ids, given["reason"])

    @command(
        Label("Delete permanently"),
        icon="trash-x",
        action="customer.purge",
        tone="danger",
        when=pooled,
        confirm=Label("This cannot be undone. Only the log and the number stay."),
        typed=Label("delete"),
    )
    def erase(self, scope: Scope, ids: list[int], given: Mapping[str, Any]) -> Outcome:
        """From the pool for good, without the way through the bin."""
        return recycle_bin.purge(scope, Customer, ids, confirm=True, skip_bin=True)

    async def command_fields(self, ask: PanelRequest, which: Command, ids: list[int]) -> tuple[Field, ...]:
        """Also whether locks may end, where one would, and whether the user insists, where they may."""
        fields = which.fields
        if which.name == "transfer" and ask.may("customer.insist"):
            fields = (*fields, INSIST)
        if which.name in ("transfer", "release") and (names := await ask.scope.read(locking.locked_among, ids)):
            told = _("Ends the lock of %(names)s.") % {"names": listed(names)}
            fields = (*fields, Field("lift_lock", Kind.YES_NO, name=_("End the lock"), help=told))
        return fields

    async def command_options(self, ask: PanelRequest, which: Command, ids: list[int]) -> Options:
        """The possible owners with the number of customers that each holds, and the open pools."""
        offered = {"assign": assignees.pool_candidates, "transfer": assignees.owner_candidates}.get(which.name)
        if offered is not None:
            found = await ask.scope.read(offered, ids)
            return options_of(ask, found)
        if which.name in ("release", "move"):
            return {"pool_id": await ask.scope.read(_open_pools, ids if which.name == "move" else ())}
        return {}

    async def explain(self, ask: PanelRequest, which: Command, outcome: Outcome) -> list[tuple[str, bool, str]]:
        """For a single claim that was refused: every rule, whether it passed, and when it will."""
        refused = [x.record_id for x in outcome.problems if x.record_id]
        if which.name != "claim" or len(refused) != 1 or outcome.ids:
            return []
        return await claim_rules(ask, number_of(Customer, refused[0]))


async def claim_rules(ask: PanelRequest, id: int) -> list[tuple[str, bool, str]]:
    """(rule, whether it passed, explanation) of every rule about the claim of a customer."""
    found = await ask.scope.read(claiming.claim_preview, [id])
    rules = []
    for check in found[0].checks if found else ():
        explanation = (check.refusal or check.detail).say(ask.language)
        rules.append((str(RULES.get(check.rule, check.rule)), check.passed, explanation))
    return rules


def _open_pools(scope: Scope, db: Session, moved: Sequence[int]) -> list[tuple[str, str]]:
    """(id, name) of every open pool by priority, without the one in which all the customers lie that are moved."""
    wanted = ListRequest(
        Pool, ("name",), filter={"enabled": {"eq": True}}, order=(("priority", True),), size=MOST_POOLS, counts=False
    )
    former = pools_of(scope, db, moved)
    return [(global_id(Pool, row.id), str(row["name"])) for row in page(scope, db, wanted).rows if former != {row.id}]
