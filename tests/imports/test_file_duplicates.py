"""Duplicates inside one file: the later of two rows is bad and names the earlier, across chunks and after every correction."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from models import Customer, ImportBatch, ImportKey
from models.import_batch import ImportMode, ImportState, RowState
from resolvers.imports import applying, batches, checking, correcting, judging, mapping
from resolvers.imports.batches import Choices
from resolvers.imports.mapping import Plan
from tests.support.checked_imports import checked, sentences, shown, states, stored_rows
from tests.support.importing import Files
from tests.support.world import World

COLUMNS = {0: "name", 1: "number", 2: "phone", 3: "email", 4: "registration_number"}
HEADINGS = ["客户名称", "客户编号", "电话", "邮箱", "统一社会信用代码"]
SAME_NUMBER = "This is the same as row {} (number). Change one of the two, or leave this row out."


@pytest.fixture
def files(world: World, tmp_path: Path) -> Files:
    """The store of a world in which duplicates count as in a new installation."""
    with world.backend.writer.engine.begin() as connection:
        connection.execute(text("DELETE FROM duplicate_rule"))
    return Files(world, tmp_path / "files")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of three rows."""
    for module in (judging, correcting, checking):
        monkeypatch.setattr(module, "CHUNK", 3)


def sheet(*rows: Sequence[Any]) -> list[list[Any]]:
    return [HEADINGS, *([*row, *[None] * (5 - len(row))] for row in rows)]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("one", "other", "what", "what_zh"),
    [
        (["Alpha", "C9001"], ["Beta", "c9001"], "number", "客户编号"),
        (["Alpha", None, None, "a@b.cn"], ["Beta", None, None, "A@b.cn"], "e-mail", "电子邮件"),
        (["Alpha", None, None, None, "91310000MA1K35YX0A"], ["Beta", None, None, None, "91310000ma1k35yx0a"], "", ""),
        (["红星科技有限公司"], ["红星科技"], "name", "名称"),
        (["红星机电"], ["红星机店"], "name", "名称"),
        (["Northern Lights Ltd", None, "13800138000"], ["Northern Light", None, "+86 138 0013 8000"], "phone", "电话"),
    ],
)
def test_the_later_row_is_bad_wherever_it_stands_and_names_the_earlier(
    world: World, files: Files, one: list[Any], other: list[Any], what: str, what_zh: str
) -> None:
    between = [[f"Between {word}"] for word in ("Oak", "Elm", "Fir", "Yew")]

    for rows, at in (([one, other], 3), ([one, *between, other], 7)):
        id = checked(world, files, sheet(*rows), columns=COLUMNS)
        assert [number for number, state in states(world, id).items() if state == RowState.BAD] == [at]
        (problem,) = shown(world, id)[at].problems
        assert (problem.code, problem.sentence.startswith("This is the same as row 2 (")) == ("SAME_AS_ROW", True)
        assert not what or f"({what})" in problem.sentence
        (stored,) = stored_rows(world, id)[at]["problems"]
        assert not what_zh or stored["params"]["what_zh"] == what_zh


@pytest.mark.usefixtures("small")
def test_a_correction_frees_the_rows_behind_it_and_may_stand_in_their_way(world: World, files: Files) -> None:
    rows = [["A", "C9001"], ["B"], ["C"], ["D"], ["E", "C9001"], ["F", "C9001"]]
    id = checked(world, files, sheet(*rows), columns=COLUMNS)
    assert {n: x[0] for n, x in sentences(world, id).items()} == {6: SAME_NUMBER.format(2), 7: SAME_NUMBER.format(2)}

    world.li.do(correcting.edit_row, id, 2, {1: "C9002"})
    assert {n: x[0] for n, x in sentences(world, id).items()} == {7: SAME_NUMBER.format(6)}

    world.li.do(correcting.edit_row, id, 4, {1: "c9001"})
    assert {n: x[0] for n, x in sentences(world, id).items()} == {6: SAME_NUMBER.format(4), 7: SAME_NUMBER.format(4)}

    world.li.do(correcting.skip_rows, id, [4])
    assert {n: x[0] for n, x in sentences(world, id).items()} == {7: SAME_NUMBER.format(6)}

    world.li.do(correcting.skip_rows, id, [4], skipped=False)
    assert states(world, id)[6] == RowState.BAD
    world.li.do(correcting.edit_row, id, 4, {0: "", 2: "12"})  # which is bad, and stands in nobody's way
    assert {n: x[0] for n, x in sentences(world, id).items() if n > 4} == {7: SAME_NUMBER.format(6)}


def test_a_row_that_is_the_same_is_told_what_else_is_wrong(world: World, files: Files) -> None:
    id = checked(world, files, sheet(["A", "C9001"], ["B", "C9001", "12"]), columns=COLUMNS)

    assert sentences(world, id)[3] == [SAME_NUMBER.format(2), "“12” is no phone number."]


@pytest.mark.usefixtures("small")
def test_what_is_good_when_it_is_checked_is_written(world: World, files: Files) -> None:
    rows = [["A", "C9001"], ["B"], ["C"], ["D"], ["E", "C9001"], ["红星科技"], ["红星科技有限公司"]]
    id = checked(world, files, sheet(*rows), columns=COLUMNS)
    assert any(row["batch_id"] == id for row in world.rows(ImportKey))

    world.li.do(applying.confirm, id)
    files.run()

    assert {n for n, state in states(world, id).items() if state == RowState.BAD} == {6, 8}
    assert {row["name"] for row in world.rows(Customer)} == {"A", "B", "C", "D", "红星科技"}
    assert world.row(ImportBatch, id)["state"] == ImportState.PARTLY
    assert world.rows(ImportKey) == []


def test_two_changes_of_one_record_are_no_duplicates(world: World, files: Files) -> None:
    there = world.row(Customer, world.customer("There", owner="li"))["number"]
    rows = [["There", there, "10086"], ["There", there, "10010"], ["New", "C9009"], ["Newer", "C9009"]]

    id = checked(world, files, sheet(*rows), columns=COLUMNS, mode=ImportMode.UPSERT, key=("number",))

    assert states(world, id) == {2: RowState.GOOD, 3: RowState.GOOD, 4: RowState.GOOD, 5: RowState.BAD}


def test_contacts_people_and_words_have_their_duplicates_in_the_file_too(world: World, files: Files) -> None:
    for name in ("Acme", "Bolt"):
        world.customer(name, owner="li")
    contacts = [
        ["客户", "姓名", "电话"],
        ["Acme", "Ann Lee", "10086"],
        ["Bolt", "Ann Lee", "1"],
        ["Acme", "ann lee", None],
    ]
    people = [["账号", "姓名"], ["zoe", "Zoe"], ["Zoe", "Zoe Two"]]
    words = [["数据字典", "编码", "英文"], ["industry", "mining", "Mining"], ["industry", "mining", "Mines"]]

    one = checked(world, files, contacts, target="contact", columns={0: "customer_id", 1: "name"})
    two = checked(world, files, people, "ada", "person", columns={0: "login", 1: "name"})
    keys = {0: "dictionary_id", 1: "key", 2: "label_en"}
    three = checked(world, files, words, "ada", "dictionary_item", columns=keys)

    assert states(world, one) == {2: RowState.GOOD, 3: RowState.GOOD, 4: RowState.BAD}
    assert shown(world, one)[4].problems[0].code == "SAME_AS_ROW"
    for id in (two, three):
        assert sentences(world, id, "ada").keys() == {3}
        assert shown(world, id, "ada")[3].problems[0].code == "SAME_AS_ROW"


def test_keys_go_with_the_rows_that_are_read_anew_or_cancelled(world: World, files: Files) -> None:
    id = checked(world, files, sheet(["A", "C9001"]), columns=COLUMNS)
    assert world.rows(ImportKey)
    world.li.do(batches.read_anew, id, Choices())
    assert world.rows(ImportKey) == []


# --- against a model -------------------------------------------------------------------------------------

NAMES = ("", "红星科技", "红星科技有限公司", "蓝海贸易", "Oak", "Oak Ltd")
CORES = {"红星科技": "red", "红星科技有限公司": "red", "蓝海贸易": "blue", "Oak": "oak", "Oak Ltd": "oak"}
NUMBERS = ("", "C9001", "c9001", "C9002", "TAKEN")
EMAILS = ("", "", "a@b.cn", "A@B.CN", "no address")


def model(cells: dict[int, list[str]], skipped: set[int]) -> dict[int, RowState]:
    """The states of rows, written down a second time: each row beside all good ones before it."""
    good: list[list[str]] = []
    found = {}
    for number, (name, code, email) in sorted(cells.items()):
        if number in skipped:
            found[number] = RowState.SKIPPED
            continue
        keys = [CORES.get(name, ""), code.lower(), email.lower()]
        is_wrong = not name or code == "TAKEN" or email == "no address"
        is_same = any(mine and mine == theirs for row in good for mine, theirs in zip(keys, row, strict=True))
        found[number] = RowState.BAD if is_wrong or is_same else RowState.GOOD
        if found[number] == RowState.GOOD:
            good.append(keys)
    return found


def follow(world: World, files: Files, dice: random.Random, rows: int, steps: int) -> None:
    """Correct an import at random; after each step its rows stand as the model says, and in the end as a fresh check."""
    taken = world.row(Customer, world.customer("There", owner="li"))["number"]
    pick = [(dice.choice(NAMES), dice.choice(NUMBERS), dice.choice(EMAILS)) for _ in range(rows)]
    cells = {number: list(row) for number, row in enumerate(pick, start=2)}
    written = [[name or None, code.replace("TAKEN", taken) or None, email or None, "x"] for name, code, email in pick]
    columns = {0: "name", 1: "number", 2: "email"}
    id = checked(world, files, [["客户名称", "客户编号", "邮箱", "列"], *written], columns=columns)
    skipped: set[int] = set()
    assert states(world, id) == model(cells, skipped)
    for _ in range(steps):
        number = dice.choice([*cells])
        if dice.random() < 0.3:
            world.li.do(correcting.skip_rows, id, [number], skipped=number not in skipped)
            skipped ^= {number}
        elif dice.random() < 0.2:
            wrong, right = dice.choice(NUMBERS), dice.choice(NUMBERS)
            said = [each.replace("TAKEN", taken) for each in (wrong, right)]
            world.li.do(correcting.fix_value, id, 1, *said)
            for row in cells.values():
                row[1] = right if row[1] == wrong else row[1]
        else:
            place, choices = dice.choice([*enumerate((NAMES, NUMBERS, EMAILS))])
            cells[number][place] = dice.choice(choices)
            said_now = cells[number][place].replace("TAKEN", taken)
            world.li.do(correcting.edit_row, id, number, {place: said_now})
        files.run()
        assert states(world, id) == model(cells, skipped)
    kept = sentences(world, id)
    world.li.do(mapping.set_mapping, id, Plan(columns))
    files.run()
    assert states(world, id) == model(cells, skipped)
    fresh = sentences(world, id)
    assert {n: (fresh.get(n), kept.get(n)) for n in cells if fresh.get(n) != kept.get(n)} == {}


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("seed", range(2))
def test_corrected_rows_stand_as_a_model_and_a_fresh_check_say(world: World, files: Files, seed: int) -> None:
    follow(world, files, random.Random(seed), rows=9, steps=12)


@pytest.mark.long
@pytest.mark.usefixtures("small")
@pytest.mark.sampled(sqlite=5, postgresql=3)
@pytest.mark.parametrize("seed", range(100, 130))
def test_the_same_with_many_corrections(world: World, files: Files, seed: int) -> None:
    follow(world, files, random.Random(seed), rows=14, steps=30)
