"""Preferences that every user may choose for themselves, whatever their roles."""

from sqlalchemy import select

from models import User
from models.errors import NotFound

from ..runtime.inputs import check_language
from ..runtime.scope import Scope
from ..runtime.write_guard import permit


def set_language(scope: Scope, language: str) -> None:
    """Set the language of the caller: `en` or `zh`.  Raises Validation."""
    with scope.write("user.preferences") as db:
        me = db.execute(select(User).where(User.id == scope.me)).scalar_one_or_none()
        if me is None:
            raise NotFound(what=User.names)
        permit(db, me, "preferences")
        check_language(language)
        me.language = language
