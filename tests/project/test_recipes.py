"""The recipes of CONTRIBUTING.md, run in a copy of the tree: what they touch, which tests are red until all is there, and why."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.recipes import PAGE, Step, Tree, steps_of
from tests.support.terminal import process

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

SCHEMA = "tests/graphql/test_schema.py"
SDL = f"{SCHEMA}::test_the_committed_text_is_the_schema_that_is_served"
TABLES = "tests/setup/test_migrations.py"
NO_MIGRATION = f"{TABLES}::test_an_empty_database_gets_the_tables_of_the_models"
WORDS = "tests/panel/test_words.py"
NO_CHINESE = f"{WORDS}::test_every_message_has_a_chinese_one_and_none_is_left_over"
DERIVED = (
    SCHEMA,
    TABLES,
    WORDS,
    "tests/audit/test_entries.py",
    "tests/panel/sweep/test_tables.py",
    "tests/panel/test_discovery.py",
    "tests/policies/test_names.py",
    "tests/policies/test_rights.py",
    "tests/policies/test_lines.py",
    "tests/policies/test_snapshot.py",
    "tests/policies/test_starter_policy.py",
    "tests/project/test_registration.py",
)
"""The tests that derive their cases from models, actions, fields and screens."""


@pytest.fixture(scope="module")
def entity() -> list[Step]:
    return steps_of("an entity")


@pytest.fixture(scope="module")
def use_case() -> list[Step]:
    return steps_of("a use case with a right of its own")


def apply(tree: Tree, steps: Sequence[Step]) -> None:
    for step in steps:
        tree.apply(step)


def by_hand(steps: Sequence[Step]) -> set[str]:
    return {step.file for step in steps if step.file}


def is_clean(tree: Tree) -> None:
    """Style, types and layers of the whole tree."""
    scripts = Path(sys.executable).parent
    for words in (
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("mypy",),
        ("lint-imports", "--no-cache"),
    ):
        done = tree.run(str(scripts / words[0]), *words[1:])
        assert done.returncode == 0, done.stdout + done.stderr


def brings_its_lines(tree: Tree, database: Path) -> None:
    """An installation of the version before gets the starter lines about the new kind as a draft."""
    url = f"sqlite:///{database}"
    assert process(url, "migrate").returncode == 0
    starter = tree.folder / "policies/starter.csv"
    lines = "p, sales, vehicle, view, all, !deleted, allow\np, sales, vehicle.plate, view, all, any, deny\n"
    starter.write_text(starter.read_text(encoding="utf-8") + lines, encoding="utf-8")

    done = tree.run(sys.executable, "-m", "millpond", "migrate", MILLPOND_DATABASE=url)

    assert "This version brings 2 policy lines about what is new" in done.stderr, done.stderr


def test_an_entity_costs_a_model_its_migration_and_the_words_of_its_columns(tmp_path: Path, entity: list[Step]) -> None:
    tree, (model, make, *words) = Tree(tmp_path), entity
    assert by_hand(entity) == {"models/vehicle.py", "admin/locale/zh/LC_MESSAGES/millpond.po"}

    tree.apply(model)
    assert tree.red(SCHEMA, TABLES, WORDS) == {SDL, NO_MIGRATION, NO_CHINESE}
    tree.apply(make)
    assert tree.red(SCHEMA, TABLES, WORDS) == {NO_CHINESE}
    apply(tree, words)
    assert tree.red(*DERIVED) == set()

    (migration,) = (name for name in tree.touched() if name.startswith("migrations/versions/"))
    assert tree.touched() == by_hand(entity) | {migration, "schema.graphql"}
    (tmp_path / "story").mkdir()
    told = tree.run(sys.executable, "tests/support/vehicle_story.py", str(tmp_path / "story"))
    assert told.stdout.splitlines()[-1:] == ["told"], told.stderr[-3000:]
    brings_its_lines(tree, tmp_path / "old.db")


def test_a_use_case_costs_its_function_action_mutation_button_and_test(tmp_path: Path, use_case: list[Step]) -> None:
    tree, (*files, make_and_test) = Tree(tmp_path), use_case
    assert len(by_hand(use_case)) == 5

    apply(tree, files)
    assert tree.red(*DERIVED) == {SDL}
    tree.apply(make_and_test)
    assert tree.red(SCHEMA) == set()  # nothing else reads the file that was made

    assert tree.touched() == by_hand(use_case) | {"schema.graphql"}


def test_both_recipes_are_clean_and_the_sweep_covers_the_new_button_and_the_new_entity(
    tmp_path: Path, entity: list[Step], use_case: list[Step]
) -> None:
    tree = Tree(tmp_path)
    apply(tree, entity)
    apply(tree, [step for step in use_case if "pytest" not in step.commands])
    is_clean(tree)

    done = tree.run(
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "tests/panel/sweep/test_commands.py",
        "tests/panel/sweep/test_forms.py",
        "-k",
        "sqlite and (ada or li-in-brief)",
        "-m",
        "long or not long",
    )

    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize("heading", ["an entity", "a use case with a right of its own"])
def test_every_block_of_a_recipe_is_a_step(heading: str) -> None:
    chapter = PAGE.read_text(encoding="utf-8").partition(f"## Recipe: {heading}\n")[2].partition("\n## ")[0]

    assert len(steps_of(heading)) == chapter.count("\n```") // 2 > 3
