"""What a new version brings: starter lines about its new modules and actions, as a draft of the system to be reviewed.

An installation keeps its own policy, so a new module would be open only to roles that may do everything.  The draft has no
effect until a user with the right activates it, and the drafts of users stay as they are.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from models import PolicyDraft, PolicyWord
from models.audit.entries import entry
from models.audit.recording import write_row
from policies import STARTER, InvalidPolicy, Line, parse, validate
from policies.edit import difference, merged, with_lines
from policies.objects import ACTIONS, FIELDS, MODULES
from policies.principal import is_system_role

from ..runtime.policy_store import Ask, current_text, newest, role_codes
from ..runtime.scope import Scope
from .grant_limits import lock_rights
from .policy_revisions import text_of

_WORDS: Any = PolicyWord.__table__


def offer_new_lines(scope: Scope) -> list[str]:
    """Put the starter lines about what is new into the system's draft; returns those lines.

    New is what this installation has never been offered.  A second call offers nothing.  Without a valid policy nothing
    happens, and the next call tries again.
    """
    with scope.write("policy.offer") as db:
        lock_rights(scope, db)
        new = known_words() - set(db.execute(select(PolicyWord.word)).scalars())
        text, codes = current_text(db), role_codes(db)
        if not new or not _is_valid(text):
            return []
        lines = [str(x) for x in _about(new, parse(STARTER)) if _names_a_role_of(codes, x)]
        lines = [line for line in lines if line not in {str(x) for x in parse(text)}]
        if lines:
            _add_to_draft(scope, db, lines, ", ".join(sorted(word.removeprefix(".") for word in new)))
        note_words(db, new, scope.now())
        return lines


def waiting_lines(ask: Ask) -> list[str]:
    """The lines of the system's draft that are not in force."""
    draft = system_draft(ask)
    return difference(current_text(ask), draft)[1] if draft is not None else []


def system_draft(ask: Ask) -> str | None:
    """The text of the system's draft."""
    text: str | None = ask.execute(select(PolicyDraft.text).where(PolicyDraft.author_id.is_(None))).scalar()
    return text


def forget_draft(db: Session, text: str) -> None:
    """Delete the system's draft if all of its lines are in this text, which is about to be in force."""
    draft = system_draft(db)
    if draft is not None and not difference(text, draft)[1]:
        db.execute(
            delete(PolicyDraft).where(PolicyDraft.author_id.is_(None)), execution_options={"synchronize_session": False}
        )


def known_words() -> set[str]:
    """Every module and action of this version, as `PolicyWord` holds them: `vehicle`, `.settle`."""
    return {*MODULES, *(f".{action}" for action in ACTIONS)}


def note_words(ask: Ask, words: Iterable[str], at: object) -> None:
    """Note that the starter lines about these words are in force or have been offered."""
    rows = [{"word": word, "at": at} for word in sorted(words)]
    if rows:
        ask.execute(insert(_WORDS), rows)


# --- steps -----------------------------------------------------------------------------------------------


def _about(words: set[str], lines: Iterable[Line]) -> Iterator[Line]:
    """The lines about a module or a single action among the words."""
    for line in lines:
        if line.kind != "g":
            _, object, action = line.columns[:3]
            if FIELDS.get(object, object) in words or f".{action}" in words:
                yield line


def _names_a_role_of(codes: set[str], line: Line) -> bool:
    role = line.columns[0]
    return role in codes or role == "*" or is_system_role(role)


def _is_valid(text: str) -> bool:
    try:
        return bool(validate(parse(text)))
    except InvalidPolicy:
        return False


def _add_to_draft(scope: Scope, db: Session, lines: list[str], words: str) -> None:
    """Add lines to the system's draft, or begin one on the newest revision."""
    stored = newest(db)
    draft = db.execute(
        select(PolicyDraft).where(PolicyDraft.author_id.is_(None)).with_for_update()
    ).scalar_one_or_none()
    if draft is None:
        draft = PolicyDraft(base=stored.number, text=stored.text)
        db.add(draft)
    elif draft.base != stored.number:
        draft.text, draft.base = merged(text_of(db, draft.base), draft.text, stored.text), stored.number
    draft.text = with_lines(draft.text, ["", f"# --- new in this version: {words} ---", *lines])
    draft.at = scope.now()
    write_row(
        db,
        entry(db.info["signature"], scope.now(), "policy", None, {"lines": [None, lines]}, label=f"#{stored.number}"),
    )
