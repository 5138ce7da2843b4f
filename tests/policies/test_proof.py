"""A proof asks what matters and finds what is wrong: Casbin's Enforcer, the same lines, and cells with a fault in them."""

from itertools import islice
from random import Random

import pytest

from policies import STARTER, Snapshot, proof
from policies.logic import ATOMS, POSSIBLE
from policies.proof import Dispute, Judge, fingerprint, prove
from policies.questions import Question, facts, person, questions
from policies.words import SCOPES, holds
from tests.support.cell_faults import FAULTS, deny_is_ignored, line_is_lost

SETS = tuple(map(frozenset, ((), ("sales",), ("sales_lead",), ("sales", "auditor"), ("support",), ("administrator",))))
EXPORT = "p, sales, customer, export, all, any, allow"
SEVERAL = """\
p, clerk, customer, view, all, !deleted, allow
p, *, customer, touch, others, locked, deny
p, clerk, *, dupcheck, all, any, allow
g, head, lead
g, lead, clerk
p2, clerk, customer, *, all, any, allow
p, lead, customer.phone, view, pool, in_pool, deny
p, head, user.email, view, subtree, any, allow
p, system, *, *, all, any, allow
"""


def snapshot(text: str) -> Snapshot:
    return Snapshot(text, 1)


# --- the sample -------------------------------------------------------------------------------------------


def test_every_kind_of_person_and_record_is_exactly_what_its_case_says() -> None:
    chance, p = Random(1), person(frozenset({"clerk"}))
    possible = [case for case in range(1 << len(ATOMS)) if POSSIBLE >> case & 1]
    assert len(possible) > 500

    for case in possible:
        record = facts(case, chance)
        for place, atom in enumerate(ATOMS):
            true = SCOPES[atom].test(p, record) if atom in SCOPES else holds(atom, record)
            assert true is bool(case >> place & 1), (case, atom, record)


@pytest.mark.parametrize("text", [STARTER, SEVERAL], ids=["starter", "several"])
def test_casbin_itself_would_answer_otherwise_without_the_line_that_a_question_is_about(text: str) -> None:
    """The questions would be worth nothing if no line decided them: nearly every line does, and the others fire."""
    policy = snapshot(text)
    judged = [line for line in policy.lines if line.kind != "p2"]
    asked = list(islice(questions(policy.lines, SETS), len(judged)))
    assert [question.line for question in asked] == judged

    judge, undecided = Judge(policy), []
    for question in asked:
        assert question.line is not None
        without = "\n".join(str(line) for line in policy.lines if line != question.line)
        if verdict(judge, question) is verdict(Judge(snapshot(without)), question):
            undecided.append(str(question.line))

    assert undecided == []


def verdict(judge: Judge, question: Question) -> bool:
    return judge.allows(question.person, question.object, question.action, question.facts)


def test_the_same_lines_make_the_same_questions_and_changed_lines_come_first() -> None:
    lines = snapshot(f"{STARTER}{EXPORT}\n").lines

    first, again = (list(islice(questions(lines, SETS), 700)) for _ in range(2))
    assert first == again
    changed = next(questions(lines, SETS, {EXPORT}))
    assert str(changed.line) == EXPORT
    assert {question.roles for question in first[-200:]} == set(SETS)
    assert {question.object for question in first[-200:]} > {"customer", "policy"}


def test_a_proof_ends_at_its_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = snapshot(SEVERAL)
    monkeypatch.setattr(proof, "MOST_DECISIONS", 60)
    found = prove(policy, SETS)
    assert (found.decisions, found.lines_tried, found.lines) == (60, 8, 8)

    monkeypatch.setattr(proof, "MOST_DECISIONS", 5_000)
    monkeypatch.setattr(proof, "MOST_SECONDS", 0.1)
    assert prove(policy, SETS).decisions < 5_000
    monkeypatch.setattr(proof, "MOST_SECONDS", 0.0)
    assert prove(policy, SETS).decisions == 1


def test_a_policy_without_a_line_is_proved_too() -> None:
    found = prove(snapshot("# nothing yet\n"))

    assert (found.decisions, found.lines) == (8, 0)


# --- faults are found -------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_cells_is_found_whatever_it_is_and_names_a_line(
    monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    text = STARTER if fault != "inheritance ends after one step" else SEVERAL
    monkeypatch.setattr(proof, "MOST_DECISIONS", 1_000)
    policy = snapshot(text)
    FAULTS[fault](monkeypatch)

    with pytest.raises(Dispute) as caught:
        prove(snapshot(policy.text), SETS)

    dispute = caught.value
    assert dispute.line is not None
    assert dispute.problems[0].startswith(f"line {dispute.line.number} ({dispute.line}): Casbin says ")
    assert dispute.said("zh")[0].startswith(f"第 {dispute.line.number} 行（{dispute.line}）：")


@pytest.mark.parametrize("number", range(6))
def test_a_line_that_the_cells_lose_is_the_line_that_is_named(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    lines = [line for line in snapshot(SEVERAL).lines if line.kind == "p"]
    lost = lines[number]
    monkeypatch.setattr(proof, "MOST_DECISIONS", 1_000)
    line_is_lost(lambda line: line == lost)(monkeypatch)

    with pytest.raises(Dispute) as caught:
        prove(snapshot(SEVERAL), SETS)

    assert caught.value.line == lost


def test_a_dispute_is_said_in_words_in_both_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    deny_is_ignored(monkeypatch)

    with pytest.raises(Dispute) as caught:
        prove(snapshot("p, *, customer, view, all, any, allow\np, *, customer, touch, others, locked, deny\n"))

    assert caught.value.problems[0] == (
        "line 2 (p, *, customer, touch, others, locked, deny): Casbin says no and Millpond says yes to a user without a "
        "role: view customer, when they are not its owner and it is locked"
    )
    assert caught.value.said("zh")[0] == (
        "第 2 行（p, *, customer, touch, others, locked, deny）：没有角色的人员 对 customer 执行 view"
        "（其不是负责人且已锁定），Casbin 判定为不允许，Millpond 判定为允许"
    )


def test_a_fingerprint_is_that_of_a_text_and_of_the_code() -> None:
    assert fingerprint(STARTER) == fingerprint(STARTER) != fingerprint(f"{STARTER}# more\n")
