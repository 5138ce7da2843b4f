"""What columns, choices and scopes are called, in English; the Chinese words stand in the catalogue.

Kinds of records and actions bring their words in both languages with them: `models/names.py`, `models/actions.py`.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import Enum

from models import (
    PROTECTED,
    Base,
    Contact,
    Customer,
    CustomField,
    Department,
    DictionaryItem,
    DuplicateRule,
    Organisation,
    User,
)
from models.actions import GROUP_LABELS, TABLE
from models.claim_condition import Covers, Effect
from models.custom_field import CustomKind
from models.duplicates import Evidence, Verdict
from models.field_names import FIELD_NAMES
from models.names import OF_MODULE
from models.pipeline import StageKind
from models.pool import OnExpire
from models.pool_assignment import Reason, Strategy
from policies.principal import is_system_role
from resolvers.duplicates.check import Place

from .book import custom_of, named_in_policy
from .translation import LANGUAGES, Label, gettext, language

_ = Label  # marks a word for the catalogue; it is translated when it is shown

_SPECIAL = {
    "created_by_id": _("Created by"),
    "updated_by_id": _("Changed by"),
    "deleted_by_id": _("Deleted by"),
    "locked_by_id": _("Locked by"),
    "created_at": _("Created"),
    "updated_at": _("Changed"),
    "deleted_at": _("Deleted"),
    "locked_at": _("Locked since"),
    "pooled_at": _("In the pool since"),
    "claimed_at": _("Owned since"),
    "started_at": _("From"),
    "ended_at": _("Until"),
    "began": _("How it began"),
    "ended": _("How it ended"),
    "door": _("Channel"),
    "lock_expires_at": _("Lock ends"),
    "attempts": _("Attempts"),
    "locked": _("Locked"),
    "at": _("Time"),
    "actor_id": _("Person"),
    "wechat": _("WeChat"),
    "seen_by": _("Seen by"),
    "shared_with": _("Shared with"),
    "for_everyone": _("For everyone"),
    "tone": _("Colour"),
}
_BY_MODEL: dict[tuple[type[Base], str], str] = {
    (Department, "parent_id"): _("Belongs to"),
    (Customer, "stage"): _("Customer stage"),
    (User, "name"): _("Full name"),
    (Contact, "name"): _("Full name"),
    (DictionaryItem, "parent_id"): _("Parent entry"),
    (Organisation, "capacity"): _("Capacity per person"),
    (Department, "capacity"): _("Capacity per person"),
    (Organisation, "name"): _("Organisation's name"),
    (DuplicateRule, "for_module"): _("Duplicates of"),
    (CustomField, "for_module"): _("Field of"),
    (CustomField, "key"): _("Key for programs"),
    (CustomField, "label_en"): _("English name"),
    (CustomField, "label_zh"): _("Chinese name"),
}
_CHOICES = {
    "USER": _("Person"),
    "DEPARTMENT": _("Department"),
    "ROLE": _("Role"),
    "VIEWER": _("Viewer"),
    "MEMBER": _("Member"),
    "ADMIN": _("Administrator"),
    "WECHAT": _("WeChat"),
    "EMAIL": _("E-mail"),
    **LANGUAGES,
    "followup": _("Follow-up"),
    "NO_FOLLOW_UP": _("No follow-up"),
    "NO_OPPORTUNITY": _("No opportunity"),
    "NO_DEAL": _("No deal"),
    "OK": _("Done"),
    "PENDING": _("Waits for approval"),
    "REJECTED": _("Rejected"),
    "APPROVED": _("Approved"),
    "DENIED": _("Refused"),
    "CREATE": _("Newly made"),
    "CLAIM": _("Claimed"),
    "ASSIGN": _("Assigned"),
    "TRANSFER": _("Transferred"),
    "RESTORE": _("Restored"),
    "IMPORT": _("Imported"),
    "RELEASE": _("Released"),
    "DELETE": _("Put into the bin"),
}
_OF_CHOICE: dict[type[object], dict[str, str]] = {
    Evidence: {
        Evidence.REGISTRATION: _("Same registration number"),
        Evidence.EMAIL: _("Same e-mail address"),
        Evidence.NAME: _("Same name"),
        Evidence.SOUND: _("Name sounds the same"),
        Evidence.TYPING_ERROR: _("Name with a typing error"),
        Evidence.PHONE_AND_NAME: _("Phone and similar name"),
        Evidence.SIMILAR_NAME: _("Similar name"),
        Evidence.PHONE: _("Same phone"),
        Evidence.DOMAIN: _("Same e-mail domain"),
        Evidence.NAME_ELSEWHERE: _("Same name in another place"),
    },
    StageKind: {
        StageKind.OPEN: _("In progress"),
        StageKind.ON_HOLD: _("On hold"),
        StageKind.WON: _("Won"),
        StageKind.LOST: _("Lost"),
    },
    CustomKind: {
        CustomKind.TEXT: _("One line of text"),
        CustomKind.LONG_TEXT: _("Long text"),
        CustomKind.NUMBER: _("A number"),
        CustomKind.MONEY: _("Amount"),
        CustomKind.DATE: _("Date"),
        CustomKind.MOMENT: _("Date and time"),
        CustomKind.YES_NO: _("Yes or no"),
        CustomKind.SINGLE_CHOICE: _("Single choice"),
        CustomKind.MULTIPLE_CHOICE: _("Multiple choice"),
        CustomKind.PHONE: _("Phone number"),
        CustomKind.EMAIL: _("E-mail address"),
        CustomKind.LINK: _("Web address"),
        CustomKind.PERSON: _("One of your people"),
        CustomKind.REFERENCE: _("Another record"),
    },
    Verdict: {
        Verdict.NOTHING: _("Does not count"),
        Verdict.POSSIBLE: _("Possible: only warns"),
        Verdict.CERTAIN: _("Certain: asks for a reason"),
        Verdict.REFUSED: _("Certain: cannot be saved"),
    },
    Effect: {Effect.OPENS: _("Opens them"), Effect.RESERVES: _("Reserves them")},
    Covers: {
        Covers.BOTH: _("Claiming and assigning"),
        Covers.CLAIM: _("Claiming"),
        Covers.ASSIGN: _("Assigning"),
    },
    Strategy: {
        Strategy.ROUND_ROBIN: _("In turn"),
        Strategy.WEIGHTED: _("In turn, by weight"),
        Strategy.LEAST_LOADED: _("Fewest customers held"),
        Strategy.CAPACITY_LEFT: _("Most capacity left"),
    },
    Reason: {
        Reason.CHOSEN: _("Chosen"),
        Reason.FITS: _("Fits, another one's turn"),
        Reason.INACTIVE: _("No longer active"),
        Reason.NO_SEAT: _("No seat in the pool"),
        Reason.ABSENT: _("Absent"),
        Reason.NO_SHARE: _("Share is 0"),
        Reason.FILTERED: _("Takes other customers"),
        Reason.CONDITION: _("A condition of the pool"),
        Reason.COOLDOWN: _("Former owner, still waiting"),
        Reason.FULL: _("Full"),
    },
    OnExpire: {
        OnExpire.NOTIFY: _("Tell the administrators"),
        OnExpire.MOVE_TO_POOL: _("Move to another pool"),
        OnExpire.AUTO_ASSIGN: _("Assign automatically"),
        OnExpire.ARCHIVE: _("Put into an archive"),
        OnExpire.RECYCLE_BIN: _("Put into the recycle bin"),
    },
    Place: {Place.POOL: _("In a pool"), Place.BIN: _("In the recycle bin")},
}
"""Choices whose members share their words with other choices."""
DONE = {action.name: Label(action.done) for action in TABLE if action.done}
"""Verb of an action -> what the log says that a person did to a record."""
ACTIONS = {action.name: Label(action.label) for action in TABLE}
"""Action -> what its column is called."""
GROUPS = {group: Label(english) for group, (english, _chinese) in GROUP_LABELS.items()}
"""Group of actions -> what a sentence says."""
SCOPES = {
    "own": _("Own"),
    "created": _("Made by them"),
    "team": _("Team"),
    "subtree": _("Team and below"),
    "all": _("All"),
    "shared": _("Shared with them"),
    "shared_edit": _("Shared for editing"),
    "pool": _("In their pools"),
    "pool_member": _("In pools where they claim"),
    "pool_admin": _("In pools they administer"),
    "others": _("Of others"),
}
"""Scope of the policy -> what a cell says."""


def action_label(action: str) -> str:
    """What an action or a group of the policy is called."""
    return str(ACTIONS.get(action) or GROUPS.get(action) or action)


def scope_label(scope: str) -> str:
    return str(SCOPES.get(scope, scope))


def object_label(object: str) -> str:
    """What a module, or a field of one, is called: `customer.phone` -> Phone."""
    module, _, field = object.partition(".")
    if field:
        if (custom := named_in_policy(module, field)) is not None:
            return custom.label(language())
        model = next((model for model in PROTECTED if model.module == module), None)
        keys = model.__table__.c if model is not None else ()
        return field_label(model, f"{field}_id" if f"{field}_id" in keys else field)
    if module == "*":
        return gettext("everything")
    return str(Label(OF_MODULE[module].many)) if module in OF_MODULE else module


def namer(roles: Mapping[str, str]) -> Callable[[str, str], str]:
    """How sentences about the policy call roles, objects and actions; `roles`: code -> name."""

    def named(kind: str, word: str) -> str:
        if kind == "role":
            return str(roles.get(word, word)) if word != "*" else gettext("Everybody")
        text = object_label(word) if kind == "object" else action_label(word)
        return text[:1].lower() + text[1:]

    return named


def role_set(roles: Iterable[str], names: Mapping[str, str], none: str = "") -> str:
    """Some roles that are held together, by their names; `names`: code -> name; `none` where there is no role."""
    return " + ".join(sorted(names.get(role, role) for role in roles if not is_system_role(role))) or none


def one(model: type[Base]) -> Label:
    """What a record of this kind is called."""
    return Label(model.names.one)


def many(model: type[Base]) -> Label:
    """What a list of this kind is called."""
    return Label(model.names.many)


def field_label(model: type[Base] | None, key: str) -> str:
    """What a column, a custom field, or a kind of address, is called."""
    if (custom := custom_of(model, key)) is not None:
        return custom.label(language())
    if model is not None and (model, key) in _BY_MODEL:
        return str(_BY_MODEL[model, key])
    if key in _SPECIAL:
        return str(_SPECIAL[key])
    return gettext(FIELD_NAMES[key][0] if key in FIELD_NAMES else english(key))


def english(key: str) -> str:
    """`latest_need` -> `Latest need`."""
    return key.removesuffix("_id").replace("_", " ").capitalize()


def choice_label(member: Enum | str) -> str:
    """What one member of a choice is called: `CALL` -> Call."""
    word = str(member.value if isinstance(member, Enum) else member)
    if special := _OF_CHOICE.get(type(member), {}).get(word):
        return str(special)
    return str(_CHOICES[word]) if word in _CHOICES else gettext(word.replace("_", " ").capitalize())


def done(action: str) -> str:
    """What `customer.claim` says in the log: claimed.  An action that is no longer known is said as it was written."""
    verb = action.rpartition(".")[2]
    return str(DONE.get(verb) or ACTIONS.get(verb) or verb)
