"""Every screen in a real browser: accessible, no wider than a small phone, in both languages and themes, without errors."""

import pytest

from tests.support.browser import NARROW, Person, Screens

SCREENS = (
    "/admin/",
    "/admin/customer/list",
    "/admin/customer/list?q=x&f_stage=won",
    "/admin/customer/create",
    "/admin/customer/details/cus_1",
    "/admin/customer/details/cus_1?tab=history",
    "/admin/customer/edit/cus_1",
    "/admin/contact/list",
    "/admin/contact/details/con_1",
    "/admin/contact/edit/con_1",
    "/admin/pooled/list",
    "/admin/opportunity/list",
    "/admin/opportunity-board",
    "/admin/pipeline/details/pip_1",
    "/admin/pipeline-stage/edit/pst_1",
    "/admin/customer-stage/create",
    "/admin/follow-up/create",
    "/admin/pool/list",
    "/admin/pool/details/poo_1",
    "/admin/user/list",
    "/admin/user/details/usr_2",
    "/admin/department/list",
    "/admin/role/details/rol_1",
    "/admin/dictionary/details/dic_1",
    "/admin/number-rule/list",
    "/admin/organisation/edit/org_1",
    "/admin/bin-customer/list",
    "/admin/log",
    "/admin/account",
    "/admin/nothing-here",
    "/admin/search?q=li",
    "/admin/customer/ask/transfer?ids=cus_1",
    "/admin/imports",
    "/admin/imports/new",
    "/admin/policy",
    "/admin/policy/history",
    "/admin/policy/simulator",
    "/admin/why?record=cus_1",
)


SIZES = ((320, 640), (1360, 900))


def _walk(shown: Screens, paths: tuple[str, ...], language: str, theme: str) -> None:
    """Look at these screens in both sizes: each loaded anew in English and light, else on a phone that grows."""
    faults: dict[str, list[str]] = {}
    ada = shown.person("ada", SIZES[0], language=language, theme=theme)
    for path in paths:
        for size in SIZES:
            ada.page.set_viewport_size({"width": size[0], "height": size[1]})
            if size == SIZES[0] or (language, theme) == ("en", "light"):
                ada.go(path)
            if found := _faults(ada):
                faults[f"{path} {size[0]} {language} {theme}"] = found
    assert faults == {}


def _faults(ada: Person) -> list[str]:
    found = ada.faults()
    found += [f"{ada.overflow()} px too wide"] if ada.overflow() > 0 else []
    found += [said for said in ada.heard if "404" not in said]
    ada.heard.clear()
    return found


@pytest.mark.long
def test_screens_are_accessible_fit_a_small_phone_and_leave_the_console_empty(demo_screens: Screens) -> None:
    _walk(demo_screens, SCREENS[1:8:3], "en", "light")


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_screen_is_accessible_fits_a_small_phone_and_leaves_the_console_empty(
    demo_screens: Screens, language: str, theme: str
) -> None:
    _walk(demo_screens, SCREENS, language, theme)


@pytest.mark.long
def test_a_phone_without_scripts_has_its_menu_below_the_page(demo_screens: Screens) -> None:
    ada = demo_screens.person("ada", NARROW, scripts=False)
    page = ada.go("/admin/customer/list")

    page.locator("a.menu-toggle").click()
    page.locator("#menu").get_by_role("link", name="Follow-ups").click()

    page.get_by_role("heading", name="Follow-ups").wait_for()
    assert (page.locator("main").bounding_box() or {}).get("width") == NARROW[0]
    assert page.locator("button[data-menu]").is_hidden()
