"""The command line's door: the same check, rules and rights, for people who look and for programs."""

import json
from pathlib import Path

import pytest

import resolvers
from millpond.cli.imports import _code
from models import Contact, Customer, ImportBatch
from models.import_batch import ImportState
from tests.support.terminal import millpond, told
from tests.support.world import World

TWO = "客户名称,联系人,联系人手机,行业\nAcme,Ann,13800138000,Internet\nBeta,Bob,12,Internet\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "customers.csv"
    made.write_text(TWO, encoding="utf-8")
    return made


def test_good_rows_come_in_and_the_others_are_named(world: World, file: Path) -> None:
    status, out, said = told(millpond(world.backend.url, "import", "customers", str(file), "--as", "li"))

    assert (status, out) == (1, "")
    assert "1 newly created" in said
    assert "row 3: “12” is no phone number." in said
    (row,) = world.rows(Customer)
    assert (row["name"], row["owner_id"], row["industry"]) == ("Acme", world.ids["li"], "internet")
    assert [x["name"] for x in world.rows(Contact)] == ["Ann"]
    assert {x["door"] for x in world.log() if x["action"] == "customer.import"} == {"job"}


def test_the_same_file_again_is_told(world: World, file: Path) -> None:
    words = ("import", "customers", str(file), "--as", "li", "--check")
    assert "came in before" not in told(millpond(world.backend.url, *words))[2]
    millpond(world.backend.url, *words[:-1])

    assert "This very file came in before" in told(millpond(world.backend.url, *words))[2]


def test_a_check_changes_nothing_and_answers_programs(world: World, file: Path) -> None:
    answer = millpond(world.backend.url, "import", "Customer", str(file), "--as", "li", "--check", "--json")

    assert answer.exit_code == 1
    assert json.loads(answer.stdout) == {
        "import": "imp_1",
        "rows": {"BAD": 1, "GOOD": 1},
        "problems": [{"row": 3, "codes": ["FORMAT"], "sentences": ["“12” is no phone number."]}],
        "notices": [],
    }
    assert world.rows(Customer) == []
    assert [x["state"] for x in world.rows(ImportBatch)] == [ImportState.CANCELLED]


def test_an_update_by_number_and_a_column_that_is_named_by_hand(world: World, tmp_path: Path) -> None:
    id = world.customer("Acme", owner="li")
    number = world.row(Customer, id)["number"]
    file = tmp_path / "phones.csv"
    file.write_text(f"编号,XYZ\n{number},10086\n", encoding="gb18030")
    words = (
        "import",
        "customers",
        str(file),
        "--as",
        "li",
        "--mode",
        "update",
        "--key",
        "number",
        "--map",
        "XYZ=phone",
    )

    assert told(millpond(world.backend.url, *words)) == (0, "", "imp_1: 1 updated\n")
    assert world.row(Customer, id)["phone"] == "10086"


@pytest.mark.parametrize("name", ["follow-ups", "Follow_up", "跟进记录", "pooled-customers", "dictionary items"])
def test_what_is_imported_goes_by_the_names_that_people_use(name: str) -> None:
    resolvers.load()
    assert _code(name) in {"follow_up", "pooled_customer", "dictionary_item"}


def test_an_import_is_undone_by_its_name(world: World, tmp_path: Path) -> None:
    file = tmp_path / "one.csv"
    file.write_text("客户名称,联系人\nAcme,Ann\n", encoding="utf-8")
    url = world.backend.url
    assert told(millpond(url, "import", "customers", str(file), "--as", "li")) == (0, "", "imp_1: 1 newly created\n")

    assert told(millpond(url, "import", "--undo", "imp_1", "--as", "li")) == (0, "", "imp_1: 1 taken back\n")
    assert [row["deleted_at"] is not None for row in world.rows(Customer)] == [True]
    assert "carried out or has ended" in millpond(url, "import", "--undo", "imp_1", "--as", "li").stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("engines", "FILE", "--as", "li"), "There is nothing called “engines”"),
        (("customers", "absent.csv", "--as", "li"), "absent.csv cannot be read"),
        (("--as", "li"), "Say what to import, and name the file."),
        (("customers", "FILE", "--as", "fin"), "You"),
        (("customers", "FILE", "--as", "li", "--map", "Nope=name"), "The file has no heading “Nope”."),
        (("customers", "FILE", "--as", "li", "--mode", "guess"), "--mode is insert, update or upsert."),
        (("customers", "FILE", "--as", "li", "--pool", "Nowhere"), "There is no pool “Nowhere”."),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    world: World, file: Path, words: tuple[str, ...], sentence: str
) -> None:
    given = [str(file) if word == "FILE" else word for word in words]

    answer = millpond(world.backend.url, "import", *given)

    assert answer.exit_code == 1
    assert answer.stderr.count("\n") == 1
    assert sentence in answer.stderr
    assert world.rows(Customer) == []
    assert {row["state"] for row in world.rows(ImportBatch)} <= {ImportState.CANCELLED}
