"""The proof of a policy: Casbin's own Enforcer, over the same lines, judges a sample and must agree with the cells.

Casbin walks through all lines for every decision, some milliseconds each, so the sample is limited in number and time.
"""

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .lines import InvalidPolicy, Line
from .objects import ACTIONS, APART, FIELDS, GROUPS, MODULES
from .principal import Principal
from .questions import Question, Roles, questions
from .saying import sentence_of_others
from .snapshot import MODEL_FILE, Snapshot
from .words import SCOPES, Facts, holds, parts, unmet

MOST_DECISIONS, MOST_SECONDS = 5_000, 2.0
"""Limits of one proof: the one that is reached first ends it."""


@dataclass(frozen=True)
class Proof:
    """What Casbin has judged, without a difference: how many decisions, and how many lines had one of their own."""

    decisions: int
    lines_tried: int
    lines: int
    seconds: float


class Dispute(InvalidPolicy):
    """Casbin decides a question in another way than the cells; `line` is the line about which they differ."""

    def __init__(self, question: Question, line: Line | None, *, casbin: bool) -> None:
        self.question, self.line, self.casbin = question, line, casbin
        super().__init__([self._in_english()])

    def said(self, language: str) -> list[str]:
        return [self._in_chinese()] if language.startswith("zh") else self.problems

    def _in_english(self) -> str:
        asked, line = self.question, self.line
        at = "no line" if line is None else f"line {line.number} ({line})"
        who = " + ".join(sorted(asked.roles)) or "a user without a role"
        case = " and ".join(self._case("en"))
        verdicts = ("yes", "no") if self.casbin else ("no", "yes")
        return (
            f"{at}: Casbin says {verdicts[0]} and Millpond says {verdicts[1]} to {who}: {asked.action} {asked.object}"
            f"{f', when {case}' if case else ''}"
        )

    def _in_chinese(self) -> str:
        asked, line = self.question, self.line
        at = "没有任何行" if line is None else f"第 {line.number} 行（{line}）"
        who = " + ".join(sorted(asked.roles)) or "没有角色的人员"
        case = "且".join(self._case("zh"))
        verdicts = ("允许", "不允许") if self.casbin else ("不允许", "允许")
        return (
            f"{at}：{who} 对 {asked.object} 执行 {asked.action}{f'（{case}）' if case else ''}，"
            f"Casbin 判定为{verdicts[0]}，Millpond 判定为{verdicts[1]}"
        )

    def _case(self, language: str) -> list[str]:
        """The words of the line, each as it is true or not in the question."""
        if self.line is None or self.line.kind != "p":
            return []
        scope, when = self.line.columns[3:5]
        words = [word for word in (scope, *(word for word, _ in parts(when))) if word not in ("all", "any")]
        return [sentence_of_others(self._as_it_is(word), language) for word in words]

    def _as_it_is(self, word: str) -> str:
        person, facts = self.question.person, self.question.facts
        if SCOPES[word].test(person, facts) if word in SCOPES else holds(word, facts):
            return word
        return "own" if word == "others" else f"!{word}"


class Unjudged(InvalidPolicy):
    """Casbin broke over the policy, so nothing is proved."""

    def __init__(self, failure: Exception) -> None:
        self.why = f"{type(failure).__name__}: {failure}"
        super().__init__([f"Casbin cannot judge the policy ({self.why})"])

    def said(self, language: str) -> list[str]:
        return [f"Casbin 无法判定该策略（{self.why}）"] if language.startswith("zh") else self.problems


def prove(policy: Snapshot, sets: Iterable[Roles] = (), changed: Collection[str] = ()) -> Proof:
    """Have Casbin judge a sample of decisions; the lines in `changed` come first.

    `sets` are the role sets in use.  Between two decisions other threads get their turn.  Raises Dispute at a difference,
    Unjudged where Casbin itself fails: a process then keeps the policy that it has, and goes on.
    """
    try:
        return _sample(policy, sets, changed)
    except InvalidPolicy:
        raise
    except Exception as failure:
        raise Unjudged(failure) from failure


def verdict(policy: Snapshot, p: Principal, object: str, action: str, facts: Facts) -> bool:
    """Casbin's own verdict on one question.  Takes some milliseconds, 0.3 s for 5,000 lines."""
    return Judge(policy).allows(p, object, action, facts)


def fingerprint(text: str) -> str:
    """A hash of all that a proof holds for: the text, and the code that made it."""
    return sha256(f"{_code()} {text}".encode()).hexdigest()


class Judge:
    """Casbin's Enforcer over the lines of a policy, whole."""

    def __init__(self, policy: Snapshot) -> None:
        self.enforcer: Any = policy.enforcer()
        self._known: set[Roles] = set()

    def allows(self, p: Principal, object: str, action: str, facts: Facts) -> bool:
        return bool(self.enforcer.enforce(self._subject(p.roles), object, action, (p, facts)))

    def _subject(self, roles: Roles) -> str:
        """The name under which Casbin knows a user with these roles; no line can contain it, because it has a line break."""
        name = "\n".join(("roles", *sorted(roles)))
        if roles not in self._known:
            self._known.add(roles)
            for role in roles:
                self.enforcer.get_role_manager().add_link(name, role)
        return name


# --- steps ------------------------------------------------------------------------------------------------


def _sample(policy: Snapshot, sets: Iterable[Roles], changed: Collection[str]) -> Proof:
    began, count, tried = time.perf_counter(), 0, set[int]()
    judge = Judge(policy)
    for question in questions(policy.lines, sets, changed):
        if count >= MOST_DECISIONS or (count and time.perf_counter() - began > MOST_SECONDS):
            break
        _compare(policy, judge, question)
        count += 1
        tried |= {question.line.number} if question.line else set()
        time.sleep(0)  # lets go of the interpreter: an event loop in this process waits for one decision, not for all
    judged = sum(line.kind != "p2" for line in policy.lines)
    return Proof(count, len(tried), judged, time.perf_counter() - began)


@cache
def _code() -> str:
    """A hash of this package, the model, Casbin, and the vocabulary that the tables bring."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    parts = [version("casbin").encode(), MODEL_FILE.read_bytes(), *(file.read_bytes() for file in files)]
    parts.append(
        repr((ACTIONS, sorted(GROUPS.items()), sorted(MODULES), sorted(FIELDS.items()), sorted(APART))).encode()
    )
    return sha256(b"\0".join(sha256(part).digest() for part in parts)).hexdigest()


def _compare(policy: Snapshot, judge: Judge, question: Question) -> None:
    person, facts = question.person, question.facts
    module, _, field = question.object.partition(".")
    casbin = judge.allows(person, question.object, question.action, facts)
    if policy.may(person, question.action, module, facts, field or None) is not casbin:
        raise Dispute(question, _disputed(policy, judge, question, casbin=casbin), casbin=casbin)


def _disputed(policy: Snapshot, judge: Judge, question: Question, *, casbin: bool) -> Line | None:
    """The line that fires for one of the two alone; where the same lines fire, the one that decides for Casbin."""
    theirs, ours = _fired_for_casbin(policy, judge, question), _fired_for_us(policy, question)
    alone = sorted(theirs ^ ours, key=lambda line: line.number)
    deciding = [line for line in policy.lines if line in theirs and (line.columns[5] == "allow") is casbin]
    return next(iter([*alone, *deciding, *([question.line] if question.line else [])]), None)


def _fired_for_casbin(policy: Snapshot, judge: Judge, question: Question) -> set[Line]:
    """The lines that Casbin takes into account: each is put to it alone, as one that allows."""
    stored = judge.enforcer.get_model().model["p"]["p"]
    whole, fired = stored.policy, set()
    for line in policy.lines:
        if line.kind == "p":
            stored.policy = [[*line.columns[:5], "allow"]]
            if judge.allows(question.person, question.object, question.action, question.facts):
                fired.add(line)
    stored.policy = whole
    return fired


def _fired_for_us(policy: Snapshot, question: Question) -> set[Line]:
    person, facts = question.person, question.facts
    lines = policy.cell(person.roles, question.object, question.action).lines
    return {line for line in lines if unmet(line.columns[3], line.columns[4], person, facts) is None}
