"""People from a sheet: with the roles that stand in it, under the limits of whoever gives roles."""

from pathlib import Path

import pytest

from models import User, UserRole
from models.import_batch import RowState
from resolvers.imports import applying, looking, undoing
from tests.support.checked_imports import asked, checked, states
from tests.support.importing import Files
from tests.support.world import World

HEADINGS = ["登录名", "姓名", "角色"]
COLUMNS = {0: "login", 1: "name", 2: "roles"}


@pytest.fixture
def files(world: World, tmp_path: Path) -> Files:
    return Files(world, tmp_path / "files")


def roles_of(world: World, login: str) -> set[int]:
    (user,) = (row["id"] for row in world.rows(User) if row["login"] == login)
    return {x["role_id"] for x in world.rows(UserRole) if x["user_id"] == user and x["deleted_at"] is None}


def test_people_come_with_their_roles_and_go_with_them(world: World, files: Files) -> None:
    sheet = [
        HEADINGS,
        ["zoe", "Zoe Zhu", "sales；support"],
        ["yan", "Yan Yu", None],
        ["xi", "Xi Xu", "nobody has this"],
    ]

    id = checked(world, files, sheet, "ada", "person", columns=COLUMNS)

    assert states(world, id) == {2: RowState.GOOD, 3: RowState.GOOD, 4: RowState.BAD}
    (problem,) = asked(world, id, looking.rows, login="ada")[-1].problems
    assert problem.sentence == "Roles “nobody has this” was not found."
    world.ada.do(applying.confirm, id)
    files.run()
    assert roles_of(world, "zoe") == {world.ids["sales"], world.ids["support"]}
    assert roles_of(world, "yan") == set()
    world.ada.do(undoing.begin_undoing, id)
    files.run()
    assert {x["login"] for x in world.rows(User) if x["deleted_at"] is not None} == {"zoe", "yan"}
