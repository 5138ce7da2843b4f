"""No page says a word in another language than that of its reader."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from admin.kit import translation
from tests.support import catalogue
from tests.support.chinese import chinese_world
from tests.support.page_reader import Reader, walk
from tests.support.panel import Panel
from tests.support.world import World

BEGIN = [
    "/admin/",
    "/admin/account",
    *(f"/admin/customer/details/cus_{n}" for n in range(1, 7)),
    "/admin/customer/list?q=%E7%94%B2&f_stage=one&f_owner_id=me&f_created_at_from=2026-01-01&f_locked=no",
    "/admin/customer/list?f_pool_id=poo_1&f_updated_at_from=nonsense&f_updated_at_to=2026-01-01",
    "/admin/customer/ask/transfer",
    "/admin/customer/details/cus_999",
    "/admin/customer/details/cus_1?saved=1",
    "/admin/log?outcome=DENIED",
    "/admin/account?done=password",
    "/admin/account?done=revoked",
]


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    translation.speak("en")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = chinese_world(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def english() -> set[str]:
    """Messages that no Chinese page holds, even short ones: `To`, `No`."""
    wanted = catalogue.messages().keys() | translation.declared_words().keys()
    translation.speak("zh")
    return {key for key in wanted if translation.gettext(key) != key}


@pytest.mark.long
@pytest.mark.parametrize("login", ["ada", "li"])
def test_no_page_says_anything_in_english(world: World, english: set[str], login: str) -> None:
    reader = Reader(Panel(world).of(login), english)

    seen = walk(reader, *BEGIN)

    assert reader.found == {}
    assert len(seen) > (150 if login == "ada" else 80)


WRONG: list[tuple[str, dict[str, str], int]] = [
    ("customer/create", {}, 422),
    ("customer/create", {"name": "甲公司", "phone": "1" * 99, "email": "x", "owner_id": "usr_99"}, 422),
    ("contact/create", {"birthday": "x", "points-kind": "PHONE", "points-value": "1"}, 422),
    ("opportunity/create", {"amount": "x", "expected_close": "x"}, 422),
    ("follow-up/create", {"happened_at": "x", "kind": "x"}, 422),
    ("pool/create", {"name": "空", "priority": "9" * 12, "retain_days": "-1"}, 422),
    ("pool-member/create", {"pool_id": "poo_1", "seat": "MEMBER"}, 422),
    ("claim-rule/create", {"pool_id": "poo_1", "daily_quota": "-1"}, 422),
    ("user/create", {"login": "li", "name": "又", "language": "zh"}, 422),
    ("user/create", {"login": "A B", "name": "又", "language": "zh"}, 422),
    ("department/edit/dep_1", {"version": "1", "name": "总部", "parent_id": "dep_2"}, 422),
    ("number-rule/create", {"for_module": "customer", "pattern": "C"}, 422),
    ("customer/edit/cus_1", {"version": "1", "name": "甲公司", "address": "杭州"}, 409),
    ("customer/do/transfer", {"reason": "换"}, 422),
    ("customer/do/transfer", {"ids": "cus_1"}, 422),
    ("customer/do/lock", {"ids": "cus_1", "until": "x"}, 422),
    ("customer/do/claim", {"ids": "cus_3"}, 200),
    ("pooled/do/claim", {"ids": "cus_4"}, 200),
    ("bin-customer/do/purge", {"ids": "cus_5", "typed": "x"}, 422),
    ("pool/do/delete", {"ids": "poo_1"}, 200),
    ("account/password", {"old": "x", "new": "x", "again": "y"}, 422),
    ("account/password", {"old": "x", "new": "x", "again": "x"}, 422),
    ("account/token", {"name": "甲", "expires": "2020-01-01"}, 422),
    ("account/token", {"name": "甲", "expires": "x"}, 422),
    ("account/revoke", {"key": "tok_99"}, 422),
]
"""(address, form, status of the answer)."""


def test_what_goes_wrong_is_said_in_chinese(world: World, english: set[str]) -> None:
    reader = Reader(Panel(world).of("ada"), english)

    got = [(path, form, reader.post(f"/admin/{path}", **form).status) for path, form, _status in WRONG]

    assert got == WRONG
    assert reader.found == {}


def test_the_way_in_speaks_the_language_of_the_browser_and_the_account_that_of_its_owner(
    world: World, english: set[str]
) -> None:
    stranger = Reader(Panel(world).browser(), english)
    chinese = {"accept-language": "zh-CN,zh;q=0.9,en;q=0.8"}

    for path in ("/admin/login", "/admin/login?next=/admin/customer/list", "/admin/nowhere"):
        stranger.get(path, **chinese)
    assert stranger.found == {}
    assert "Sign in" in stranger.get("/admin/login").said

    stranger.post("/admin/preferences", name="language", value="zh", back="/admin/login")
    assert "登录" in stranger.get("/admin/login", **{"accept-language": "en"}).said
    stranger.post("/admin/preferences", name="language", value="en", back="/admin/login")
    assert "Sign in" in stranger.get("/admin/login", **chinese).said

    owner = Panel(world).of("ada")
    owner.post("/admin/preferences", {"name": "language", "value": "en", "back": "/admin/"})
    assert "客户" in Reader(owner, english).get("/admin/", **{"accept-language": "en"}).said
