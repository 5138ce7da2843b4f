"""What columns, kinds of records, choices and actions are called.  English here; other languages in the catalogue."""

from collections.abc import Callable, Mapping
from enum import Enum

from models import (
    AuditEntry,
    Base,
    ClaimRule,
    Contact,
    Customer,
    Department,
    Dictionary,
    DictionaryItem,
    FollowUp,
    NumberRule,
    Opportunity,
    Organisation,
    OwnershipPeriod,
    Pool,
    PoolMember,
    Role,
    User,
    UserRole,
)

from .translation import LANGUAGES, Label, gettext

_ = Label  # marks a word for the catalogue; it is translated when it is shown

ONE: dict[type[Base], str] = {
    Customer: _("Customer"),
    Contact: _("Contact"),
    Opportunity: _("Opportunity"),
    FollowUp: _("Follow-up"),
    Pool: _("Pool"),
    PoolMember: _("Seat"),
    ClaimRule: _("Claim rule"),
    User: _("Person"),
    Department: _("Department"),
    Role: _("Role"),
    UserRole: _("Role of a person"),
    Dictionary: _("Dictionary"),
    DictionaryItem: _("Dictionary word"),
    NumberRule: _("Number rule"),
    Organisation: _("Organisation"),
    OwnershipPeriod: _("Ownership"),
    AuditEntry: _("Log entry"),
}
MANY: dict[type[Base], str] = {
    Customer: _("Customers"),
    Contact: _("Contacts"),
    Opportunity: _("Opportunities"),
    FollowUp: _("Follow-ups"),
    Pool: _("Pools"),
    PoolMember: _("Seats"),
    ClaimRule: _("Claim rules"),
    User: _("People"),
    Department: _("Departments"),
    Role: _("Roles"),
    UserRole: _("Roles of people"),
    Dictionary: _("Dictionaries"),
    DictionaryItem: _("Dictionary words"),
    NumberRule: _("Number rules"),
    Organisation: _("Organisation"),
    OwnershipPeriod: _("Ownership history"),
    AuditEntry: _("Operation log"),
}
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
    "happened_at": _("Happened"),
    "archived_at": _("Archived"),
    "started_at": _("From"),
    "ended_at": _("Until"),
    "starts_at": _("From"),
    "ends_at": _("Until"),
    "absent_until": _("Absent until"),
    "lock_expires_at": _("Lock ends"),
    "name_zh": _("Chinese name"),
    "label_en": _("English label"),
    "label_zh": _("Chinese label"),
    "is_primary": _("Primary contact"),
    "do_not_contact": _("Do not contact"),
    "parent_id": _("Above it"),
    "grantee_kind": _("Given to a"),
    "grantee_id": _("Given to"),
    "for_module": _("Numbers of"),
    "points": _("Phones and addresses"),
    "contact_name": _("Contact's name"),
    "contact_title": _("Contact's title"),
    "contact_phone": _("Contact's phone"),
    "contact_email": _("Contact's e-mail"),
    "contact_required": _("New customers need a contact"),
    "two_for_policy": _("Widening the policy takes two people"),
    "email": _("E-mail"),
    "user_id": _("Person"),
    "retain_days": _("Days a customer may stay"),
    "daily_quota": _("Claims per day"),
    "weekly_quota": _("Claims per week"),
    "cooldown_days": _("Days a former owner waits"),
    "protect_days": _("Days new arrivals are protected"),
    "locked": _("Locked"),
    "at": _("Time"),
    "actor_id": _("Person"),
    "wechat": _("WeChat"),
    "seen_by": _("Seen by"),
}
_BY_MODEL: dict[tuple[type[Base], str], str] = {
    (Department, "parent_id"): _("Belongs to"),
    (Customer, "stage"): _("Customer stage"),
    (User, "name"): _("Full name"),
    (Contact, "name"): _("Full name"),
    (DictionaryItem, "parent_id"): _("Wider word"),
    (Organisation, "capacity"): _("Customers per person"),
    (Department, "capacity"): _("Customers per person"),
    (User, "capacity"): _("Customers at most"),
    (ClaimRule, "capacity"): _("Stops at customers held"),
    (Organisation, "name"): _("Organisation's name"),
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
    "OK": _("Done"),
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
DONE = {
    "create": _("created"),
    "edit": _("changed"),
    "delete": _("deleted"),
    "restore": _("restored"),
    "purge": _("deleted for good"),
    "claim": _("claimed"),
    "assign": _("assigned"),
    "release": _("put into the pool"),
    "transfer": _("transferred"),
    "lock": _("locked"),
    "unlock": _("unlocked"),
    "view": _("looked for"),
    "password": _("set the password of"),
    "token": _("made a token for"),
    "end": _("ended a session of"),
    "preferences": _("chose the preferences of"),
    "activate": _("put in force"),
    "share": _("shared"),
    "view_as": _("looked through the eyes of"),
}
"""Verb of an action -> what the log says somebody did to a record."""

ACTIONS = {
    "view": _("View"),
    "create": _("Create"),
    "edit": _("Edit"),
    "delete": _("Delete"),
    "restore": _("Restore"),
    "purge": _("Delete for good"),
    "export": _("Export"),
    "import": _("Import"),
    "transfer": _("Transfer"),
    "release": _("Put into the pool"),
    "claim": _("Claim"),
    "assign": _("Assign"),
    "lock": _("Lock"),
    "unlock": _("Unlock"),
    "share": _("Share"),
    "dupcheck": _("Look for duplicates"),
    "review": _("Review"),
    "activate": _("Put in force"),
}
"""Action of the policy -> what its column is called."""
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
GROUPS = {"touch": _("read or change"), "write": _("change"), "*": _("do anything with")}
"""Group of actions -> what a sentence says."""
_SYSTEM_OBJECTS = {"*": _("everything"), "policy": _("Policy"), "session": _("Signing in"), "system": _("The house")}


def action_label(action: str) -> str:
    """What an action of the policy is called; the word itself for those that no cell shows."""
    return str(ACTIONS[action] if action in ACTIONS else GROUPS.get(action, action))


def scope_label(scope: str) -> str:
    return str(SCOPES.get(scope, scope))


def object_label(object: str) -> str:
    """What a module, or a field of one, is called: `customer.phone` -> Phone."""
    module, _, field = object.partition(".")
    model = next((model for model in MANY if model.module == module), None)
    if field:
        keys = model.__table__.c if model is not None else ()
        return field_label(model, f"{field}_id" if f"{field}_id" in keys else field)
    return many(model) if model is not None else str(_SYSTEM_OBJECTS.get(module, module))


def namer(roles: Mapping[str, str]) -> Callable[[str, str], str]:
    """How sentences about the policy call roles, objects and actions; `roles`: code -> name."""

    def named(kind: str, word: str) -> str:
        if kind == "role":
            return str(roles.get(word, word)) if word != "*" else gettext("Everybody")
        text = object_label(word) if kind == "object" else action_label(word)
        return text[:1].lower() + text[1:]

    return named


def one(model: type[Base]) -> str:
    """What a record of this kind is called."""
    return str(ONE.get(model) or Label(_spelled(model.__name__)))


def many(model: type[Base]) -> str:
    return str(MANY.get(model) or Label(f"{_spelled(model.__name__)}s"))


def field_label(model: type[Base] | None, key: str) -> str:
    """What a column, or a kind of address, is called."""
    if model is not None and (model, key) in _BY_MODEL:
        return str(_BY_MODEL[model, key])
    return str(_SPECIAL[key]) if key in _SPECIAL else gettext(english(key))


def english(key: str) -> str:
    """`latest_need` -> `Latest need`."""
    return key.removesuffix("_id").replace("_", " ").capitalize()


def choice_label(member: Enum | str) -> str:
    """What one member of a choice is called: `CALL` -> Call."""
    word = str(member.value if isinstance(member, Enum) else member)
    return str(_CHOICES[word]) if word in _CHOICES else gettext(word.replace("_", " ").capitalize())


def done(action: str) -> str:
    """What `customer.claim` says in the log: claimed."""
    verb = action.rpartition(".")[2]
    return str(DONE.get(verb) or Label(verb.replace("_", " ")))


def _spelled(name: str) -> str:
    words = "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()
    return words.capitalize()
