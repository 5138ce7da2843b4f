"""Where an answer leads, and the hidden inputs that remember it."""

import re
from html import unescape
from typing import Any


def leads_inside(response: Any, wanted: str | None = None) -> None:
    """Check that an answer redirects to a page of the panel, and to `wanted` if given."""
    location = response.headers["location"]
    assert response.status_code == 303
    assert re.fullmatch(r"/admin/[^/\\\s][^\\\s]*|/admin/", location), location
    assert "//" not in location.partition("?")[0], location
    assert "evil" not in str(response.headers.get("set-cookie")), location
    if wanted is not None:
        assert location == wanted


def field_in(page: str, name: str) -> str:
    """The value of a hidden input."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, f"there is no input {name}"
    return unescape(found[1])
