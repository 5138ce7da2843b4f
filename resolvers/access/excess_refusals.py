"""Refusals of too many rights: each names the roles, the right that they would get or lose, and one case of it."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Role
from models.actions import actions_in_chinese, actions_in_english, object_in_chinese, object_in_english
from models.database.bypass import Because, bypass_policy
from models.errors import AdministratorsBound, BeyondCeiling, GrantsToSelf, Refusal
from policies.administrators import Binding
from policies.review import Excess, Roles
from policies.saying import sentence, sentence_of_others

from .branch_names import called


def refuse_excess(db: Session, found: Iterable[Excess], kind: type[Refusal] = BeyondCeiling) -> None:
    """Raise BeyondCeiling, or another kind, for the first excess, if there is one."""
    for first in found:
        raise excess_refusal(db, first.roles, [first.action], first.object, first.when, kind)


def refuse_bindings(db: Session, found: Iterable[Binding]) -> None:
    """Raise AdministratorsBound for the first right that administrators would lose, if there is one."""
    for first in found:
        raise excess_refusal(db, first.roles, [first.action], first.object, first.when, AdministratorsBound)


def excess_refusal(
    db: Session,
    roles: Roles,
    actions: Sequence[str],
    object: str,
    when: Sequence[str],
    kind: type[Refusal] = BeyondCeiling,
) -> Refusal:
    """The refusal that names the roles, the right that they would get or lose, and one case of it."""
    codes = {"who": " + ".join(sorted(roles)), "action": ", ".join(actions), "object": object}
    names, words = names_of_roles(db, roles), called(db, when)
    spoken = sentence if kind is GrantsToSelf else sentence_of_others
    english = {
        "who_en": " + ".join(name for name, _ in names) or "Everybody",
        "action_en": actions_in_english(actions),
        "object_en": object_in_english(object),
        "when_en": "when " + " and ".join(spoken(x, "en", words) for x in when) if when else "always",
    }
    chinese = {
        "who_zh": " + ".join(name for _, name in names) or "所有人",
        "action_zh": actions_in_chinese(actions),
        "object_zh": object_in_chinese(object),
        "when_zh": "，且".join(spoken(x, "zh", words) for x in when) or "任何情况",
    }
    return kind(**codes, when=" and ".join(when) or "always", **english, **chinese)


def names_of_roles(db: Session, roles: Roles) -> list[tuple[str, str]]:
    """(English, Chinese) names of roles, in the order of their codes; a role that is gone keeps its code."""
    known = select(Role.code, Role.name, Role.name_zh).where(Role.code.in_(roles))
    found = db.execute(known, execution_options=bypass_policy(Because.JUDGES_RIGHTS))
    names = {code: (name, zh or name) for code, name, zh in found}
    return [names.get(code, (code, code)) for code in sorted(roles)]
