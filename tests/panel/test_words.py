"""The panel's words: the Chinese catalogue is whole, the right language is chosen, and no page says a word of another."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from sqlalchemy import insert
from starlette.requests import Request

import models
from admin.kit import translation
from admin.kit.forms import PanelForm
from admin.kit.panel_request import PREFERENCES, Preferences, language_of
from millpond.migrate import migrate
from models import (
    ClaimRule,
    Contact,
    Customer,
    Department,
    FollowUp,
    NumberRule,
    Opportunity,
    Pool,
    PoolMember,
    Role,
    User,
)
from models.database.engines import writing_engine
from models.pool import GranteeKind, Seat
from policies import STARTER
from resolvers.customers import lock as locking
from resolvers.customers import transfer as transferring
from resolvers.people import preferences, tokens
from resolvers.pool import claim as claiming
from resolvers.pool import release as releasing
from resolvers.records import create_update, recycle_bin
from resolvers.runtime.policy_store import put_in_force
from tests.support import catalogue
from tests.support.panel import ORIGIN, Browser, Panel
from tests.support.world import START, World

PO = Path(translation.__file__).parent.parent / "locale/zh/LC_MESSAGES/millpond.po"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
ENGLISH = re.compile(r"[A-Za-z]{3,}")
SAME = {"GraphQL", "Id", "%(used)s of %(limit)s", "%(what)s, %(action)s:"}
"""Messages that need no Chinese letter: a name, an abbreviation, two numbers."""
NAMES = {"Millpond", "Casbin", "GraphQL", "API", "English"}


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    translation.speak("en")


# -- the catalogue -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chinese() -> Catalog:
    with PO.open("rb") as file:
        return read_po(file)


def entries(found: Catalog) -> Iterator[tuple[str, Message]]:
    """(message, its entry); the head left out, obsolete ones are none."""
    for message in found:
        if message.id:
            yield message.id if isinstance(message.id, str) else message.id[0], message


def said_by(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


def test_the_messages_are_found_wherever_they_are_said() -> None:
    wanted = catalogue.messages()

    in_a_template, in_python, in_an_f_string = "Skip to the content", "Companies and people you sell to.", "absent"
    of_a_column, of_a_choice, of_an_action, of_an_address = "Latest need", "Meeting", "export", "Other"
    written = {in_a_template, in_python, in_an_f_string}
    assert {*written, of_a_column, of_a_choice, of_an_action, of_an_address} - wanted.keys() == set()
    assert wanted["%(num)s more day"] == "%(num)s more days"


def test_every_message_has_a_chinese_one_and_none_is_left_over(chinese: Catalog) -> None:
    wanted, there = catalogue.messages(), {key for key, _message in entries(chinese)}

    assert {"without Chinese": sorted(wanted.keys() - there), "said nowhere": sorted(there - wanted.keys())} == {
        "without Chinese": [],
        "said nowhere": [],
    }
    assert {key: message.id for key, message in entries(chinese) if message.pluralizable} == {
        key: (key, many) for key, many in wanted.items() if many is not None
    }


def test_no_chinese_message_is_empty_or_a_guess(chinese: Catalog) -> None:
    assert [key for key, message in entries(chinese) if message.fuzzy or not all(said_by(message))] == []
    assert not chinese.obsolete
    assert chinese.num_plurals == 1


def test_the_places_for_values_are_the_same_in_both_languages(chinese: Catalog) -> None:
    def places(text: str) -> set[str]:
        return set(re.findall(r"%\(\w+\)\w|%[^(\s]", text))

    differ = [k for k, m in entries(chinese) if any(places(said) != places(k) for said in said_by(m))]

    assert differ == []


def test_chinese_is_chinese(chinese: Catalog) -> None:
    plain = [k for k, m in entries(chinese) if not all(CHINESE.search(said) for said in said_by(m))]
    mixed = [said for _k, m in entries(chinese) for said in said_by(m) if left_over(re.sub(r"%\(\w+\)s", "", said))]
    halves = [
        said for _k, m in entries(chinese) for said in said_by(m) if re.search(r"[\u4e00-\u9fff][,.:;?!()]", said)
    ]

    assert {key for key in plain if key != "through GraphQL"} <= SAME
    assert mixed == []
    assert halves == []


def test_the_catalogue_is_in_order_and_says_nothing_of_the_machine_it_was_made_on(chinese: Catalog) -> None:
    keys, text = [key for key, _message in entries(chinese)], PO.read_text(encoding="utf-8")
    head = text[: text.index("\n\n")]

    assert keys == sorted(keys)
    assert re.findall(r"^#[:|~]", text, re.MULTILINE) == []
    assert set(re.findall(r'^"([\w-]+):', head, re.MULTILINE)) == {
        "Project-Id-Version",
        "Language",
        "MIME-Version",
        "Content-Type",
        "Content-Transfer-Encoding",
        "Plural-Forms",
    }


# -- which language ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cookie", "accepted", "language"),
    [
        (None, "", "en"),
        (None, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (None, "ZH", "zh"),
        (None, "fr-FR,fr;q=0.9,zh;q=0.5,en;q=0.3", "zh"),
        (None, "en-GB,zh;q=0.5", "en"),
        (None, "fr", "en"),
        ("zh", "en", "zh"),
        ("en", "zh", "en"),
        ("fr", "zh", "zh"),
    ],
)
def test_a_browser_without_an_account_gets_what_it_chose_else_what_it_accepts(
    cookie: str | None, accepted: str, language: str
) -> None:
    held = quote(Preferences(language=cookie).written())
    headers = [(b"accept-language", accepted.encode()), (b"cookie", f"{PREFERENCES}={held}".encode())]
    request = Request({"type": "http", "headers": headers})

    assert translation.chosen(cookie, accepted) == language
    assert language_of(request) == language


def test_an_unknown_language_is_english() -> None:
    translation.speak("fr")

    assert translation.language() == "en"
    assert translation.gettext("Customers") == "Customers"


def test_a_label_is_said_in_the_language_of_whoever_reads_it() -> None:
    label = translation.Label("Customers")

    translation.speak("zh")
    assert (str(label), f"{label}", label.__html__(), translation.ngettext("%(num)s record", "%(num)s records", 2)) == (
        "客户",
        "客户",
        "客户",
        "共 %(num)s 条",
    )
    translation.speak("en")
    assert (str(label), translation.ngettext("%(num)s record", "%(num)s records", 2)) == (
        "Customers",
        "%(num)s records",
    )


def test_forms_speak_chinese_too() -> None:
    said = PanelForm(meta={"locales": ["zh"]}).meta.get_translations(None)

    assert said.gettext("This field is required.") == "该字段是必填字段。"
    assert said.gettext("Not a valid integer value.") == "不是有效的整数。"


# -- every page ----------------------------------------------------------------------------------------------


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world in which everything that people have written is Chinese: English in it is the panel's."""
    url = f"sqlite:///{tmp_path}/zh.db"
    engine = writing_engine(url)
    migrate(engine)
    with engine.begin() as connection:
        backend = {"id": 1, "name": "水车", "version": 1, "time_zone": "UTC", "currency": "CNY", "language": "zh"}
        backend |= {
            "contact_required": False,
            "created_at": START,
            "updated_at": START,
            "support_contact": "内线一二三",
        }
        connection.execute(insert(models.Organisation), backend)
        put_in_force(connection, STARTER, "开始", START)
    engine.dispose()
    world = World(url)
    try:
        settle(world)
        yield world
    finally:
        world.close()


def settle(world: World) -> None:
    ids = world.ids
    ids["head"] = world.make(Department, name="总部", capacity=50)
    ids["east"] = world.make(Department, name="华东", parent_id=ids["head"])
    for code, name in (("administrator", "管理员"), ("sales", "销售"), ("support", "客服")):
        ids[code] = world.make(Role, code=code, name=name, name_zh=name)
    world.user("ada", "艾达", "administrator", "head")
    world.user("li", "李娜", "sales", "east")
    world.user("wu", "吴伟", "sales", "east")
    for key, values in (("north", {"retain_days": 30}), ("south", {"retain_days": None})):
        ids[key] = world.make(Pool, name={"north": "北池", "south": "南池"}[key], **values)
    for login in ("li", "wu"):
        world.seat("north", login)
    world.seat("north", "ada", Seat.ADMIN)
    for kind, id in ((GranteeKind.DEPARTMENT, ids["east"]), (GranteeKind.ROLE, ids["support"])):
        world.make(PoolMember, pool_id=ids["south"], grantee_kind=kind, grantee_id=id, seat=Seat.VIEWER)
    world.rule("north", daily_quota=1, weekly_quota=5, cooldown_days=7, protect_days=1, capacity=9)
    world.make(NumberRule, for_module="customer", pattern="C{YYYY}{seq:3}")
    for code in ("stage", "industry", "source", "region", "level", "category", "opportunity_stage"):
        made = world.make(models.Dictionary, code=code, name="词典", name_zh="词典")
        item = {"dictionary_id": made, "label_en": "甲", "label_zh": "甲"}
        first = world.make(models.DictionaryItem, key="one", position=1, aliases=["别称"], **item)
        world.make(models.DictionaryItem, key="two", position=2, parent_id=first, archived_at=START, **item)
    work(world)
    for login in ("ada", "li"):
        world.scope(login, "panel").do(preferences.set_language, "zh")


def work(world: World) -> None:
    """Customers in every state, with what hangs on them; things that were refused; a bin with something in it."""
    ids, (li, wu, ada) = world.ids, (world.scope(login, "panel") for login in ("li", "wu", "ada"))
    facts = dict.fromkeys(("stage", "industry", "source", "region", "level", "category"), "one")
    facts |= {
        "phone": "021 5555 0101",
        "email": "a@example.cn",
        "address": "上海",
        "latest_need": "求购",
        "remark": "急",
    }
    owned = li.do(create_update.create, Customer, {"name": "甲公司", **facts}).id
    li.do(create_update.update, Customer, owned, {"level": None, "address": "苏州"}, 1)
    locked, released, old, gone = (world.customer(f"{name}公司", "li") for name in "乙丙丁戊")
    never = world.customer("己公司", pool="south")
    kinds = zip(("PHONE", "EMAIL", "WECHAT", "OTHER"), ("13800138000", "b@example.cn", "123456", "电台"), strict=True)
    person = {"customer_id": owned, "name": "王芳", "title": "经理", "birthday": START.date(), "is_primary": True}
    contact = li.do(create_update.create, Contact, {**person, "points": [{"kind": k, "value": v} for k, v in kinds]}).id
    deal = {"customer_id": owned, "contact_id": contact, "name": "大单", "amount": 1250, "stage": "one"}
    chance = li.do(create_update.create, Opportunity, {**deal, "expected_close": START.date(), "remark": "快"}).id
    for kind in ("CALL", "VISIT", "EMAIL", "WECHAT", "MEETING", "NOTE"):
        said = {"customer_id": owned, "contact_id": contact, "opportunity_id": chance, "kind": kind}
        li.do(create_update.create, FollowUp, {**said, "content": "谈过", "happened_at": START})
    li.do(locking.lock, [locked], "重要", None)
    ada.do(transferring.transfer, [old], ids["wu"], "换人")
    li.do(releasing.release, [released], ids["north"], "太远")
    world.clock.pass_by(days=3)
    wu.do(releasing.release, [old], ids["north"], None)
    ada.do(claiming.claim, [never])
    li.do(recycle_bin.delete, Customer, [gone])
    left = ada.do(
        create_update.create, User, {"login": "gone", "name": "走了", "active": False, "absent_until": START}
    ).id
    world.system.do(recycle_bin.delete, User, [left])
    world.system.do(recycle_bin.delete, Pool, [world.make(Pool, name="空池")])
    li.do(tokens.create_token, "夜班", None)
    wu.do(recycle_bin.delete, Customer, [locked])  # refused, and written down
    assert world.count(ClaimRule) == 1


class Page(HTMLParser):
    """A page as it is read: everything that a person sees or hears, and where one can go."""

    SPOKEN = ("placeholder", "title", "aria-label", "alt", "label", "data-label")
    SILENT = ("script", "style", "kbd", "code")
    """Keys are called what stands on them; secrets are no words."""

    def __init__(self, html: str, status: int) -> None:
        super().__init__()
        self.said: list[str] = []
        self.ways: list[str] = []
        self.ids: list[str] = []
        self.status = status
        self.asks: list[str] = []
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.said += [given[name] for name in self.SPOKEN if given.get(name)]
        self.ways += [given[name] for name in ("href", "hx-get", "data-lookup") if given.get(name)]
        self.asks += [given["formaction"]] if "/ask/" in given.get("formaction", "") else []
        self.ids += [given["value"]] if given.get("name") == "ids" else []
        self._inside = tag if tag in self.SILENT else self._inside

    def handle_endtag(self, tag: str) -> None:
        self._inside = "" if tag == self._inside else self._inside

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._inside:
            self.said.append(data.strip())


DATA = {"administrator", "sales", "support", "one", "two", "ada", "gone", "customer", "UTC", "CNY", "Tester"}
DATA |= {"stage", "industry", "source", "region", "level", "category", "opportunity_stage"}
"""Codes, keys and logins of this world, all in small letters: no label is written so."""
PATTERNS = re.compile(
    r"(?m)^(\d+: )?p2?, .*$|^g, .*$|^#.*$|\{[^}]*\}|\S+@\S+|\b[a-z]{3}_\d+|\b[0-9a-f]{16}-\d+|\bsystem:\w+"
)
"""Lines of the policy and their comments, parts of numbers, addresses, ids, batches, and what works by itself."""


def left_over(text: str) -> list[str]:
    """The English words of a text, without names and data."""
    found = re.findall(r"[A-Za-z][\w-]*", PATTERNS.sub("", text))
    return [word for word in found if ENGLISH.search(word) and word not in NAMES | DATA]


@pytest.fixture(scope="module")
def english() -> set[str]:
    """Messages that no Chinese page holds, short ones as well: `To`, `No`."""
    wanted = catalogue.messages()
    translation.speak("zh")
    return {key for key in wanted if translation.gettext(key) != key}


class Reader:
    """Somebody who reads what the panel shows, and notes whatever is English in it."""

    def __init__(self, browser: Browser, english: set[str]) -> None:
        self.browser, self.english = browser, english
        self.found: dict[str, str] = {}

    def get(self, path: str, **headers: str) -> Page:
        return self._read(path, self.browser.get(path, (), **headers))

    def post(self, path: str, **form: str) -> Page:
        return self._read(path, self.browser.post(path, form))

    def _read(self, path: str, answer: httpx.Response) -> Page:
        is_page = answer.headers.get("content-type", "").startswith("text/html")
        page = Page(answer.text if is_page else "", answer.status_code)
        page.said += [] if is_page or not answer.content else [each["text"] for each in answer.json()]
        page.said += [done["message"] for done in json.loads(answer.headers.get("hx-trigger", "{}")).values()]
        page.ways += [answer.headers["location"]] if "location" in answer.headers else []
        for said in page.said:
            if said in self.english or left_over(said):
                self.found.setdefault(said, path)
        return page


def walk(reader: Reader, *begin: str) -> Counter[tuple[str, str]]:
    """Follow every way from these pages on, to a few pages of each kind; how many of each."""
    ways, known, seen = list(begin), set(begin), Counter[tuple[str, str]]()
    for path in ways:  # grows while it is walked
        kind = kind_of(path)
        if path not in begin and seen[kind] >= (1 if kind[1] else FEW):
            continue
        seen[kind] += 1
        page = reader.get(path)
        asks = [f"{ask}?one={id}" for ask in page.asks for id in page.ids[:1]]
        found = {whole(path, way): None for way in [*page.ways, *asks]}
        ways += [way for way in found if way.startswith("/admin") and way not in known and not is_alike(way)]
        known |= found.keys()
    return seen


FEW = 2


def is_alike(path: str) -> bool:
    """Whether it is a list in another order or narrowed, or a dialog about nothing: BEGIN has one of each."""
    if "/list?" in path:
        return not kind_of(path)[1].startswith("tab=")
    return "/ask/" in path and "?" not in path


def kind_of(path: str) -> tuple[str, str]:
    """Whichever record it is about, and whatever narrows and orders a list: only its tab is told apart."""
    at = urlsplit(path)
    return re.sub(r"\d+", "N", at.path), at.query if re.fullmatch(r"tab=[\w-]+", at.query) else "?"[: len(at.query)]


def whole(at: str, way: str) -> str:
    way = way.partition("#")[0].removeprefix(ORIGIN)
    return urlsplit(at).path + way if way.startswith("?") else way


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
"""Address, what is sent there, and by which status it is answered."""


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
