"""One table of actions: what derives from it, and that nothing else is asked for, in code or in the starter lines."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from models.actions import BY_NAME, TABLE, actions_in_chinese, right_in_words
from models.errors import Forbidden, NeedsSecond, Refusal
from models.names import OF_MODULE
from policies import STARTER, matrix
from policies.objects import ACTIONS, GROUPS, MODULES
from policies.rights import UnknownRight, check_lines, check_rights, problem_with
from resolvers.access.excess_refusals import excess_refusal
from resolvers.imports.targets import targets
from resolvers.runtime.scope import Scope
from schema import build, contract
from tests.support.panel import doors
from tests.support.world import World

ROOT = Path(__file__).resolve().parents[2]
NAMING = {"write": 0, "each": 1, "_mutation": 1, "query": 0, "mutation": 0}
"""Calls whose argument at this place is a right."""
KEYWORDS = {"action", "right", "needs"}


def test_every_action_says_all_that_derives_from_it() -> None:
    assert len(BY_NAME) == len(TABLE)
    assert [action.name for action in TABLE if not (action.label and action.zh and action.to)] == []
    assert {to for action in TABLE for to in action.to if " " not in to} <= MODULES
    assert {group for action in TABLE for group in action.groups} == GROUPS.keys()
    assert [action.name for action in TABLE if (action.is_column or action.groups) and not action.is_right] == []


def test_the_policy_table_has_a_column_for_each_action_that_wants_one_and_a_cell_where_it_makes_sense() -> None:
    assert set(matrix.COLUMNS) < set(ACTIONS)
    assert matrix.actions_of("contact") == (
        "view",
        "create",
        "edit",
        "delete",
        "restore",
        "purge",
        "export",
        "import",
        "transfer",
    )
    assert matrix.actions_of("department") == ("view", "create", "edit", "delete", "restore", "purge", "export")
    assert matrix.actions_of("organisation") == ("view", "edit")
    assert matrix.actions_of("policy") == ("view", "edit", "review", "activate")
    assert matrix.actions_of("session") == ("view",)
    assert matrix.actions_of("audit") == ("view", "export")
    assert matrix.actions_of("system") == ()


def test_the_policy_table_shows_what_some_door_asks_for_and_nothing_that_has_no_function_yet() -> None:
    build.sdl()
    asked = {*contract.DECLARED.values(), *(".".join(door.asks) for door in doors())}

    shown = {f"{module}.{action}" for module in matrix.modules() for action in matrix.actions_of(module)}

    # Use cases ask for these: of a caller who wants more than a transfer, and of one who imports some kind of record.
    assert shown - asked == {"customer.insist", *(target.right for target in targets())}
    assert {
        "customer.claim",
        "customer.unlock",
        "customer.merge",
        "contact.transfer",
        "customer.export",
        "policy.activate",
    } <= shown
    assert not {"followup.transfer", "organisation.export"} & shown


@pytest.mark.parametrize(
    ("right", "problem"),
    [
        ("customer.clam", "models/actions.py has no action “clam”; known: view, create, edit, "),
        ("custmer.claim", "there is no module “custmer”; known: audit, calendar, "),
        ("contact.claim", "models/actions.py says that “claim” is done to customer"),
        ("audit.edit", "models/actions.py says that “edit” is done to every kind of record, policy"),
        ("claim", "a right is module.action"),
    ],
)
def test_a_right_that_nobody_can_hold_is_refused_with_its_place(right: str, problem: str) -> None:
    with pytest.raises(UnknownRight) as caught:
        check_rights([("customer.claim", "a.py:1"), (right, "b.py:2")])

    (said,) = caught.value.problems
    assert said.startswith(f"b.py:2 asks for the right “{right}”, but {problem}")
    assert said.endswith(".")


def test_the_starter_lines_ask_only_for_what_there_is() -> None:
    check_lines(STARTER, "policies/starter.csv")

    with pytest.raises(UnknownRight) as caught:
        check_lines(f"# first\n{STARTER}p, sales, contact, claim, own, any, allow\n", "policies/starter.csv")
    (said,) = caught.value.problems
    assert said.startswith(f"policies/starter.csv:{STARTER.count(chr(10)) + 2} asks for the right “contact.claim”")


def test_every_use_case_names_an_action_of_the_table() -> None:
    """A misspelt action would be everybody's whose lines say `*`, and nobody's else."""
    named = [(right, f"{path.relative_to(ROOT)}:{line}") for path in files() for right, line in rights_in(path)]

    assert len(named) > 40
    check_rights(named)


def test_a_refusal_names_the_right_in_words_and_in_no_code() -> None:
    for module in OF_MODULE:
        for action in (*ACTIONS, "phone"):
            refusal = Forbidden(action=f"{module}.{action}")
            english, chinese = refusal.say(), refusal.say("zh")
            assert f"{module}.{action}" not in english + chinese
            assert not any(letter.isascii() and letter.isalpha() for letter in chinese), chinese

    assert right_in_words("customer.release") == ("put into the pool (customers)", "移入公海（客户）")
    assert right_in_words("customer.phone") == ("change phone (customers)", "修改电话（客户）")
    assert problem_with("customer.release") is None


def files() -> list[Path]:
    return sorted(
        path for folder in ("resolvers", "schema", "admin", "millpond") for path in (ROOT / folder).rglob("*.py")
    )


def rights_in(path: Path) -> Iterator[tuple[str, int]]:
    """Every constant that a source names as a right, with its line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        place = NAMING.get(called)
        named = [node.args[place]] if place is not None and len(node.args) > place else []
        named += [keyword.value for keyword in node.keywords if keyword.arg in KEYWORDS]
        for value in named:
            text = value.value if isinstance(value, ast.Constant) else None
            if (
                isinstance(text, str)
                and text.count(".") == 1
                and "*" not in text
                and text.replace(".", "").isidentifier()
            ):
                yield text, value.lineno


def test_what_goes_beyond_or_wants_two_people_is_said_in_words_in_both_languages(world: World) -> None:
    def found(_scope: Scope, db: Session) -> list[Refusal]:
        right = ["export", "purge"], "customer.phone", ["own", "!locked"]
        return [excess_refusal(db, roles, *right) for roles in (frozenset(), frozenset({"sales"}))]

    everybody, sales = world.run(world.ada.read(found))

    assert everybody.say() == (
        "Everybody would be allowed to export, delete for good: phone of customers,"
        " when they are its owner and it is not locked. You may not hand that out."
    )
    assert everybody.say("zh") == (
        "所有人 将获得对客户的电话的“导出、永久删除”权限（其为负责人，且未锁定），超出您可授予的范围。"
    )
    assert sales.say().startswith("Sales would be allowed to ")
    assert sales.params["who"] == "sales"  # a client reads codes
    second = NeedsSecond(
        what="export, policy", what_zh=actions_in_chinese(["export", "policy"]), how="activate it", how_zh="启用"
    )
    assert second.say("zh") == "此改动放开了权限（导出、权限策略），须由另一人启用。"
