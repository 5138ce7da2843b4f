"""Forms as a browser without scripts holds and sends them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit

import httpx

from tests.support.panel import Browser


@dataclass
class Form:
    """One form of a page.  `values`: what it would send.  `options`: input -> value -> label of what its select offers."""

    browser: Browser
    action: str
    method: str
    values: dict[str, list[str]] = field(default_factory=dict)
    options: dict[str, dict[str, str]] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    def fill(self, **values: str) -> "Form":
        """Type a text, or choose what a select offers; an input that the form does not have fails."""
        for name, value in values.items():
            assert name in self.values or name in self.options, (name, sorted(self.values))
            assert name not in self.options or value in self.options[name], (name, value, self.options[name])
            self.values[name] = [value]
        return self

    def find(self, name: str, text: str) -> "Form":
        """Type a text beside a chooser and press its button."""
        return self.fill(**{f"_find-{name}": text}).press(("_find", name))

    def press(self, button: tuple[str, str]) -> "Form":
        """The form of the answer to a button that this form has."""
        assert button in self.buttons, (button, self.buttons)
        return form_in(self.browser, self.send(button), self.action)

    def send(self, button: tuple[str, str] | None = None) -> httpx.Response:
        """The answer to the button, or to Enter."""
        pairs = [(name, value) for name, values in self.values.items() for value in values]
        sent = [*pairs, *([button] if button and button[0] else [])]
        if self.method == "post":
            return self.browser.post(self.action, sent)
        return self.browser.get(urlsplit(self.action).path, sent)

    def choose(self, name: str, label: str) -> "Form":
        """Choose the option with this label."""
        value = next((value for value, said in self.options[name].items() if said.startswith(label)), None)
        assert value is not None, (label, self.options[name])
        return self.fill(**{name: value})


def form_in(browser: Browser, page: httpx.Response | str, action: str) -> Form:
    """The form of a page that goes to this address: the largest of several."""
    found = [
        x
        for x in _Forms(browser, page if isinstance(page, str) else page.text).found
        if _path(x) == action.partition("?")[0]
    ]
    assert found, action
    return max(found, key=lambda each: len(each.values))


def _path(form: Form) -> str:
    return form.action.partition("?")[0]


class _Forms(HTMLParser):
    """The forms of a page.  What stands within `noscript` is read like everything else."""

    def __init__(self, browser: Browser, page: str) -> None:
        super().__init__()
        self.browser = browser
        self.found: list[Form] = []
        self._form: Form | None = None
        self._select = self._option = self._area = ""
        self._is_multiple = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = Form(self.browser, given.get("action", ""), given.get("method", "get"))
            self.found.append(self._form)
        if self._form is None:
            return
        form, name = self._form, given.get("name", "")
        if tag == "input" and name and (given.get("type") not in ("checkbox", "radio") or "checked" in given):
            form.values.setdefault(name, []).append(given.get("value", ""))
        elif tag == "button" and given.get("type") != "button":
            form.buttons.append((name, given.get("value", "")))
        elif tag == "select":
            self._select, self._is_multiple = name, "multiple" in given
            form.options[name] = {}
        elif tag == "option" and self._select:
            self._option = given.get("value", "")
            form.options[self._select][self._option] = ""
            if "selected" in given:
                form.values.setdefault(self._select, []).append(self._option)
        elif tag == "textarea":
            self._area, form.values[name] = name, [""]

    def handle_data(self, data: str) -> None:
        if self._form is None:
            return
        if self._select and self._option in self._form.options[self._select]:
            self._form.options[self._select][self._option] += data.strip()
        elif self._area:
            self._form.values[self._area][0] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "textarea":
            if self._form is not None:
                self._form.values[self._area] = [text.lstrip("\r\n") for text in self._form.values[self._area]]
            self._area = ""
        elif tag == "select" and self._form is not None and self._select:
            if not self._is_multiple and (offered := list(self._form.options[self._select])):
                self._form.values.setdefault(self._select, offered[:1])
            self._select = self._option = ""
