"""Sign-in and preferences lead back to where the user was, and to no other host."""

from .redirects import field_in, leads_inside
from .worlds import small

AWAY = [
    "//evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "https://evil.example/admin/",
    "https:evil.example",
    "javascript:alert(1)",
    "/admin//evil.example",
    "/admin/..//evil.example",
    "/admin/\\evil.example",
    "/admin/\t/evil.example",
    "/admin/\r\nlocation: https://evil.example",
    "/admin/\nset-cookie: millpond=x",
    "/administrator",
    "/admin",
    "@evil.example",
    ".evil.example",
    " //evil.example",
    "/%2F/evil.example",
    "http:///evil.example/admin/",
    "/admin/\u2028/evil.example",
    "//evil.example/admin/",
    "/admin/" + "x" * 10_000 + "//evil.example",
]
INSIDE = ["/admin/customer/list?q=a&f_stage=early", "/admin/", "/admin/customer/details/cus_1?tab=history#related"]


def test_sign_in_and_preferences_never_lead_to_another_host(sqlite_url: str) -> None:
    with small(sqlite_url) as panel:
        li, stranger = panel.of("li"), panel.browser()

        for away in AWAY:
            panel.world.clock.pass_by(minutes=5)  # so that no sign-in is throttled
            assert "evil" not in stranger.get("/admin/login", {"next": away}).text.split("</head>")[1]
            leads_inside(panel.browser().sign_in("li", next=away), "/admin/")
            if away in AWAY[:5]:
                refused = panel.browser().sign_in("li", "wrong", next=away)
                again = panel.browser().sign_in("li", next=field_in(refused.text, "next"))
                leads_inside(again, "/admin/")
            leads_inside(li.post("/admin/preferences", {"name": "theme", "value": "dark", "back": away}), "/admin/")


def test_sign_in_and_preferences_lead_back_to_where_one_was(sqlite_url: str) -> None:
    with small(sqlite_url) as panel:
        li = panel.of("li")

        for inside in INSIDE:
            stranger = panel.browser()
            assert field_in(stranger.get("/admin/login", {"next": inside}).text, "next") == inside
            leads_inside(stranger.sign_in("li", next=inside), inside)
            leads_inside(li.post("/admin/preferences", {"name": "theme", "value": "dark", "back": inside}), inside)


def test_whoever_is_led_to_the_sign_in_comes_back_to_the_page_he_asked_for(sqlite_url: str) -> None:
    with small(sqlite_url) as panel:
        panel.of("li")
        stranger = panel.browser()

        sent = stranger.get("/admin/customer/list", {"q": "a b&c=1", "f_stage": "early"})

        to = stranger.get(sent.headers["location"])
        leads_inside(
            stranger.sign_in("li", next=field_in(to.text, "next")), "/admin/customer/list?q=a+b%26c%3D1&f_stage=early"
        )


def test_an_address_with_another_host_in_it_leads_nowhere(sqlite_url: str) -> None:
    with small(sqlite_url) as panel:
        for path in ("/admin//evil.example/list", "/admin/customer/list//evil.example", "/admin/%2Fevil.example"):
            for browser in (panel.of("li"), panel.browser()):
                assert (browser.get(path).status_code, browser.get(path).headers.get("location")) == (404, None), path
