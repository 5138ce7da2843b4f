"""The palette and the page of results over plain HTTP: what is offered to whom, and where it leads."""

import re
from html import unescape

import pytest

from models import Contact, Customer, FollowUp
from resolvers.records import recycle_bin
from tests.support.panel import Panel
from tests.support.refusals import add_line
from tests.support.secrecy import SECRET
from tests.support.world import World

Option = tuple[str, str, str]


@pytest.fixture
def panel(world: World) -> Panel:
    return Panel(world)


def asked(panel: Panel, login: str, path: str, **query: str) -> list[Option]:
    """(label, what is beside it, where it leads or what it puts into the box) of each option of the palette."""
    answer = panel.of(login).get(path, query, **{"hx-request": "true", "hx-target": "dialog-body"})
    assert answer.status_code == 200, answer.text
    found = []
    for tag, inside in re.findall(r'<a class="palette-option"(.*?)>(.*?)</a>', answer.text, re.DOTALL):
        leads = re.search(r'(?:href|data-fills)="(.*?)"', tag)
        label = re.search(r'palette-label">(.*?)</span>', inside)
        more = re.search(r'palette-more">(.*?)</span>', inside)
        assert leads is not None
        assert label is not None
        found.append(tuple(unescape(x[1]) if x else "" for x in (label, more, leads)))
    return found


def typed(panel: Panel, login: str, text: str) -> list[Option]:
    return asked(panel, login, "/admin/palette/found", q=text)


def labels(options: list[Option]) -> list[str]:
    return [label for label, _more, _leads in options]


def chinese(world: World, login: str) -> None:
    with world.backend.writer.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE app_user SET language = 'zh' WHERE login = '{login}'")


def test_a_number_leads_to_its_record_at_once(panel: Panel, world: World) -> None:
    id = world.customer("Acme", owner="li")
    world.customer("About C2026001", owner="li")

    page = panel.of("li").get("/admin/palette/found", {"q": "c2026001"}).text
    first, second = typed(panel, "li", "c2026001")[:2]

    assert first == ("Acme", "C2026001 · Li Na", f"/admin/customer/details/cus_{id}")
    assert second[0] == "About C2026001"
    assert re.findall(r'id="palette-option-(\d+)"[^>]*data-best', page) == ["0"]
    assert 'data-said="2 results"' in page


def test_records_are_grouped_with_their_number_and_a_line_to_the_whole_list(panel: Panel, world: World) -> None:
    for n in range(6):
        world.customer(f"Granite {n}", owner="li")

    page = unescape(panel.of("li").get("/admin/palette/found", {"q": "granite"}).text)
    options = typed(panel, "li", "granite")
    listed = panel.of("li").get(options[-1][2])

    assert "Customers · 6" in page
    assert len(options) == 5
    assert options[-1] == ("All 6: Customers", "", "/admin/customer/list?q=granite")
    assert listed.text.count("data-row") == 6


def test_pages_and_forms_are_found_in_both_languages_and_by_pinyin(panel: Panel, world: World) -> None:
    customers, form = "/admin/customer/list", "/admin/customer/create"

    for text in ("customers", "客户", "kehu", "custom"):
        assert customers in [leads for _label, _more, leads in typed(panel, "li", text)], text
    for text in ("new customer", "新建客户", "xjkh"):
        assert form in [leads for _label, _more, leads in typed(panel, "li", text)], text
    chinese(world, "li")
    assert labels(typed(panel, "li", "xjkh")) == ["新建客户"]
    assert ("我的账号", "", "/admin/account") in typed(panel, "li", "account")


def test_what_the_user_may_not_open_or_create_is_no_option(panel: Panel, world: World) -> None:
    assert "/admin/policy" in [leads for _label, _more, leads in typed(panel, "ada", "policy")]
    assert typed(panel, "li", "policy") == typed(panel, "li", "new department") == []
    assert typed(panel, "aud", "new customer") == []


def test_a_command_with_a_number_leads_to_its_dialog(panel: Panel, world: World) -> None:
    pooled, owned = world.customer("Pooled", pool="north"), world.customer("Owned", owner="li")

    claim = typed(panel, "li", "claim c2026001")
    chinese(world, "li")
    transfer = typed(panel, "li", "转移C2026002")
    dialog = panel.of("li").get(transfer[0][2])

    assert claim[0] == ("Claim: Pooled", "C2026001 · North", f"/admin/customer/ask/claim?one=cus_{pooled}&from=detail")
    assert claim[1][2] == f"/admin/customer/details/cus_{pooled}"
    assert transfer[0][0] == "转移：Owned"
    assert f'value="cus_{owned}"' in dialog.text


def test_a_command_is_offered_only_where_the_page_has_its_button(panel: Panel, world: World) -> None:
    world.customer("Mine", owner="li")
    world.customer("Others", owner="mei")

    assert labels(typed(panel, "li", "claim C2026001")) == ["Mine"]
    assert typed(panel, "li", "transfer C2026002") == []
    assert typed(panel, "aud", "claim C2026001") == [] or labels(typed(panel, "aud", "claim C2026001")) == ["Mine"]
    assert labels(typed(panel, "li", "transf")) == ["Transfer …"]
    assert typed(panel, "li", "transf")[0][2] == "Transfer "
    assert typed(panel, "aud", "transf") == []


def test_nothing_typed_offers_what_was_opened_lately_as_far_as_it_may_still_be_seen(panel: Panel, world: World) -> None:
    mine, others = world.customer("Mine", owner="li"), world.customer("Others", owner="mei")
    contact = world.make(Contact, customer_id=mine, name="Ann")
    records = f"con_{contact},cus_{others},cus_{mine},cus_999,usr_x,xyz_1,,cus_{mine}"
    before = asked(panel, "li", "/admin/palette", records=records, pages="/admin/account,/admin/policy")

    with world.backend.writer.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE customer SET owner_id = {world.ids['mei']} WHERE id = {mine}")
    after = asked(panel, "li", "/admin/palette", records=records)

    assert before[:2] == [
        ("Ann", "Contact", f"/admin/contact/details/con_{contact}"),
        ("C2026001 Mine", "Customer", f"/admin/customer/details/cus_{mine}"),
    ]
    assert before[2][2] == "/admin/account"
    assert not {"Mine", "Ann", "C2026001 Mine"} & set(labels(after))
    assert "/admin/policy" not in [leads for _label, _more, leads in before]


@pytest.mark.parametrize("path", ["/admin/palette/found", "/admin/search"])
def test_hidden_values_find_nothing(panel: Panel, world: World, path: str) -> None:
    add_line(world, "p, sales, customer.phone, view, all, any, deny")
    world.customer("Acme", owner="li", phone=SECRET)

    texts = {text: panel.of("li").get(path, {"q": text}).text for text in (SECRET, SECRET[3:7], "13111112222", "1111")}
    said = {re.sub(r"\d{4,}|_key.*?>", "", text) for text in texts.values()}

    assert "Acme" not in "".join(texts.values())
    assert len(said) == 1


def test_the_page_of_results_works_without_scripts_and_escapes_what_was_typed(panel: Panel, world: World) -> None:
    id = world.customer("Acme <b>", owner="li")
    li = panel.of("li")

    empty, found = li.get("/admin/search"), li.get("/admin/search", {"q": "acme"})
    odd = li.get("/admin/search", {"q": '"><script>alert(1)</script>'})
    long = li.get("/admin/search", {"q": "x" * 5_000})

    assert 'action="/admin/search"' in li.get("/admin/").text
    assert "data-focus" in empty.text
    assert f'href="/admin/customer/details/cus_{id}"' in found.text
    assert "Acme &lt;b&gt;" in found.text
    assert "<script>alert" not in odd.text
    assert [page.status_code for page in (empty, found, odd, long)] == [200] * 4


def test_a_refused_search_says_why_and_still_finds_pages(panel: Panel, world: World) -> None:
    words = " ".join(f"w{n}" for n in range(20))

    page = panel.of("li").get("/admin/palette/found", {"q": words}).text

    assert "A search has at most 16 words." in page


def test_a_lost_session_says_where_to_sign_in(panel: Panel, world: World) -> None:
    visitor = panel.browser()
    at = {"hx-request": "true", "hx-current-url": "http://testserver/admin/customer/list?tab=mine"}

    answer = visitor.get("/admin/palette/found", {"q": "acme"}, **at)

    assert answer.status_code == 204
    assert answer.headers["hx-redirect"] == "/admin/login?next=/admin/customer/list%3Ftab%3Dmine"
    assert (
        visitor.get("/admin/search", {"q": "acme"}).headers["location"] == "/admin/login?next=/admin/search%3Fq%3Dacme"
    )


def test_a_record_in_the_bin_is_no_longer_found(panel: Panel, world: World) -> None:
    id = world.customer("Acme", owner="li")
    world.scope("li").do(recycle_bin.delete, Customer, [id])

    assert labels(typed(panel, "li", "acme")) == []


def test_a_kind_of_which_the_last_days_are_searched_says_so_in_both_languages(panel: Panel, world: World) -> None:
    customer = world.customer("Acme", owner="li")
    world.make(FollowUp, customer_id=customer, kind="CALL", content="About granite", happened_at=world.clock())

    for path in ("/admin/palette/found", "/admin/search"):
        assert "Follow-ups · 1+ · texts of the last 14 days" in panel.of("li").get(path, {"q": "granite"}).text
    chinese(world, "li")
    assert "跟进记录 · 1+ · 正文仅含最近14天" in panel.of("li").get("/admin/search", {"q": "granite"}).text
    nothing = panel.of("li").get("/admin/search", {"q": "basalt"}).text
    assert "跟进记录在此仅搜索最近14天的正文，其列表可搜索全部。" in nothing


def test_a_browser_in_which_nothing_was_opened_begins_with_ones_own_customers(panel: Panel, world: World) -> None:
    mine, newer = world.customer("Mine", owner="li"), world.customer("Newer", owner="li")
    world.customer("Others", owner="mei")

    begun = [option for option in asked(panel, "li", "/admin/palette") if "/customer/details/" in option[2]]
    assert begun == [
        ("Newer", "C2026002", f"/admin/customer/details/cus_{newer}"),
        ("Mine", "C2026001", f"/admin/customer/details/cus_{mine}"),
    ]
    opened = asked(panel, "li", "/admin/palette", records=f"cus_{mine}")
    assert [label for label, _more, leads in opened if "/customer/details/" in leads] == ["C2026001 Mine"]
    assert not [leads for _label, _more, leads in asked(panel, "ada", "/admin/palette") if "/details/" in leads]
