"""Nothing registers silently: a new rule, job, command or entity in a file of its own is found, or stops the start.

Screens and GraphQL fields have the same tests in `panel/test_discovery.py` and `graphql/test_schema.py`.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from millpond import serve, web
from millpond.cli import MISTAKES
from millpond.settings import Settings
from models import ENTITIES, PROTECTED, Organisation
from policies.rights import UnknownRight
from resolvers.runtime.backend import Backend
from tasks import services
from tests.support.terminal import millpond

ROOT = Path(__file__).resolve().parents[2]

FOUND = {
    "rules": "resolvers.pool.fresh.ClaimRuleRules",
    "a job": "act_on_retention, apply_import, change_in_bulk, check_import, check_release_dates, convert_custom_field, expire_bulk_changes, expire_exports, expire_imports, export_records, export_report, index_custom_field, lift_expired_locks, merge_words, read_import, release_due_customers, remind, remind_of_releases, remind_plans, renew_release_dates, renew_search_docs, return_import, tell_of_share_ends, tidy, undo_import, unmerge_words, write_results",
    "a service": "remind, send_mail, keep_sealed",
    "a command": "audit, fields, policy, token, user, fresh",
}
REFUSED = {
    "rules of nothing": "fresh.py: LostRules names no entity. Derive it from Rules[…] of one.",
    "rules twice": "has rules for PoolMember, and resolvers/pool/members.py has some: SeatRules.",
    "a hook that nothing calls": "fresh.py: ClaimRuleRules: nothing calls chekc; known: extra_inputs, create_only_inputs, merging_inputs, form, ",
    "a file without a job": "tasks/fresh.py defines neither a job nor a service. Decorate its function with @job or @service, or move the file to who uses it.",
    "a second job that is none": "tasks/fresh.py: forget is neither a job nor a service. Decorate it with @job or @service, or call it _forget.",
    "a file without commands": 'millpond/cli/fresh.py has no commands. Write: commands = group("What they are about.")',
    "a function that is no command": "millpond/cli/fresh.py: do is no command. Decorate it with @commands.command(), or call it _do.",
}
VEHICLE = """
from sqlalchemy.orm import Mapped
from .base import Base, Entity, Key, Line
from .names import Names

class Boat(Entity):
    __tablename__ = "boat"
    module, prefix = "boat", "boa"
    names = Names("Boat", "Boats", zh="船只")
    name: Mapped[Line]
"""
WRONG = {
    "without names": (
        ("    names = ", "    named = "),
        "models/boat.py: Boat has no names. Write, for example: names = Names(",
    ),
    "without a prefix": (
        ('module, prefix = "boat", "boa"', 'module = "boat"'),
        "models/boat.py: Boat has no prefix.",
    ),
    "without a module": (
        ('module, prefix = "boat", "boa"', 'prefix = "boa"'),
        "models/boat.py: Boat has no module.",
    ),
    "with the prefix of another": (('"boa"', '"cus"'), "models/boat.py: Boat has the prefix “cus” of Customer."),
    "without Chinese": (
        (', zh="船只"', ', zh="Boat"'),
        "the kind of record “Boat” has no Chinese name: give it as zh=…",
    ),
}


@pytest.fixture(scope="module")
def new_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What becomes of each new file of `tests/support/new_files.py`."""
    script, folder = ROOT / "tests/support/new_files.py", tmp_path_factory.mktemp("new")
    done = subprocess.run(
        [sys.executable, str(script), str(folder)], cwd=ROOT, capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    said: dict[str, str] = json.loads(done.stdout)
    return said


@pytest.mark.parametrize("case", FOUND)
def test_what_a_new_file_declares_is_found(new_files: dict[str, str], case: str) -> None:
    assert new_files[case] == FOUND[case]


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_new_file_declares_without_effect_stops_the_start(new_files: dict[str, str], case: str) -> None:
    assert REFUSED[case] in new_files[case]


def test_nothing_is_declared_without_effect_today() -> None:
    assert MISTAKES == []
    assert [service.__name__ for service in services()] == ["send_mail", "keep_sealed"]


# --- entities --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def new_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What becomes of each new file of a copy of `models/`."""
    folder = tmp_path_factory.mktemp("models")
    shutil.copytree(ROOT / "models", folder / "models", ignore=shutil.ignore_patterns("__pycache__"))
    cases = {name: (VEHICLE.replace(*change), "models.ENTITIES") for name, (change, _) in WRONG.items()}
    cases["found"] = VEHICLE, "json.dumps([[x.__name__ for x in y] for y in (models.ENTITIES, models.PROTECTED)])"
    cases["outside"] = "", f"exec({VEHICLE.replace('from .', 'from models.')!r})"
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests/support/new_models.py"), str(folder)],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    said: dict[str, str] = json.loads(done.stdout)
    return said


def test_an_entity_in_a_new_file_is_found_and_follows_those_whose_order_is_given(new_models: dict[str, str]) -> None:
    entities, protected = json.loads(new_models["found"])

    assert [name for name in entities if name != "Boat"] == [model.__name__ for model in ENTITIES]
    assert entities.index("Boat") > entities.index(Organisation.__name__)
    assert set(protected) == {*(model.__name__ for model in PROTECTED), "Boat"}
    assert protected[: len(entities)] == entities


@pytest.mark.parametrize("case", WRONG)
def test_an_entity_that_leaves_something_out_stops_the_start(new_models: dict[str, str], case: str) -> None:
    assert WRONG[case][1] in new_models[case]


def test_an_entity_outside_of_models_stops_the_start(new_models: dict[str, str]) -> None:
    assert "Boat is a protected table. Move it into a file of models/, where it is found." in new_models["outside"]


def test_starter_lines_that_ask_for_nothing_known_stop_the_server(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(
        web, "STARTER", "p, sales, customer, view, own, any, allow\np, sales, boat, view, own, any, allow\n"
    )
    backend = Backend(f"sqlite:///{tmp_path}/none.db")

    with pytest.raises(
        UnknownRight, match=r"policies/starter\.csv:2 asks for the right “boat\.view”, but there is no module"
    ):
        web.application(backend, Settings())
    backend.writer.close()


# --- the sentence ----------------------------------------------------------------------------------------


def test_the_command_line_says_the_sentence_and_no_traceback(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def stops(_url: str) -> None:
        raise UnknownRight(["schema/a.py asks for the right “x”, but there is none."])

    monkeypatch.setattr(serve, "opened", stops)

    result = millpond(sqlite_url, "serve")

    assert (result.exit_code, result.stderr) == (
        1,
        "millpond: schema/a.py asks for the right “x”, but there is none.\n",
    )
