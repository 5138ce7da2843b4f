"""What a new installation starts with: organisation, policy, roles, dictionaries, the number rule.

Only what has never been there is made: whatever people changed or threw away afterwards stays as they left it.
"""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from models import (
    Dictionary,
    DictionaryItem,
    DuplicateRule,
    Entity,
    NumberRule,
    Organisation,
    PolicyRevision,
    PolicyWord,
    Role,
)
from models.database.bypass import Because, bypass_policy
from models.duplicates import DEFAULTS, Verdict
from policies import STARTER, Snapshot

from ..access.offered_lines import known_words, note_words
from ..records import create_update, numbering
from ..runtime import policy_proof
from ..runtime.backend import Backend
from ..runtime.policy_store import put_in_force
from ..runtime.scope import Scope
from .first_pipeline import first_pipeline

ROLES = {
    "administrator": ("Administrator", "管理员"),
    "role_manager": ("Role manager", "角色管理员"),
    "sales": ("Sales", "销售"),
    "sales_lead": ("Sales lead", "销售主管"),
    "finance": ("Finance", "财务"),
    "support": ("Support", "客服"),
    "auditor": ("Auditor", "审计员"),
}
"""The roles that the starter lines speak of, by code, with their names in both languages."""


class Word(NamedTuple):
    """One line of `starter_words.csv`: a word of a dictionary, or the dictionary itself when it has no key."""

    dictionary: str
    key: str
    english: str
    chinese: str
    aliases: tuple[str, ...] = ()
    above: str = ""


def install(backend: Backend) -> bool:
    """Make what a new installation starts with, as far as it has never been there.  Says whether anything was made."""
    with backend.writer.engine.begin() as connection:
        fresh = connection.execute(select(PolicyRevision.number).limit(1)).first() is None
        if fresh:
            proof = policy_proof.recorded(policy_proof.proved(Snapshot(STARTER), frozenset()), STARTER)
            why = "the lines a new installation starts with"
            put_in_force(connection, STARTER, why, backend.clock(), proof=proof)
            missing = known_words() - set(connection.execute(select(PolicyWord.word)).scalars())
            note_words(connection, missing, backend.clock())
        backend.refresh_policy(connection)
    furnished: bool = backend.system("system:install").do(_furnish)
    return fresh or furnished


def starter_words() -> Iterator[Word]:
    text = (Path(__file__).parent / "starter_words.csv").read_text(encoding="utf-8")
    for row in csv.reader(line for line in text.splitlines() if line and not line.startswith("#")):
        dictionary, key, english, chinese, aliases, above = [*row, "", ""][:6]
        yield Word(dictionary, key, english, chinese, tuple(filter(None, aliases.split("|"))), above)


# --- steps -----------------------------------------------------------------------------------------------


def _furnish(scope: Scope) -> bool:
    with scope.write("organisation.install") as db:
        steps: tuple[Callable[[Scope, Session], bool], ...] = (
            _organisation,
            _roles,
            _dictionaries,
            _number_rules,
            _duplicate_rules,
            first_pipeline,
        )
        made = [step(scope, db) for step in steps]
        return any(made)


def _organisation(scope: Scope, db: Session) -> bool:
    if not _never(db, Organisation, Organisation.id == 1):
        return False
    with scope.write("organisation.create") as inner:
        inner.add(Organisation(id=1, name="Millpond"))  # the use case gives no ids, and this row has to be the first
    return True


def _roles(scope: Scope, db: Session) -> bool:
    missing = [code for code in ROLES if _never(db, Role, Role.code == code)]
    for code in missing:
        name, name_zh = ROLES[code]
        create_update.create(scope, Role, {"code": code, "name": name, "name_zh": name_zh})
    return bool(missing)


def _dictionaries(scope: Scope, db: Session) -> bool:
    words = list(starter_words())
    heads = [word for word in words if not word.key and _never(db, Dictionary, Dictionary.code == word.dictionary)]
    for head in heads:
        given = {"code": head.dictionary, "name": head.english, "name_zh": head.chinese}
        made = create_update.create(scope, Dictionary, given)
        _fill(scope, made.id, [word for word in words if word.key and word.dictionary == head.dictionary])
    return bool(heads)


def _fill(scope: Scope, dictionary_id: int, words: list[Word]) -> None:
    ids: dict[str, int] = {}
    for position, word in enumerate(words):
        given = {"dictionary_id": dictionary_id, "key": word.key, "label_en": word.english, "label_zh": word.chinese}
        given |= {"aliases": list(word.aliases), "position": position, "parent_id": ids.get(word.above)}
        ids[word.key] = create_update.create(scope, DictionaryItem, given).id


def _number_rules(scope: Scope, db: Session) -> bool:
    missing = [module for module in numbering.DEFAULT if _never(db, NumberRule, NumberRule.for_module == module)]
    for module in missing:
        create_update.create(scope, NumberRule, {"for_module": module, "pattern": numbering.DEFAULT[module]})
    return bool(missing)


def _duplicate_rules(scope: Scope, db: Session) -> bool:
    missing = [module for module in DEFAULTS if _never(db, DuplicateRule, DuplicateRule.for_module == module)]
    for module in missing:
        for evidence, verdict in DEFAULTS[module].items():
            if verdict is not Verdict.NOTHING:
                given = {"for_module": module, "evidence": evidence, "verdict": verdict}
                create_update.create(scope, DuplicateRule, given)
    return bool(missing)


def _never(db: Session, model: type[Entity], which: ColumnElement[bool]) -> bool:
    """Whether there never was such a record, in the bin or out of it."""
    return (
        db.execute(select(model.id).where(which), execution_options=bypass_policy(Because.KEEPS_RULE)).first() is None
    )
