"""What kinds of records are called: once, on the model, and every refusal about a kind says it in both languages."""

import re

import pytest

from models import ENTITIES, PROTECTED, ApiToken, PolicyDraft, PolicyRevision, Role, SignInSession
from models.errors import InUse, NotFound
from models.names import OF_MODULE, RECORD, Names
from policies.objects import MODULES

LATIN = re.compile(r"[A-Za-z]")
SPOKEN = [*PROTECTED, PolicyDraft, PolicyRevision, SignInSession, ApiToken]


def test_every_kind_and_every_module_has_names() -> None:
    assert OF_MODULE.keys() == MODULES
    assert len({model.names.one for model in ENTITIES}) == len(ENTITIES)


@pytest.mark.parametrize("model", SPOKEN, ids=lambda model: model.__name__)
def test_a_sentence_about_a_kind_holds_no_word_of_another_language(model: type) -> None:
    names: Names = model.names  # type: ignore[attr-defined]
    for refusal in (NotFound(what=names), InUse(label="甲", count=3, what=names)):
        assert names.noun in refusal.say("en")
        assert names.zh in refusal.say("zh")
        assert not LATIN.search(refusal.say("zh"))
        assert refusal.params["what"] == names.noun


def test_a_kind_is_called_as_a_sentence_wants_it() -> None:
    assert NotFound().say("en") == "There is no such record, or you may not see it."
    assert NotFound(what=RECORD).say("zh") == "该记录不存在，或您无权查看。"
    one = NotFound(what=Role.names.called("sales of li", "sales（li）"))
    assert one.say("en") == "There is no such role sales of li, or you may not see it."
    assert one.say("zh") == "该角色 sales（li）不存在，或您无权查看。"


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (("Vehicle", "", "车辆"), "needs an English name for one and for many"),
        (("Vehicle", "Vehicles", ""), "“Vehicle” has no Chinese name"),
        (("Vehicle", "Vehicles", "Vehicle"), "“Vehicle” has no Chinese name"),
    ],
)
def test_half_a_name_is_refused(given: tuple[str, str, str], problem: str) -> None:
    one, many, zh = given
    with pytest.raises(ValueError, match=problem):
        Names(one, many, zh=zh)
