"""Names that doors and refusals share: global ids, and field names in camelCase."""

import re

from models import (
    PROTECTED,
    ApiToken,
    Attachment,
    Base,
    BulkChange,
    Export,
    ExportProfile,
    ImportBatch,
    Job,
    MergeRecord,
    Notice,
    PolicyDraft,
    SavedView,
    Share,
    ShareRequest,
    SignInAttempt,
    SignInSession,
    Upload,
    WordMerge,
)

LARGEST_ID = 2**31 - 1
"""The largest key that a column holds; PostgreSQL refuses to compare with more."""

_NUMBER = re.compile(r"[1-9][0-9]{0,9}")

_TABLES: dict[str, str] = {model.module: model.__tablename__ for model in reversed(PROTECTED)}
_UNPROTECTED: dict[type[Base], str] = {
    ApiToken: "tok",
    Attachment: "att",
    BulkChange: "blk",
    Export: "exp",
    ExportProfile: "xpf",
    ImportBatch: "imp",
    Job: "job",
    MergeRecord: "mrg",
    Notice: "ntc",
    PolicyDraft: "drf",
    SavedView: "viw",
    Share: "shr",
    ShareRequest: "srq",
    SignInAttempt: "try",
    SignInSession: "ses",
    Upload: "upl",
    WordMerge: "wmg",
}
"""The prefix of a table that is not protected and so declares none of its own."""
ME = "me"
"""The prefix of the caller's own id as the caller, beside their id as a user."""
BY_PREFIX: dict[str, type[Base]] = {model.prefix: model for model in PROTECTED if model.prefix}


def camel(name: str) -> str:
    """`owner_id` -> `ownerId`.  A custom field keeps its key, which is data: `custom.net_score`."""
    if "." in name:
        return str(name)
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)


def snake(name: str) -> str:
    """`ownerId` -> `owner_id`: the column key of an input."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


def table_of(module: str) -> str:
    """The table under which a module is logged: that of its first model, the word itself for a module without one."""
    return _TABLES.get(module, module)


def global_id(model: type[Base], id: int) -> str:
    """`cus_12`."""
    return f"{prefix_of(model)}_{id}"


def number_of(model: type[Base], text: object) -> int:
    """The number in a global id of `model`; 0, which no record has, for anything else.

    So a broken id, a foreign one and a missing one all find nothing and are answered alike.
    """
    prefix, number = parts_of(text)
    return number if prefix == prefix_of(model) else 0


def parts_of(text: object) -> tuple[str, int]:
    """(prefix, number) of a global id; the number is 0, which no record has, where it is none."""
    prefix, _, digits = str(text).partition("_")
    number = int(digits) if _NUMBER.fullmatch(digits) else 0
    return prefix, number if number <= LARGEST_ID else 0


def prefix_of(model: type[Base]) -> str:
    """What the global ids of a model begin with, like `cus`."""
    return model.prefix or _UNPROTECTED[model]
