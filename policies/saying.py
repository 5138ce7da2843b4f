"""What words and lines of the policy mean to a person."""

from collections.abc import Callable, Iterable, Mapping

from .branches import branch_of
from .lines import Line
from .words import SCOPES, STATES, parts

Called = Mapping[str, tuple[str, str]]
"""A branch as lines write it -> its word in English and Chinese: `category under prospect` -> Prospect."""
_NOTHING: Called = {}

_EN = {"allow": "{who} may {action} {object}", "deny": "{who} may never {action} {object}"}
_ZH = {"allow": "{who} 可以对 {object} 执行 {action}", "deny": "{who} 不得对 {object} 执行 {action}"}
_HANDS_EN = {"allow": "{who} may let others {action} {object}", "deny": "{who} may let nobody {action} {object}"}
_HANDS_ZH = {
    "allow": "{who} 可以授予他人对 {object} 的 {action} 权限",
    "deny": "{who} 不得授予对 {object} 的 {action} 权限",
}
_NOT = {
    "own": ("you are not its owner", "您不是负责人"),
    "created": ("you did not create it", "您不是创建人"),
    "team": ("its owner is not in your department", "负责人与您不同部门"),
    "subtree": ("its owner is neither in your department nor below it", "负责人不在您的部门及下级部门"),
    "pool": ("it lies in no pool where you have a seat", "不在您可见的公海中"),
    "pool_member": ("it lies in no pool where you may claim", "不在您可领取的公海中"),
    "pool_admin": ("it lies in no pool that you administer", "不在您管理的公海中"),
    "shared": ("it is not shared with you", "未共享给您"),
    "shared_edit": ("it is not shared with you for editing", "未共享给您编辑"),
    "locked": ("it is not locked", "未锁定"),
    "in_pool": ("it lies in no pool", "不在公海中"),
    "deleted": ("it is not in the recycle bin", "不在回收站中"),
}
_OTHERS = (
    ("you are", "they are"),
    ("you have", "they have"),
    ("your", "their"),
    ("you", "they"),
    ("with they", "with them"),
)


def sentence(word: str, language: str = "en", called: Called = _NOTHING) -> str:
    """What a scope or state, negated or not, means to the person who asks."""
    ((name, wanted),) = parts(word)
    if (branch := branch_of(name)) is not None:
        english, chinese = branch.sentences(called.get(name), wanted=wanted)
    else:
        meaning = SCOPES[name] if name in SCOPES else STATES[name]
        english, chinese = (meaning.sentence, meaning.zh) if wanted else _NOT[name]
    return chinese if language.startswith("zh") else english


def sentence_of_others(word: str, language: str = "en", called: Called = _NOTHING) -> str:
    """The same, said about somebody else."""
    text = sentence(word, language, called)
    if branch_of(word.removeprefix("!")) is not None:
        return text
    if language.startswith("zh"):
        return text.replace("您是", "其为").replace("您", "其")
    for you, they in _OTHERS:
        text = text.replace(you, they)
    return text


def phrase(words: Iterable[str], language: str = "en", called: Called = _NOTHING) -> str:
    """What several words mean together; without any: always."""
    spoken = [sentence(word, language, called) for word in words]
    if language.startswith("zh"):
        return "、".join(spoken) or "任何情况"
    return ", ".join(spoken) or "always"


def said(
    line: Line,
    language: str = "en",
    named: Callable[[str, str], str] = lambda _kind, word: word,
    called: Called = _NOTHING,
) -> str:
    """What a line means.  `named(kind, word)` says what a role, an object or an action is called where it is read."""
    is_chinese = language.startswith("zh")
    if line.kind == "g":
        narrow, wide = (named("role", role) for role in line.columns)
        return f"{narrow} 拥有 {wide} 的全部权限" if is_chinese else f"{narrow} may do all that {wide} may"
    role, object, action, scope, when, effect = line.columns
    forms = (_HANDS_ZH if is_chinese else _HANDS_EN) if line.kind == "p2" else (_ZH if is_chinese else _EN)
    text = forms[effect].format(who=named("role", role), object=named("object", object), action=named("action", action))
    conditions = _conditions(scope, when, language, called)
    if not conditions:
        return text
    return f"{text}，条件：{'，且'.join(conditions)}" if is_chinese else f"{text} when {' and '.join(conditions)}"


def _conditions(scope: str, when: str, language: str, called: Called) -> list[str]:
    words = [] if scope == "all" else [scope]
    words += [word if wanted else f"!{word}" for word, wanted in parts(when) if word != "any"]
    return [sentence_of_others(word, language, called) for word in words]
