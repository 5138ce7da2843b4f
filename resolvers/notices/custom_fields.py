"""Telling those who see a custom field that it is there."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from models import CustomField
from models.custom_field import PREFIX
from models.errors import Validation
from models.names import OF_MODULE

from ..runtime import principals
from ..runtime.batch import Mode, Outcome, each
from ..runtime.scope import Scope
from .notify import notify

_HELP = "You find it in forms, on pages and among the columns.", "可在表单、详情页和列表列中使用。"
"""What the notice says of a field without help."""


def announce(scope: Scope, ids: Sequence[int], mode: Mode = Mode.BEST_EFFORT) -> Outcome:
    """Tell every active user who sees these fields in some record what they are for, each user once per field.

    Problems: NOT_FOUND, FORBIDDEN, IN_BIN, VALIDATION (retired).
    """

    def work(db: Session, id: int) -> None:
        row = scope.load(db, CustomField, id, to="edit")
        if row.retired_at is not None:
            raise Validation(f"{row.label} is retired.", f"“{row.label_zh or row.label}”已停用。")
        names = OF_MODULE[row.for_module]
        called, help_en = (row.label_en, row.label_zh or row.label_en), row.help_en or _HELP[0]
        told = {
            "field": called,
            "records": (names.nouns, names.zh),
            "help": (help_en, row.help_zh or row.help_en or _HELP[1]),
        }
        notify(scope, db, "custom_field", _readers(scope, db, row), None, **told)

    return each(scope, "customfield.announce", CustomField, ids, mode, work)


def _readers(scope: Scope, db: Session, row: CustomField) -> list[int]:
    """The active users whose policy shows the field in some record."""
    word = f"{row.for_module}.{PREFIX}{row.key}"
    people = principals.everybody(db.connection(), scope.now())
    return [x.id for x in people if x.id is not None and scope.policy.ever(x, "view", word)]
