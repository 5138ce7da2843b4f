"""`millpond policy …`: looking, reviewing, applying, taking back, repairing."""

from pathlib import Path

import pytest
from sqlalchemy import delete, insert

from models import AuditEntry, PolicyDraft, PolicyRevision, PolicyWord, utcnow
from policies import STARTER
from tests.cli.test_commands import behind_the_back
from tests.support.terminal import millpond, told
from tests.support.world import World

HIDE = "p, support, contact.points, view, all, any, deny"
CLAIM = "p, sales, customer, claim, pool_member, in_pool, allow"


@pytest.fixture
def text(tmp_path: Path) -> Path:
    """A text with a line more and a line less, in another order and with another comment."""
    path = tmp_path / "policy.csv"
    lines = [line for line in STARTER.splitlines() if line != CLAIM]
    path.write_text("\n".join([HIDE, "# hello", *lines]) + "\n", encoding="utf-8")
    return path


def test_diff_prints_the_lines_that_come_and_go_like_diff_does(url: str, text: Path) -> None:
    assert told(millpond(url, "policy", "diff", str(text))) == (1, f"- {CLAIM}\n+ {HIDE}\n", "")

    text.write_text("# the same\n\n" + "\n".join(sorted(STARTER.splitlines())), encoding="utf-8")
    assert told(millpond(url, "policy", "diff", str(text))) == (0, "", "")


def test_review_says_what_changes_for_whom_and_changes_nothing(world: World, text: Path) -> None:
    for n in range(3):
        world.customer(f"C{n}", pool="north")
    before = world.everything()

    reviewed = millpond(world.backend.url, "policy", "review", str(text))

    assert reviewed.exit_code == 0
    assert reviewed.stderr == "It may take effect in place of revision 1.\n"
    lines = reviewed.stdout.splitlines()
    assert lines[:2] == [f"- {CLAIM}", f"+ {HIDE}"]
    assert (
        "4 people (Lena Lead, Li Na, Mei Lin, Wu Wei): claim customer: pool_member if in_pool, except others if locked → "
        "never" in lines
    )
    assert any(line.startswith("1 person (Sam Ode): view contact.points: ") for line in lines)
    assert any(line.startswith("  claim customer: 0 won, 3 lost, such as ") for line in lines)
    assert world.everything() == before
    quick = millpond(world.backend.url, "policy", "review", str(text), "--no-count")
    assert "won" not in quick.stdout


def test_review_as_somebody_says_what_is_beyond_him_and_remarks_on_lines(url: str, tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    wide = "p, sales, customer, purge, own, deleted, allow"
    idle = "p, sales_lead, customer, view, own, !deleted, allow"
    path.write_text(f"{STARTER}{wide}\n{idle}\n", encoding="utf-8")

    mine = millpond(url, "policy", "review", str(path), "--as", "rolf")

    assert mine.exit_code == 1
    assert "millpond: It gives rights that you may not hand out.\n" in mine.stderr
    beyond = [line for line in mine.stdout.splitlines() if line.startswith("beyond: ")]
    assert any("would be allowed to purge customer: " in line and "Li Na" in line for line in beyond)
    number = len(STARTER.splitlines()) + 2
    assert any(
        line.startswith(f"remark: line {number} ({idle}) says nothing that line") for line in mine.stdout.splitlines()
    )
    assert millpond(url, "policy", "review", str(path), "--as", "ada").exit_code == 0


def test_review_names_every_line_that_is_wrong(url: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.csv"
    path.write_text("p, sales, customer, exprot, own, any, allow\ng, sales\n", encoding="utf-8")

    code, out, err = told(millpond(url, "policy", "review", str(path)))

    assert (code, out) == (1, "")
    assert [line.partition(",")[0] for line in err.splitlines()] == [
        "millpond: line 1: unknown action “exprot”; known: *",
        "millpond: line 2: a g line has 2 columns (role",
    ]


def test_apply_puts_a_text_in_force_and_rollback_brings_the_old_one_back(world: World, text: Path) -> None:
    url = world.backend.url

    assert told(millpond(url, "policy", "apply", str(text), "--reason", "phones")) == (
        0,
        "",
        "Revision 2 is in force.\n",
    )
    assert told(millpond(url, "policy", "export")) == (0, text.read_text(encoding="utf-8"), "")
    assert told(millpond(url, "policy", "rollback", "1", "--reason", "again", "--as", "Rolf")) == (
        0,
        "",
        "Revision 3 is in force, with the text of revision 1.\n",
    )

    assert millpond(url, "policy", "export").stdout == STARTER
    made = [(x["reason"], x["author_id"], x["back_to"]) for x in world.rows(PolicyRevision)[1:]]
    assert made == [("phones", None, None), ("again", world.ids["rolf"], 1)]
    entries = world.rows(AuditEntry, AuditEntry.action == "policy.activate")
    assert [x["actor_name"] for x in entries] == ["system:command-line", "Rolf Vik"]
    assert entries[0]["changes"] == {"lines": [[CLAIM], [HIDE]]}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["apply", "FILE", "--reason", " "], "Say why: the history keeps it."),
        (["apply", "SAME", "--reason", "x"], "Nothing changes: the policy says all of this already."),
        (
            ["apply", "FILE", "--reason", "x", "--as", "li"],
            "Your roles do not allow: put in force (policy). Ask an administrator for this right.",
        ),
        (
            ["apply", "WIDE", "--reason", "x", "--as", "rolf"],
            "Sales would be allowed to delete for good: customers, when ",
        ),
        (["apply", "WRONG", "--reason", "x"], "The policy cannot be used: line 1: a p line has 6 columns"),
        (["rollback", "9", "--reason", "x"], "There is no such revision, or you may not see it."),
        (["repair", "--to", "9", "--reason", "x"], "There is no such revision, or you may not see it."),
        (["repair", "--file", "WRONG", "--reason", "x"], "The policy cannot be used: line 1: "),
    ],
)
def test_what_may_not_take_effect_is_said_in_a_sentence_and_changes_nothing(
    world: World, text: Path, tmp_path: Path, words: list[str], sentence: str
) -> None:
    files = {
        "SAME": STARTER,
        "WIDE": STARTER + "p, sales, customer, purge, all, deleted, allow\n",
        "WRONG": "p, sales\n",
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    named = {"FILE": str(text)} | {name: str(tmp_path / name) for name in files}
    before = world.everything()

    code, out, err = told(millpond(world.backend.url, "policy", *(named.get(word, word) for word in words)))

    assert (code, out) == (1, "")
    assert err.startswith(f"millpond: {sentence}")
    assert err.count("\n") == 1
    assert world.everything() == before


def test_repair_takes_one_choice_only(sqlite_url: str, text: Path) -> None:
    tried = millpond(sqlite_url, "policy", "repair", "--starter", "--file", str(text), "--reason", "x")

    assert tried.exit_code == 2
    assert "exclude one another" in tried.stderr


def test_repair_puts_in_force_what_no_review_would_let_through(world: World, tmp_path: Path) -> None:
    path = tmp_path / "narrow.csv"
    path.write_text("p, administrator, *, *, all, any, allow\n", encoding="utf-8")

    done = millpond(world.backend.url, "policy", "repair", "--file", str(path), "--reason", "start anew")

    assert told(done) == (0, "", "Revision 2 is in force.\n")
    assert (
        told(millpond(world.backend.url, "policy", "apply", str(path), "--reason", "x"))[0] == 1
    )  # no line for the house
    back = millpond(world.backend.url, "policy", "repair", "--starter", "--reason", "and back")
    assert told(back) == (0, "", "Revision 3 is in force.\n")
    assert millpond(world.backend.url, "policy", "export").stdout == STARTER


# --- what a new version brings ---------------------------------------------------------------------------

OFFERED = "; they have no effect until somebody puts them in force. Review them in the panel, under Policy, or run: millpond policy offered"


def test_migrate_says_what_is_new_and_doctor_says_so_until_it_is_in_force(new_url: str, tmp_path: Path) -> None:
    millpond(new_url, "user", "add", "ada", "--role", "administrator")
    text, gone = STARTER.replace(f"{CLAIM}\n", ""), tmp_path / "older.csv"
    gone.write_text(text, encoding="utf-8")
    assert millpond(new_url, "policy", "apply", str(gone), "--reason", "an older version").exit_code == 0
    behind_the_back(new_url, delete(PolicyWord).where(PolicyWord.word == ".claim"))

    migrated, again = millpond(new_url, "migrate"), millpond(new_url, "migrate")

    sentence = f"This version brings 1 policy line about what is new{OFFERED}"
    assert [x.stderr.splitlines()[1:] for x in (migrated, again)] == [[sentence], [sentence]]
    assert [x.stderr.splitlines()[0].endswith("nothing was missing.") for x in (migrated, again)] == [False, True]
    assert f"millpond: {sentence}" in millpond(new_url, "doctor").stderr.splitlines()
    offered = millpond(new_url, "policy", "offered")
    assert (offered.exit_code, offered.stderr) == (0, "1 line is new in this text.\n")
    assert offered.stdout == f"{text}\n# --- new in this version: claim ---\n{CLAIM}\n"
    new = tmp_path / "new.csv"
    new.write_text(offered.stdout, encoding="utf-8")
    assert millpond(new_url, "policy", "apply", str(new), "--reason", "the new version").exit_code == 0
    assert millpond(new_url, "doctor").exit_code == 0
    assert told(millpond(new_url, "policy", "offered")) == (
        1,
        "",
        "millpond: This version has brought no lines that wait for review.\n",
    )


def test_what_is_new_is_given_up(new_url: str) -> None:
    behind_the_back(new_url, delete(PolicyWord).where(PolicyWord.word == ".claim"))
    behind_the_back(new_url, insert(PolicyDraft).values(base=1, text=f"{STARTER}{HIDE}\n", at=utcnow()))

    assert told(millpond(new_url, "policy", "offered", "--discard")) == (0, "", "The lines are given up.\n")
    assert millpond(new_url, "policy", "offered").exit_code == 1
