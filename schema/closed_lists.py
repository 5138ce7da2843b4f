"""Closed lists: texts of the models of which only certain ones can be, as enums of the API.

The database, the policy and the log keep their own words.  The value of a member is the stored text, unless
`CLOSED` says how a column spells it.
"""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column

from models import ENTITIES, AuditEntry, Base, CustomField, DuplicateRule, NumberRule, Organisation, User
from models.actions import BY_NAME, TABLE
from models.attribute_docs import paragraph_of
from models.audit.entries import DOORS
from models.names import OF_MODULE, SYSTEM_MODULES
from models.notice_kinds import NOTICE_KINDS
from models.people import LANGUAGES
from policies.objects import MODULES, RIGHTS, is_done_to


def closed_list(name: str, doc: str, members: Iterable[tuple[str, str]]) -> Any:
    """An enum of stored texts, each with what it means; `customer.claim` becomes `CUSTOMER_CLAIM`."""
    given = dict(members)
    kind: Any = enum.StrEnum(name, {_spelled(text): text for text in given}, module=__name__)  # type: ignore[misc]  # from the models
    kind.__doc__ = doc
    MEANINGS[kind] = given
    return kind


MEANINGS: dict[Any, Mapping[str, str]] = {}
"""Enum -> what each of its values means."""


def _spelled(text: str) -> str:
    return text.replace(".", "_").replace(" ", "_").upper()


def snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


def _done_to(action: Any) -> str:
    """The kinds of records that have an action, as one says them."""
    return ", ".join(OF_MODULE[module].nouns for module in sorted(MODULES) if is_done_to(action, module))


# --- the lists -------------------------------------------------------------------------------------------

Action: Any = closed_list(
    "Action",
    "What is done to records, under a right of its own.",
    ((action.name, f"{action.label}: a right on {_done_to(action)}.") for action in RIGHTS),
)

_KINDS: tuple[type[Base], ...] = (*ENTITIES, AuditEntry)
KINDS_OF_RECORDS: dict[str, type[Base]] = {snake(model.__name__): model for model in _KINDS}
"""Member of `EntityName` -> the model."""
EntityName: Any = closed_list(
    "EntityName",
    "A kind of records, or a part of the system that the log tells about.",
    (
        *((name, paragraph_of(model.__doc__)) for name, model in KINDS_OF_RECORDS.items()),
        *((module, f"{names.one}: a part of the system, without records.") for module, names in SYSTEM_MODULES.items()),
    ),
)

LoggedAction: Any = closed_list(
    "LoggedAction",
    "What a log entry says was done, and to what.",
    (
        (f"{module}.{action.name}", f"{BY_NAME[action.name].label}, in the log of {OF_MODULE[module].nouns}.")
        for module in sorted(MODULES)
        for action in TABLE
        if is_done_to(action, module)
    ),
)

Door: Any = closed_list("Door", "Where a change came in.", DOORS.items())
Language: Any = closed_list(
    "Language",
    "The language in which Millpond speaks to a person.",
    zip(LANGUAGES, ("English.", "Chinese."), strict=True),
)
QuotaPeriod: Any = closed_list(
    "QuotaPeriod",
    "How long a limit on claiming lasts until it starts again.",
    (("day", "A day of the organisation."), ("week", "A week of the organisation, from Monday.")),
)
NotificationKind: Any = closed_list(
    "NotificationKind",
    "What a notification is about.",
    ((key, f"{kind.label.one}.") for key, kind in NOTICE_KINDS.items()),
)
LineEffect: Any = closed_list(
    "LineEffect", "What a policy line does where it fires.", (("allow", "It allows."), ("deny", "It forbids."))
)
Density: Any = closed_list(
    "Density", "How close the rows of a list stand.", (("comfortable", "With room."), ("compact", "Close together."))
)

FormAction: Any = closed_list(
    "FormAction", "What a form is for.", (("create", "A new record."), ("edit", "A record that is there."))
)
RemarkKind: Any = closed_list(
    "RemarkKind",
    "What is odd about a policy line.",
    (
        ("repeated", "Other lines say it, too."),
        ("denied", "Other lines forbid it."),
        ("impossible", "No such record can be."),
        ("nobody", "Nobody holds the role."),
    ),
)
ClaimRuleName: Any = closed_list(
    "ClaimRuleName",
    "A rule that a claim is checked against.",
    (
        ("RIGHT", "The right to claim."),
        ("IN_POOL", "The customer is in a pool."),
        ("APPROVAL", "A customer that waits for approval cannot be claimed."),
        ("POOL_OPEN", "The pool is open."),
        ("ARCHIVE", "The pool is no archive."),
        ("PROTECTION", "Customers that are new in the pool wait."),
        ("COOLDOWN", "Former owners wait."),
        ("CONDITIONS", "The conditions of the pool."),
        ("QUOTA_DAY", "The number of claims in a day."),
        ("QUOTA_WEEK", "The number of claims in a week."),
        ("CAPACITY", "The number of customers that a person holds."),
    ),
)


# --- columns ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Closed:
    """The closed list of a column, and how the column spells its members."""

    kind: Any
    stored: Mapping[str, str]
    """Member's value -> what the column holds."""

    def names(self) -> dict[str, str]:
        """What the column holds -> the member's name."""
        return {text: self.kind(value).name for value, text in self.stored.items()}

    def text_of(self, member: Any) -> str:
        """What the column holds for a member, which may be given by its name."""
        value = self.kind[member] if member in self.kind.__members__ else self.kind(member)
        return self.stored.get(value.value, str(value.value))


def _as_is(kind: Any) -> Closed:
    return Closed(kind, {member.value: member.value for member in kind})


_LANGUAGE = _as_is(Language)
_MODULES = Closed(EntityName, {name: model.module for name, model in KINDS_OF_RECORDS.items()})
_TABLES = Closed(
    EntityName,
    {**{name: model.__tablename__ for name, model in KINDS_OF_RECORDS.items()}, **{x: x for x in SYSTEM_MODULES}},
)
CLOSED: dict[tuple[type[Base], str], Closed] = {
    (AuditEntry, "action"): _as_is(LoggedAction),
    (AuditEntry, "door"): _as_is(Door),
    (AuditEntry, "entity"): _TABLES,
    (CustomField, "for_module"): _MODULES,
    (CustomField, "target"): _MODULES,
    (DuplicateRule, "for_module"): _MODULES,
    (NumberRule, "for_module"): _MODULES,
    (Organisation, "language"): _LANGUAGE,
    (User, "language"): _LANGUAGE,
}
"""Text columns that hold members of a closed list."""


def closed_of(column: Column[Any]) -> Closed | None:
    """The closed list of a column; None for any other."""
    return _OF_COLUMN.get((str(column.table), column.key))


_OF_COLUMN = {(model.__tablename__, key): closed for (model, key), closed in CLOSED.items()}


def action_of(member: Any) -> str:
    """The word of policy lines for a member of `Action`, which is text where the executor has not coerced it."""
    return str(Action[member].value) if member in Action.__members__ else str(Action(member).value)


# --- kinds of records ------------------------------------------------------------------------------------


def entity_of(model: type[Base]) -> Any:
    """The member of `EntityName` for a model."""
    return EntityName(snake(model.__name__))


def model_of_entity(member: Any) -> type[Base] | None:
    """The model that a member of `EntityName` stands for; None for a part of the system."""
    return KINDS_OF_RECORDS.get(member.value)


def model_name(member: Any) -> str:
    """The name of the model that a member of `EntityName` stands for; its own text for a part of the system."""
    model = KINDS_OF_RECORDS.get(member.value)
    return model.__name__ if model is not None else str(member.value)


def module_of(member: Any) -> str | None:
    """The word of policy lines for the records that a member of `EntityName` stands for."""
    return None if member is None else _MODULES.text_of(member)


def modules_of(members: Iterable[Any] | None) -> tuple[str, ...] | None:
    """The words of policy lines for several kinds of records; None where none are given."""
    return None if members is None else tuple(_MODULES.text_of(member) for member in members)
