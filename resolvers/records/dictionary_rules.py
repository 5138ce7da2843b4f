"""Rules of dictionaries: one stays as long as a field takes its words from it."""

from sqlalchemy.orm import Session

from models import Dictionary
from models.errors import Validation

from ..runtime.lifecycle import Rules
from ..runtime.scope import Scope
from .custom_conversion import model_of
from .dictionaries import customs_of, holding
from .references import refuse_if_any


class DictionaryRules(Rules[Dictionary]):
    """A dictionary stays as long as a field takes its words from it."""

    def deleted(self, scope: Scope, db: Session, row: Dictionary) -> None:
        _refuse_if_wanted(scope, db, row, is_purge=False)

    def purged(self, scope: Scope, db: Session, row: Dictionary) -> None:
        _refuse_if_wanted(scope, db, row, is_purge=True)


def _refuse_if_wanted(scope: Scope, db: Session, row: Dictionary, *, is_purge: bool) -> None:
    """Raise InUse while records hold words of the dictionary, Validation while a field takes its words from there."""
    fields = [*holding(row.code)]
    for model, key in fields:
        refuse_if_any(db, row, model, getattr(model, key).is_not(None), is_purge=is_purge)
    fields += [(model_of(custom.module), custom.word) for custom in customs_of(scope, row.code)]
    for model, _ in fields:
        raise Validation(
            f"{row.name} stays: a field of {model.names.nouns} takes its words from it. Archive words instead.",
            f"“{row.name_zh or row.name}”不能删除：{model.names.zh}有字段使用其词条；可将词条归档。",
        )
