"""The tables of the sweep: what the route table, the models and the policy cannot tell.

A developer who adds something to the panel adds its line here, and every login sweeps it:

    an entity       KINDS     its form, the field to edit, its records in the dataset; none where texts are all it needs
    a text field    TEXTS     how its text looks, where not every text will do
    a tab           TABS      the rows in it
    a command       COMMANDS  the use case behind it; none where the screen's own method says it all
    a dialog input  DIALOG    what it holds
    a page          PAGES     the names in its address
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import models
from models import Base, Contact, Customer, FollowUp, Opportunity, Plan, User
from models.pool import GranteeKind, Seat
from models.share import ShareLevel
from resolvers.customers import lock as locking
from resolvers.customers import plans, sharing, transfer_related
from resolvers.customers import transfer as transferring
from resolvers.people import accounts, passwords
from resolvers.pool import assign as assigning
from resolvers.pool import claim as claiming
from resolvers.pool import move as moving
from resolvers.pool import release as releasing
from resolvers.records import create_update
from resolvers.runtime.ids import number_of
from tests.support.plain import plain_entities
from tests.support.sign_in import HASH
from tests.support.world import START

from .declared import Kind, Nested, Page, Ref, Table, UseCase, plain_kind
from .oracle import Oracle

DAY = timedelta(days=1)
HOSTILE = '<script>alert("x")</script>\'"><img src=x onerror=alert(1)>{{7*7191}}${7*7191}&lt;'
"""Code in every language that a page, a template or a script could take for its own."""

EARLY = '{"stage":{"eq":"early"}}'
"""A condition about customers, as it is stored."""

KINDS: Table[type[Base], Kind] = Table(
    "KINDS",
    "the form that creates a record, the field to edit and the records of the dataset",
    {
        User: Kind(
            new={"name": "New", "login": "new", "language": "en", "active": "y"},
            records={
                "nil": {"login": "nil", "name": "Nil Noone"},
                "former": {"login": "former", "name": "Fay Former"},
                "left": {"login": "left", "name": "Lew Left"},
            },
            deleted=("left",),
            hostile=({"login": "hostile"},),
        ),
        models.Department: Kind(
            new={"name": "New"},
            records={"a department": {}, "a deleted department": {}},
            deleted=("a deleted department",),
            hostile=({},),
        ),
        models.Role: Kind(
            new={"name": "New", "code": "new_role"},
            records={"a role": {"code": "a_role"}, "a deleted role": {"code": "a_deleted_role"}},
            deleted=("a deleted role",),
            hostile=({"code": "hostile"},),
        ),
        models.UserRole: Kind(
            new={"user_id": Ref("nil"), "role_id": Ref("support")},
            change={"starts_at": "2026-01-01T00:00"},
            records={"a deleted role of sam": {"user_id": Ref("sam"), "role_id": Ref("a role")}},
            deleted=("a deleted role of sam",),
        ),
        models.Dictionary: Kind(
            new={"name": "New", "code": "new"},
            records={
                "the stages": {"code": "opportunity_stage"},
                "a dictionary": {"code": "a_dictionary"},
                "a deleted dictionary": {"code": "a_deleted_dictionary"},
            },
            deleted=("a deleted dictionary",),
            hostile=({"code": "hostile"},),
        ),
        models.DictionaryItem: Kind(
            new={"dictionary_id": Ref("a dictionary"), "key": "new", "label_en": "New", "position": "0"},
            change={"label_en": "Changed"},
            records={
                "an offer": {"dictionary_id": Ref("the stages"), "key": "offer"},
                "an order": {"dictionary_id": Ref("the stages"), "key": "order"},
                "a word": {"dictionary_id": Ref("a dictionary"), "key": "a_word"},
                "a deleted word": {"dictionary_id": Ref("a dictionary"), "key": "a_deleted_word"},
            },
            deleted=("a deleted word",),
            hostile=({"dictionary_id": 1, "key": HOSTILE[:40], "aliases": [HOSTILE]},),
        ),
        models.Pipeline: Kind(
            new={"name": "New", "position": "0"},
            records={"a pipeline": {}, "a deleted pipeline": {}},
            deleted=("a deleted pipeline",),
            hostile=({},),
        ),
        models.PipelineStage: Kind(
            new={
                "pipeline_id": Ref("a pipeline"),
                "stage": "order",
                "kind": "OPEN",
                "position": "0",
                "probability": "5",
            },
            change={"probability": "9"},
            records={
                "a stage": {"pipeline_id": Ref("a pipeline"), "stage": "offer", "required_fields": []},
                "a deleted stage": {"pipeline_id": Ref("a pipeline"), "stage": "order", "required_fields": []},
            },
            deleted=("a deleted stage",),
        ),
        models.CustomerStage: Kind(
            new={"stage": "won", "position": "0"},
            change={"position": "9"},
            records={
                "a customer stage": {"stage": "early", "required_fields": []},
                "a deleted customer stage": {"stage": "won", "required_fields": []},
            },
            deleted=("a deleted customer stage",),
        ),
        models.NumberRule: Kind(
            new={"for_module": "customer", "pattern": "N{seq:3}"},
            change={"pattern": "N{YYYY}{seq:4}"},
            records={
                "a deleted rule": {"for_module": "customer", "pattern": "D{YYYY}{seq:3}"},
                "a rule": {"for_module": "customer", "pattern": "C{YYYY}{seq:3}"},
            },
            deleted=("a deleted rule",),
            is_taken=True,
        ),
        models.CustomField: Kind(
            new={"for_module": "customer", "key": "new", "kind": "TEXT", "label_en": "New", "position": "0"},
            change={"label_en": "Changed"},
            records={
                "a field": {"for_module": "customer", "key": "a_field", "kind": "TEXT"},
                "a deleted field": {"for_module": "customer", "key": "a_deleted_field", "kind": "TEXT"},
            },
            deleted=("a deleted field",),
            hostile=({"for_module": "contact", "key": "hostile", "kind": "TEXT"},),
        ),
        models.DuplicateRule: Kind(
            new={"for_module": "contact", "evidence": "SOUND", "verdict": "CERTAIN"},
            change={"verdict": "POSSIBLE"},
            records={
                "a rule of contacts": {"for_module": "contact", "evidence": "SIMILAR_NAME", "verdict": "POSSIBLE"},
                "a deleted rule of contacts": {"for_module": "contact", "evidence": "DOMAIN", "verdict": "POSSIBLE"},
            },
            deleted=("a deleted rule of contacts",),
        ),
        models.Organisation: Kind(),
        models.Pool: Kind(
            new={"name": "New", "enabled": "y", "priority": "0"},
            records={"lake": {}, "hill": {}},
            deleted=("hill",),
            hostile=({"name": f"Another {HOSTILE}"},),
        ),
        models.ClaimRule: Kind(
            new={"pool_id": Ref("south"), "daily_quota": "7"},
            change={"daily_quota": "9"},
            records={
                "rule of lake": {"pool_id": Ref("lake"), "daily_quota": 20, "capacity": 50},
                "rule of hill": {"pool_id": Ref("hill"), "daily_quota": 20, "capacity": 50},
                "rule of north": {"pool_id": Ref("north"), "daily_quota": 20, "cooldown_days": 3},
            },
            deleted=("rule of hill",),
        ),
        models.ReleaseRule: Kind(
            new={
                "pool_id": Ref("south"),
                "name": "New",
                "lapse": "NO_FOLLOW_UP",
                "days": "9",
                "everybody": "y",
                "max_extensions": "1",
                "extension_days": "7",
            },
            records={
                "a release rule": {"pool_id": Ref("lake"), "days": 9, "everybody": True},
                "a deleted release rule": {"pool_id": Ref("lake"), "days": 9, "everybody": True},
            },
            deleted=("a deleted release rule",),
            hostile=({"pool_id": Ref("north"), "days": 9, "everybody": True},),
        ),
        models.CalendarDay: Kind(
            new={"day": "2026-12-25", "name": "New"},
            records={"a holiday": {"day": date(2026, 1, 1)}, "a deleted holiday": {"day": date(2026, 1, 2)}},
            deleted=("a deleted holiday",),
            inputs={"day": lambda text: {"day": date.fromisoformat(text)}},
            hostile=({"day": date(2026, 5, 1)},),
        ),
        models.ClaimCondition: Kind(
            new={
                "pool_id": Ref("north"),
                "name": "New",
                "condition": EARLY,
                "effect": "OPENS",
                "covers": "CLAIM",
                "to_user": Ref("sam"),
            },
            records={
                "a condition": {"pool_id": Ref("lake"), "name": "A condition", "condition": EARLY},
                "a deleted condition": {"pool_id": Ref("lake"), "name": "A deleted condition", "condition": EARLY},
            },
            deleted=("a deleted condition",),
            pointers={"to_user": User, "to_department": models.Department, "to_role": models.Role},
            inputs={"to_user": lambda text: {"grantee_kind": GranteeKind.USER, "grantee_id": number_of(User, text)}},
            hostile=({"pool_id": Ref("north"), "condition": EARLY},),
        ),
        models.AssignmentRule: Kind(
            new={"pool_id": Ref("south"), "strategy": "WEIGHTED"},
            change={"strategy": "LEAST_LOADED"},
            records={
                "assignment of lake": {"pool_id": Ref("lake"), "strategy": "WEIGHTED"},
                "assignment of hill": {"pool_id": Ref("hill"), "strategy": "WEIGHTED"},
            },
            deleted=("assignment of hill",),
        ),
        models.AssignmentShare: Kind(
            new={"pool_id": Ref("south"), "user_id": Ref("mei"), "weight": "3"},
            change={"weight": "9"},
            records={
                "share of lake": {"pool_id": Ref("lake"), "user_id": Ref("aud"), "condition": EARLY},
                "a deleted share": {"pool_id": Ref("lake"), "user_id": Ref("sam"), "condition": EARLY},
            },
            deleted=("a deleted share",),
            hostile=({"pool_id": Ref("north"), "user_id": Ref("wu"), "condition": EARLY},),
        ),
        models.PoolMember: Kind(
            new={"pool_id": Ref("north"), "seat": "MEMBER", "to_user": Ref("sam")},
            change={"seat": "VIEWER"},
            records={
                "a viewer": {
                    "pool_id": Ref("lake"),
                    "grantee_kind": GranteeKind.USER,
                    "grantee_id": Ref("aud"),
                    "seat": Seat.VIEWER,
                },
                "a role": {
                    "pool_id": Ref("lake"),
                    "grantee_kind": GranteeKind.ROLE,
                    "grantee_id": Ref("finance"),
                },
                "a deleted member": {
                    "pool_id": Ref("south"),
                    "grantee_kind": GranteeKind.USER,
                    "grantee_id": Ref("sam"),
                    "seat": Seat.MEMBER,
                },
            },
            deleted=("a deleted member",),
            pointers={"to_user": User, "to_department": models.Department, "to_role": models.Role},
            inputs={"to_user": lambda text: {"grantee_kind": GranteeKind.USER, "grantee_id": number_of(User, text)}},
        ),
        Customer: Kind(
            new={"name": "New"},
            hostile=(
                {
                    "owner_id": Ref("li"),
                    "number": HOSTILE[:40],
                    "registration_number": HOSTILE[:40],
                    "stage": "early",
                },
                {"pool_id": Ref("north"), "number": f"P{HOSTILE[:39]}", "registration_number": HOSTILE[:40]},
            ),
        ),
        Contact: Kind(
            new={"name": "New", "customer_id": Ref("of li")},
            called="contact",
            under_customer={},
            nested=Nested(
                "points",
                models.ContactPoint,
                "contact_id",
                ({"kind": "PHONE", "value": "1300{n:03d}5500"}, {"kind": "EMAIL", "value": "zq{n:03d}@mark.example"}),
            ),
            hostile=(
                {
                    "customer_id": 1,
                    "points": [
                        {"kind": "EMAIL", "value": f"{HOSTILE.replace(' ', '')}@x"},
                        {"kind": "OTHER", "value": HOSTILE},
                    ],
                },
            ),
        ),
        Opportunity: Kind(
            new={"name": "New", "customer_id": Ref("of li"), "currency": "CNY"},
            called="deal",
            under_customer={"contact_id": Ref("contact {customer}"), "owner_id": None},
            hostile=({"customer_id": 1, "contact_id": 1, "currency": "CNY"},),
        ),
        FollowUp: Kind(
            new={"customer_id": Ref("of li"), "kind": "CALL", "content": "New", "happened_at": "2026-11-24T08:00"},
            change={"content": "Changed"},
            called="call",
            under_customer={
                "contact_id": Ref("contact {customer}"),
                "opportunity_id": Ref("deal {customer}"),
                "kind": "CALL",
                "happened_at": START,
            },
            hostile=({"customer_id": 1, "contact_id": 1, "kind": "CALL", "happened_at": START},),
        ),
        Plan: Kind(
            new={"customer_id": Ref("of li"), "kind": "CALL", "due_at": "2026-11-25T08:00"},
            change={"content": "Changed"},
            called="plan",
            under_customer={"contact_id": Ref("contact {customer}"), "kind": "CALL", "due_at": START + DAY},
            hostile=({"customer_id": 1, "contact_id": 1, "kind": "CALL", "due_at": START + DAY},),
        ),
    },
)
"""In the order in which the records are created: a reference points up, or to the small world."""
for _model, _values in plain_entities().items():
    KINDS.setdefault(_model, plain_kind(_model, _values))

TEXTS = {"phone": "1300{n:03d}5500", "number": "ZQ{n:03d}", "email": "zq{n:03d}@mark.example"}
"""Text fields that take texts of one form only -> a canary; any other text field takes any word."""
KEYS = {"login", "code", "key", "condition", "pattern", "language", "for_module", "time_zone", "dictionary", "target"}
"""Text fields whose values are keys: they hold no canary."""
HIDDEN_FIELDS = (
    "customer.name",
    "customer.remark",
    "contact.name",
    "contact.points",
    "opportunity.amount",
    "followup.content",
)
"""Fields that a policy line hides in turn; the first of them in brief."""

Row = Mapping[str, Any]


def _is_due(oracle: Oracle, row: Row, first: timedelta, end: timedelta) -> bool:
    """Whether an open plan of the user is due between these times from now, which is eight o'clock."""
    is_mine = row["state"] == "OPEN" and row["owner_id"] == oracle.person.id
    return is_mine and START + first <= row["due_at"] < START + end


TABS: Table[tuple[str, str], Callable[[Oracle, Row], bool]] = Table(
    "TABS",
    "whether a row is in this tab of this screen",
    {
        ("customer", "mine"): lambda oracle, row: row["owner_id"] == oracle.person.id,
        ("customer", "team"): lambda oracle, row: row["department_id"] in oracle.person.subtree,
        ("customer", "pool"): lambda _oracle, row: row["pool_id"] is not None,
        ("customer", "approve"): lambda _oracle, row: row["approval"] == "PENDING",
        ("customer", "locked"): lambda _oracle, row: row["locked_by_id"] is not None,
        ("custom-field", "customer"): lambda _oracle, row: row["for_module"] == "customer",
        ("custom-field", "contact"): lambda _oracle, row: row["for_module"] == "contact",
        ("custom-field", "opportunity"): lambda _oracle, row: row["for_module"] == "opportunity",
        ("custom-field", "followup"): lambda _oracle, row: row["for_module"] == "followup",
        ("customer", "quiet"): lambda oracle, row: (
            row["owner_id"] == oracle.person.id
            and (row["last_follow_up_at"] is None or row["last_follow_up_at"] < START - 30 * DAY)
        ),
        ("customer", "falling"): lambda oracle, row: (
            row["owner_id"] == oracle.person.id and row["release_due_at"] is not None
        ),
        ("plan", "mine"): lambda oracle, row: row["state"] == "OPEN" and row["owner_id"] == oracle.person.id,
        ("plan", "overdue"): lambda oracle, row: _is_due(oracle, row, -10_000 * DAY, timedelta()),
        ("plan", "today"): lambda oracle, row: _is_due(oracle, row, timedelta(), timedelta(hours=16)),
        ("plan", "coming"): lambda oracle, row: _is_due(
            oracle, row, timedelta(hours=16), 7 * DAY + timedelta(hours=16)
        ),
        ("plan", "open"): lambda _oracle, row: row["state"] == "OPEN",
        ("pooled", "longest"): lambda _oracle, row: row["pool_id"] is not None,
        ("pooled", "newest"): lambda _oracle, row: row["pool_id"] is not None,
        ("pooled", "open"): lambda oracle, row: row["pool_id"] in oracle.person.member_pools,
        ("contact", "mine"): lambda oracle, row: (
            (row["owner_id"] or oracle.world.row(Customer, row["customer_id"])["owner_id"]) == oracle.person.id
        ),
        ("contact", "primary"): lambda _oracle, row: row["is_primary"],
        ("opportunity", "mine"): lambda oracle, row: row["owner_id"] == oracle.person.id,
        ("opportunity", "open"): lambda oracle, row: (
            row["owner_id"] == oracle.person.id and row["state"] in ("OPEN", "ON_HOLD")
        ),
        ("opportunity", "stale"): lambda _oracle, row: row["stale_at"] is not None and row["stale_at"] <= START,
        ("opportunity", "won"): lambda _oracle, row: row["state"] == "WON",
        ("follow-up", "mine"): lambda oracle, row: row["owner_id"] == oracle.person.id,
        ("user", "active"): lambda _oracle, row: row["active"],
        ("user", "new"): lambda oracle, row: row["active"] and not oracle.has_signed_in(row["id"]),
        ("user", "roleless"): lambda oracle, row: row["active"] and not oracle.world.principal(row["login"]).roles,
        ("user", "left"): lambda _oracle, row: not row["active"],
    },
)
"""(Screen, tab) -> which rows are in it; a tab called `all` holds all."""

COMMANDS: Table[tuple[type[Base] | None, str], UseCase] = Table(
    "COMMANDS",
    "the use case behind this command",
    {
        (None, "claim"): lambda scope, it: claiming.claim(scope, it.ids),
        (None, "assign"): lambda scope, it: assigning.assign(scope, it.ids, it["user_id"], reason=it["reason"]),
        (None, "move"): lambda scope, it: moving.move(scope, it.ids, it["pool_id"], it["reason"]),
        (None, "transfer"): lambda scope, it: transferring.transfer(scope, it.ids, it["user_id"], it["reason"]),
        **{
            (model, "transfer"): lambda scope, it: transfer_related.transfer(
                scope, it.model, it.ids, it["user_id"], reason=it["reason"]
            )
            for model in (Contact, Opportunity)
        },
        (None, "release"): lambda scope, it: releasing.release(scope, it.ids, None, it["reason"]),
        (None, "share"): lambda scope, it: sharing.share_customers(
            scope, it.ids, [(GranteeKind.USER, it["to_user"])], sharing.Terms(ShareLevel.EDIT)
        ),
        (None, "lock"): lambda scope, it: locking.lock(scope, it.ids, it["reason"], None),
        (None, "unlock"): lambda scope, it: locking.unlock(scope, it.ids, it["reason"]),
        (None, "delete"): lambda scope, it: create_update.delete(scope, it.model, it.ids),
        (None, "restore"): lambda scope, it: create_update.restore(scope, it.model, it.ids, reason=it["reason"]),
        (None, "purge"): lambda scope, it: create_update.purge(scope, it.model, it.ids, confirm=True),
        (Customer, "erase"): lambda scope, it: create_update.purge(
            scope, it.model, it.ids, confirm=True, skip_bin=True
        ),
        (None, "activate"): lambda scope, it: accounts.set_active(scope, it.ids, active=True),
        (None, "deactivate"): lambda scope, it: accounts.set_active(scope, it.ids, active=False),
        (Plan, "put-off"): lambda scope, it: plans.reschedule(
            scope, it.ids[0], START.replace(day=26, hour=8), it["reason"]
        ),
        (Plan, "complete"): lambda scope, it: plans.complete(scope, it.ids[0], {"content": it["content"]}),
        (None, "one-time-password"): lambda scope, it: passwords.set_one_time_password(scope, it.ids[0], HASH),
    },
)
"""(Entity, or None for any; command) -> its use case, with the inputs of `DIALOG`.

A command without a line is compared with the method of its screen.
"""
COVERED_ELSEWHERE = {"see-as", "copy", "merge", "share-customer"}
"""Commands that make the user another one, change the policy or another record, or lead to a page: tests of their own."""

DIALOG: Table[str, str] = Table(
    "DIALOG",
    "what this input of a command's dialog holds",
    {
        "user_id": Ref("wu", of=User),
        "role_id": Ref("sales", of=models.Role),
        "pool_id": Ref("north", of=models.Pool),
        "reason": "because",
        "until": "",
        "content": "Spoke",
        "kind": "",
        "next_at": "",
        "next_text": "",
        "due_at": "2026-11-26T08:00",
        "stage": "offer",
        "amount": "12",
        "closed_on": "",
        "lost_reason": "",
        "remark": "",
        "typed": "delete",
        "to_user": Ref("wu", of=User),
        "to_department": "",
        "to_role": "",
        "level": "EDIT",
        "starts_at": "",
        "ends_at": "",
        "without_contact": "",
        "without_opportunity": "",
        "without_followup": "",
        "without_plan": "",
        "may_reshare": "",
        "note": "",
    },
)
"""Input of a dialog -> its value.  All are posted with every command: each takes those that it knows."""

PAGES: Table[str, Page] = Table(
    "PAGES",
    "the names in the address of this page",
    {
        "/admin/": Page(),
        "/admin/account": Page("done"),
        "/admin/bin": Page(),
        "/admin/log": Page("q actor kind action outcome from to before after record batch"),
        "/admin/bulk": Page("before"),
        "/admin/bulk/{id}": Page("list after", may_miss=True),
        "/admin/calendar-year": Page(),
        "/admin/compose": Page("customer contact", may_miss=True),
        "/admin/duplicate-check": Page(),
        "/admin/duplicates": Page("after"),
        "/admin/exports": Page("before"),
        "/admin/imports": Page("before"),
        "/admin/imports/new": Page("target", may_miss=True),
        "/admin/imports/{id}": Page("step state after edit cell saved row", may_miss=True),
        "/admin/jobs": Page("tab before"),
        "/admin/jobs/job": Page("id", may_miss=True),
        "/admin/live": Page("of shown"),
        "/admin/locks": Page(),
        "/admin/log/export": Page("q actor kind action outcome from to record batch", may_miss=True),
        "/admin/login": Page("next"),
        "/admin/shares": Page("tab"),
        "/admin/notifications": Page("tab before"),
        "/admin/notifications/choices": Page(),
        "/admin/notifications/open": Page("id"),
        "/admin/opportunity-board": Page("pipeline whose stale", may_miss=True),
        "/admin/opportunity-board/column": Page("pipeline stage after whose stale", may_miss=True),
        "/admin/palette": Page("records pages"),
        "/admin/palette/found": Page("q"),
        "/admin/password": Page(),
        "/admin/policy": Page("tab role module other", may_miss=True),
        "/admin/policy/effect": Page("draft change"),
        "/admin/policy/history": Page("number before done", may_miss=True),
        "/admin/policy/review": Page("draft count"),
        "/admin/policy/simulator": Page("record person action field"),
        "/admin/release-rehearsal": Page("id", may_miss=True),
        "/admin/report": Page(),
        "/admin/report/show": Page("key period from to by whose alone kept", may_miss=True),
        "/admin/search": Page("q"),
        "/admin/why": Page("record", may_miss=True),
    },
)
"""Page without a record in its path -> the names that its address takes; a test fills each with nonsense."""
