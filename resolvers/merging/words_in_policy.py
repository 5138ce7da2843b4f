"""Branches in policy lines follow a merge of words: what was said of one word is said of the other, and comes back."""

from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from models import PROTECTED, PolicyRevision
from models.errors import Validation
from models.field_names import field_in_words
from models.names import in_sentence
from policies import Line, parse
from policies.branches import FIELDS_WITH_WORDS, Branch, dictionaries_of, dictionary_of
from policies.edit import replaced, with_branch
from policies.words import parts

from ..access.grant_limits import lock_rights
from ..access.policy_activation import rename_in_force
from ..runtime.policy_store import current_text
from ..runtime.scope import Scope

HOLDER = PolicyRevision.__tablename__
_MERGED = "Words of a dictionary were merged.", "数据字典词条合并。"
_UNDONE = "A merge of words was undone.", "撤销数据字典词条合并。"


def follow_in_policy(scope: Scope, db: Session, code: str, old: str, new: str) -> dict[str, Any] | None:
    """Have lines name the word `new` of a dictionary where they name `old`; returns what was changed, None for nothing.

    Raises Validation for a line that means a word of this dictionary and of another one, BeyondCeiling and its like
    where new lines would give rights that the caller may not grant.
    """
    lock_rights(scope, db)
    fields = _fields(code)
    for field in fields:
        _refuse_unclear(current_text(db), field, code, old)
    rename = partial(_renamed, code=code, fields=fields, old=old, new=new)
    done = rename_in_force(scope, db, rename, _said(scope, _MERGED))
    if done is None:
        return None
    number, gone, lines = done
    return {"holder": HOLDER, "record_id": number, "key": "text", "before": gone, "after": lines}


def take_back_in_policy(scope: Scope, db: Session, before: list[str], after: list[str]) -> bool:
    """Put lines back as they were before a merge; False where one that the merge has made is gone or changed since."""
    if not {*after} <= {str(line) for line in parse(current_text(db))}:
        return False
    rename_in_force(scope, db, partial(_taken_back, before=before, after=after), _said(scope, _UNDONE))
    return True


# --- steps -----------------------------------------------------------------------------------------------


def _said(scope: Scope, sentence: tuple[str, str]) -> str:
    return sentence[scope.language.startswith("zh")]


def _fields(code: str) -> list[str]:
    return sorted({x for model in PROTECTED for x in FIELDS_WITH_WORDS if dictionary_of(model, x) == code})


def _renamed(text: str, code: str, fields: list[str], old: str, new: str) -> str:
    for field in fields:
        meant = partial(_is_meant, field=field, code=code)
        text = with_branch(text, str(Branch(field, old)), str(Branch(field, new)), meant)
    return text


def _is_meant(line: Line, field: str, code: str) -> bool:
    return dictionaries_of(line.columns[1], field) == {code}


def _refuse_unclear(text: str, field: str, code: str, key: str) -> None:
    """Raise Validation for a line that names the word, of this dictionary and of another one at once."""
    branch = str(Branch(field, key))
    for line in parse(text):
        is_named = line.kind != "g" and branch in (word for word, _ in parts(line.columns[4]))
        if is_named and len(found := dictionaries_of(line.columns[1], field)) > 1 and code in found:
            english, chinese = field_in_words(field)
            raise Validation(
                f"Line {line.number} of the policy speaks of the {in_sentence(english)} of several kinds of records, each with words of its own. Write a line for each kind first.",
                f"策略第 {line.number} 行同时涉及多种记录的{chinese}，其词条各不相同，请先为每种记录分别编写规则。",
                field="loserId",
            )


def _taken_back(text: str, before: list[str], after: list[str]) -> str:
    """The text with these lines as they were; the very text where it has not all of them."""
    lines = parse(text)
    gone = [line for line in lines if str(line) in after]
    if len(gone) < len(after):
        return text
    known = {str(line) for line in lines}
    role = parse(before[0])[0].columns[0] if before else ""
    return replaced(text, gone, [line for line in before if line not in known], role)
