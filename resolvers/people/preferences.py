"""Preferences that every user may choose for themselves, whatever their roles."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, select

from models import PanelPreference, User
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


def panel_settings(scope: Scope) -> Select[Any]:
    """SELECT of how the caller has arranged the panel; no row for a caller who has changed nothing."""
    return select(PanelPreference.settings).where(PanelPreference.user_id == scope.me)


def set_panel_settings(scope: Scope, settings: Mapping[str, Any]) -> None:
    """Keep how the caller has arranged the panel.  It is no change of a record, so the operation log has no entry."""
    with scope.write("user.preferences") as db:
        held = db.get(PanelPreference, scope.me)
        if held is None:
            db.add(PanelPreference(user_id=scope.me, settings=dict(settings)))
        else:
            held.settings = dict(settings)
