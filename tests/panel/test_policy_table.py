"""The table of the policy page: where a right comes from is said in words."""

import re

import pytest

from tests.support.panel import Panel
from tests.support.world import World


@pytest.mark.parametrize(("role", "said"), [("administrator", "with everything"), ("sales", "from Everybody")])
def test_the_source_of_a_right_is_said_in_words(world: World, role: str, said: str) -> None:
    page = Panel(world).of("ada").get("/admin/policy", {"role": role})

    sources = set(re.findall(r'<span class="source">(.*?)</span>', page.text))
    assert said in sources
    assert [x for x in sources if "*" in x or "_" in x] == []
