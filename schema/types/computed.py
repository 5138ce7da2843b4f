"""Computed fields: labels, locks, roles, log entries, and `can`.

Each is an expression of the compiled statement, under the policy of the rows that it reads.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import strawberry
from graphql import FieldNode
from sqlalchemy import and_, case, func, select

from models import (
    ENTITIES,
    AuditEntry,
    Base,
    ClaimCondition,
    Customer,
    CustomerStagePeriod,
    Department,
    Dictionary,
    DictionaryItem,
    Opportunity,
    OpportunityStagePeriod,
    OwnershipPeriod,
    Pool,
    PoolMember,
    Role,
    User,
)
from models.base import column_of, columns, is_customised, trait_of
from models.customer import locked
from models.former_name import NameKind
from models.pool import GranteeKind
from resolvers.audit import redaction
from resolvers.reading.clauses import COMPUTED, role_codes
from resolvers.reading.former_names import former_of
from resolvers.runtime.custom_fields import referred_kind
from resolvers.runtime.ids import camel
from resolvers.runtime.viewer import Viewer

from ..closed_lists import Action, action_of
from ..plan.dialect import Value, api_value, name_literal, object_of
from ..plan.shape import KINDS, SHAPES, Computed, Expressions, Field, Kind, Parts, PolymorphicId, target_of
from . import allowed, hidden, make
from .custom import MEMBERS, add_values

Arguments = Mapping[str, Any]
Nodes = Sequence[FieldNode]


@strawberry.type(
    description="One field of a change, from what to what, as text; what the reader may not see is left out."
)
class AuditChange:
    field: str
    """The field by its name in the API; of a custom field its key."""
    old: str | None
    """What it held before, as text; null where it was empty."""
    new: str | None
    """What it holds after, as text; null where it was emptied."""


@strawberry.type(description="A name or number under which a customer was known.")
class FormerName:
    kind: NameKind
    """Whether it was a name or a number."""
    value: str
    """The name or number."""
    at: datetime
    """When it was replaced by another one."""


ROW_TYPES = ("Allowed", "AuditChange", "FormerName", *(kind.__name__ for kind in MEMBERS))
"""Object types whose rows the compiled statement builds."""


def add() -> None:
    """Add the computed fields to the derived shapes."""
    add_values()
    allowed.add()
    for model in ENTITIES:
        SHAPES[model]["can"] = Computed(
            partial(_can, model),
            bool,
            "Whether the policy lets you do this to the record now. A lock or a quota may still refuse it.",
            {"action": make.enum_of(Action)},
        )
    worded: tuple[type[Base], ...] = (*ENTITIES, CustomerStagePeriod, OpportunityStagePeriod)
    for kind in worded:
        for column in columns(kind):
            if trait_of(column).dictionary:
                doc = f"The label of `{camel(column.key)}` in your language."
                SHAPES[kind][f"{camel(column.key)}Label"] = Computed(partial(_label, kind, column.key), str | None, doc)
    for owner, key in COMPUTED:
        SHAPES[owner][camel(key)] = Computed(partial(_computed, owner, key), bool, "Whether it is locked now.")
    SHAPES[Customer]["retentionDueAt"] = Computed(
        _retention_due_at, datetime | None, "When its days in the pool are over; null for ever, or with an owner."
    )
    SHAPES[Customer]["ownershipHistory"] = Parts("customer_id", OwnershipPeriod, "started_at")
    SHAPES[Customer]["stageHistory"] = Parts("customer_id", CustomerStagePeriod, "started_at")
    SHAPES[Opportunity]["stageHistory"] = Parts("opportunity_id", OpportunityStagePeriod, "started_at")
    SHAPES[Customer]["formerNames"] = Computed(
        _former_names,
        list[FormerName],
        "Former names and numbers, the latest first, as far as you may see the present ones.",
    )
    SHAPES[User]["roles"] = Computed(_roles, list[str], "The codes of the roles held now.")
    grantees: dict[str, type[Base]] = {
        GranteeKind.USER: User,
        GranteeKind.DEPARTMENT: Department,
        GranteeKind.ROLE: Role,
    }
    for granting in (PoolMember, ClaimCondition):
        SHAPES[granting]["granteeId"] = PolymorphicId(column_of(granting, "grantee_id"), "grantee_kind", grantees)
    logged = {model.__tablename__: model for model in ENTITIES}
    SHAPES[AuditEntry]["recordId"] = PolymorphicId(column_of(AuditEntry, "record_id"), "entity", logged)
    SHAPES[AuditEntry]["label"] = Computed(partial(_entry_text, "label"), str | None, "What the record was called.")
    SHAPES[AuditEntry]["reason"] = Computed(partial(_entry_text, "reason"), str | None, "The reason that was given.")
    KINDS["LockedCustomer"] = Kind("LockedCustomer", Customer, _masked(), _unlockable, _MASKED_DOC)
    SHAPES[AuditEntry]["changes"] = Computed(_changes, list[AuditChange], "What changed, field by field.")
    hidden.add()


_MASKED_DOC = "A customer that you may unlock, whether or not you may see it: number, owner and state, nothing else."


def _masked() -> dict[str, Field]:
    shown = ("number", "ownerId", "owner", "locked", "lockedAt", "lockExpiresAt")
    return {"customerId": SHAPES[Customer]["id"], **{name: SHAPES[Customer][name] for name in shown}}


def _unlockable(viewer: Viewer, e: Any) -> Value:
    return and_(viewer.where("unlock", Customer, e), locked(e, viewer.person.now))


# --- any entity ------------------------------------------------------------------------------------------


def _can(model: type[Base], compiler: Expressions, e: Any, arguments: Arguments, _nodes: Nodes) -> Value:
    action = action_of(arguments["action"])
    may = compiler.viewer.where(action, model, e)
    return compiler.dialect.boolean(may)


def _computed(
    model: type[Base], key: str, compiler: Expressions, e: Any, _arguments: Arguments, _nodes: Nodes
) -> Value:
    return compiler.dialect.boolean(COMPUTED[model, key](compiler.viewer, e))


def _label(model: type[Base], key: str, compiler: Expressions, e: Any, _arguments: Arguments, _nodes: Nodes) -> Value:
    """The label of a dictionary key; the key itself where the dictionary has no such item."""
    code = trait_of(column_of(model, key)).dictionary
    value = compiler.viewer.value(model, e, key)
    item, dictionary = DictionaryItem.__table__.alias(), Dictionary.__table__.alias()
    chinese = compiler.viewer.language.startswith("zh")
    label = func.coalesce(item.c.label_zh, item.c.label_en) if chinese else item.c.label_en
    known = (
        select(label)
        .join(dictionary, dictionary.c.id == item.c.dictionary_id)
        .where(dictionary.c.code == code, item.c.key == value, item.c.deleted_at.is_(None))
        .where(compiler.viewer.rows(DictionaryItem, item.c))
        .limit(1)
        .correlate_except(item, dictionary)
    )
    return func.coalesce(known.scalar_subquery(), value)


def _retention_due_at(compiler: Expressions, e: Any, _arguments: Arguments, _nodes: Nodes) -> Value:
    """`pooled_at` and the days of the pool, as far as the viewer sees both."""
    viewer, pool = compiler.viewer, Pool.__table__.alias()
    days = viewer.value(Pool, pool.c, "retain_days")
    since = compiler.viewer.value(Customer, e, "pooled_at")
    kept = select(compiler.dialect.days_after(since, days)).where(pool.c.id == e.pool_id, viewer.rows(Pool, pool.c))
    return kept.correlate_except(pool).scalar_subquery()


def _roles(compiler: Expressions, e: Any, _arguments: Arguments, _nodes: Nodes) -> Value:
    codes = role_codes(compiler.viewer, e.id).subquery()
    return compiler.array_of(codes.c.code, codes.c.code, codes)


def _former_names(compiler: Expressions, e: Any, _arguments: Arguments, nodes: Nodes) -> Value:
    former, of_it = former_of(compiler.viewer, e)
    columns = {"kind": former.c.kind, "value": former.c.value, "at": former.c.at}
    values = {name: api_value(compiler.dialect, column) for name, column in columns.items()}
    values["__typename"] = name_literal("FormerName")
    fields = compiler.operation.subfields("FormerName", nodes)
    item = object_of(compiler.dialect, [(alias, values[group[0].name.value]) for alias, group in fields.items()])
    shown = select(item.label("item"), (-former.c.id).label("n")).select_from(former).where(of_it).order_by("n")
    rows = shown.correlate(e.id.table).subquery()
    return compiler.array_of(compiler.dialect.json(rows.c.item), rows.c.n, rows)


# --- the operation log -----------------------------------------------------------------------------------


def _entry_text(key: str, compiler: Expressions, e: Any, _arguments: Arguments, _nodes: Nodes) -> Value:
    return redaction.redacted_text(compiler.viewer, e, key)


def _changes(compiler: Expressions, e: Any, _arguments: Arguments, nodes: Nodes) -> Value:
    """The changes of a log entry, without the fields that the viewer may not see in the record."""
    pair = compiler.dialect.each_pair(e.changes, "pair")
    old, new = (
        _prefix(compiler.viewer, e, pair.c.key).concat(compiler.dialect.element(pair.c.value, n)) for n in (0, 1)
    )
    values = {"__typename": name_literal("AuditChange"), "field": _camel(pair.c.key), "old": old, "new": new}
    fields = compiler.operation.subfields("AuditChange", nodes)
    item = object_of(compiler.dialect, [(alias, values[group[0].name.value]) for alias, group in fields.items()])
    shown = select(item.label("item"), pair.c.key.label("n")).select_from(pair)
    shown = shown.where(*redaction.change_is_visible(compiler.viewer, e, pair.c.key)).order_by("n")
    rows = shown.correlate(e.id.table).subquery()
    return compiler.array_of(compiler.dialect.json(rows.c.item), rows.c.n, rows)


def _prefix(viewer: Viewer, e: Any, name: Value) -> Value:
    """The prefix that turns a number in the log into a global id; empty where the field is no foreign key."""
    pointers = {
        f"{model.__tablename__}.{column.key}": f"{target.prefix}_"
        for model in ENTITIES
        for column in columns(model)
        if (target := target_of(column)) is not None and not column.primary_key
    }
    tables = {model.module: model.__tablename__ for model in ENTITIES if is_customised(model)}
    for custom in viewer.policy.book.fields.values():
        if (target := referred_kind(custom)) is not None and custom.module in tables:
            pointers[f"{tables[custom.module]}.{custom.word}"] = f"{target.prefix}_"
    return case(pointers, value=e.entity.concat(".").concat(name), else_="")


def _camel(name: Value) -> Value:
    """`owner_id` of the log -> `ownerId` of the API."""
    keys = {column.key for model in ENTITIES for column in columns(model)}
    spelled = {key: camel(key) for key in sorted(keys) if camel(key) != key}
    return case(spelled, value=name, else_=name)
