"""How users want to be told: for each kind of notice, in the panel or not, and by e-mail at once, daily or not."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from models import NoticePreference
from models.errors import Validation
from models.notice import DIGEST_HOUR, MailChoice
from models.notice_kinds import NOTICE_KINDS, NoticeKind

from ..runtime.inputs import out_of_range
from ..runtime.scope import Scope

Choice = tuple[bool, MailChoice]
"""(whether it is shown in the panel, how it is sent by e-mail)."""


@dataclass(frozen=True)
class Choices:
    """The choices of one user."""

    of: Mapping[NoticeKind, Choice]
    digest_hour: int


def choices(scope: Scope, db: Session) -> Choices:
    """What the caller has chosen, and what holds for the kinds about which they have chosen nothing."""
    row = db.get(NoticePreference, scope.me)
    chosen = row.choices if row is not None else {}
    of = {kind: _choice(chosen.get(key, (True, kind.mail))) for key, kind in NOTICE_KINDS.items()}
    return Choices(of, row.digest_hour if row is not None else DIGEST_HOUR)


def choose(scope: Scope, chosen: Mapping[str, Choice], digest_hour: int | None = None) -> None:
    """Change the choices of the caller for these kinds; the others stay.

    Raises Validation for a kind that there is not, and for an hour that no day has.
    """
    for key in chosen:
        if key not in NOTICE_KINDS:
            raise Validation(f"There is no kind of notice “{key[:40]}”.", f"没有“{key[:40]}”这种通知。", field="kind")
    if digest_hour is not None and not 0 <= digest_hour <= 23:
        raise out_of_range("digest_hour", 0, 23)
    with scope.write("user.preferences") as db:
        row = db.get(NoticePreference, scope.me)
        if row is None:
            row = NoticePreference(user_id=scope.me, choices={}, digest_hour=DIGEST_HOUR)
            db.add(row)
        row.choices = row.choices | {key: [in_panel, mail.value] for key, (in_panel, mail) in chosen.items()}
        row.digest_hour = digest_hour if digest_hour is not None else row.digest_hour


def _choice(stored: tuple[bool, str]) -> Choice:
    in_panel, mail = stored
    return bool(in_panel), MailChoice(mail)
