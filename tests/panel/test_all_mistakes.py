"""A form shows all its mistakes at their fields at once, whether the form or the use case finds them."""

import re
from html import unescape

from models import Customer, Opportunity, User
from resolvers.records import create_update
from tests.panel.test_twice import hidden_inputs
from tests.support.panel import Panel
from tests.support.world import World


def mistakes(page: str) -> list[str]:
    """The messages beside the fields of a form."""
    found = re.findall(r'<div class="said-bad">(.*?)</div>', page, re.DOTALL)
    return [unescape(re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL)).strip() for text in found]


def test_a_new_record_shows_what_the_use_case_refuses_at_all_fields(world: World) -> None:
    browser = Panel(world).of("ada")
    form = hidden_inputs(browser.get("/admin/customer/create").text)
    typed = {"name": "Acme", "phone": "12", "email": "nowhere", "contact_phone": "1", "contact_email": "x"}

    answer = browser.post("/admin/customer/create", form | typed)

    assert answer.status_code == 422
    said = " ".join(mistakes(answer.text))
    for sentence in (
        "“12” is no phone number.",
        "“nowhere” is no e-mail address.",
        "“1” is no phone",
        "“x” is no e-mail",
    ):
        assert sentence in said, said
    assert "Contact's name is required." in said
    assert "Please look at the marked fields: 5." in unescape(answer.text)
    assert not world.rows(Customer)


def test_what_the_form_cannot_read_and_what_the_use_case_refuses_come_together(world: World) -> None:
    browser, customer = Panel(world).of("ada"), world.customer("Acme", "ada")
    form = hidden_inputs(browser.get("/admin/opportunity/create").text)
    typed = {
        "customer_id": f"cus_{customer}",
        "name": "Chairs",
        "amount": "much",
        "currency": "XYZW",
        "probability": "300",
    }

    answer = browser.post("/admin/opportunity/create", form | typed)

    assert answer.status_code == 422
    said = mistakes(answer.text)
    assert len(said) >= 3, said
    assert any("at most 100" in each for each in said), said
    assert not world.rows(Opportunity)


def test_an_edit_shows_all_mistakes_in_chinese(world: World) -> None:
    world.system.do(create_update.update, User, world.ids["ada"], {"language": "zh"})
    browser, id = Panel(world).of("ada"), world.customer("Acme", "ada")
    page = f"/admin/customer/edit/cus_{id}"
    form = hidden_inputs(browser.get(page).text)

    answer = browser.post(page, form | {"name": "Acme", "phone": "12", "email": "nowhere"})

    assert answer.status_code == 422
    said = " ".join(mistakes(answer.text))
    assert "“12”不是有效的电话号码。" in said
    assert "“nowhere”不是有效的邮箱地址。" in said
    unread = form | {"name": "", "phone": "12"}  # the form misses the name, the use case refuses the phone
    both = mistakes(browser.post(page, unread).text)
    assert len(both) == 2
    assert "“12”不是有效的电话号码。" in " ".join(both)
    assert world.row(Customer, id)["phone"] is None
