"""Names are found by pinyin, in full and by initials, and in traditional and simplified characters alike."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import Contact, Customer, FollowUp, Opportunity
from models.search_pieces import fold, pieces_of
from models.sounds import sounds_of, spellings
from resolvers.merging.merge import merge
from resolvers.merging.unmerge import unmerge
from resolvers.reading import search_index, search_lookup, search_words
from resolvers.reading.ranking import ranked
from tests.reading.test_search import about, agrees, contact, found, found_about
from tests.support.claim_checks import change, claim
from tests.support.refusals import add_line
from tests.support.world import World

HUAXING, HEAVY = "上海华兴科技有限公司", "重庆长安机械"


@pytest.fixture(params=[5_000, 0], ids=["few are found", "many are found"])
def few(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_lookup, "FEW", request.param)


@pytest.mark.usefixtures("few")
def test_a_name_is_found_by_its_pinyin_from_any_syllable_on(world: World) -> None:
    world.customer(HUAXING)
    world.customer("Huaxing Ltd")

    for typed in (
        "shanghaihuaxingkeji",
        "HuaXingKeJi",
        "hua xing ke ji",
        "huaxin ke",
        "keji",
        "hx",
        "hxkj",
        "ＨＸＫＪＹ",
    ):
        assert HUAXING in found(world, typed), typed
    assert found(world, "huaxing") == ["Huaxing Ltd", HUAXING]
    assert found(world, "huaxingk") == found(world, "hxkj huaxing") == found(world, "xingkeji c2026001") == [HUAXING]
    for typed in ("anghai", "shanghuaxing", "huaxinge", "hkj", "xh", "kejihuaxing", "hxkjx", "huaxing'k'j"):
        assert found(world, typed) == [], typed


def test_one_letter_is_no_pinyin_and_pinyin_no_part_of_latin_names(world: World) -> None:
    world.customer(HUAXING)
    world.customer("Hxkj")

    assert found(world, "h") == found(world, "hxk j") == ["Hxkj"]
    assert found(world, "hxkj") == ["Hxkj", HUAXING]


def test_characters_with_several_readings_are_found_by_each(world: World) -> None:
    world.customer(HEAVY)
    world.customer("西安吕氏音乐")

    for typed in ("chongqing", "zhongqing", "changan", "chang'an", "zhangan", "cqca", "zqza"):
        assert found(world, typed) == [HEAVY], typed
    for typed in ("xian", "xi'an", "xianlv", "xianlü", "xals", "yinyue", "yinle"):
        assert found(world, typed) == ["西安吕氏音乐"], typed
    assert found(world, "xia'n") == []


def test_traditional_and_simplified_characters_are_the_same(world: World) -> None:
    world.customer("臺灣華興電子")
    world.customer("华兴电器")
    contact(world, world.customer("Other"), "劉麗")

    assert found(world, "华兴") == found(world, "華興") == found(world, "华興") == ["华兴电器", "臺灣華興電子"]
    assert found(world, "台湾") == found(world, "huaxingdianzi") == found(world, "twhx") == ["臺灣華興電子"]
    assert found(world, "刘丽", model=Contact) == found(world, "liuli", model=Contact) == ["劉麗"]
    assert found(world, "刘") == found(world, "ll") == ["Other"]
    change(world, Customer, 1, name="臺灣鴻發電子")
    assert found(world, "hongfa") == found(world, "鸿发") == ["臺灣鴻發電子"]
    assert found(world, "twhx") == ["臺灣鴻發電子"]  # its former name
    assert agrees(world)


def test_what_is_about_a_customer_is_found_by_its_pinyin(world: World) -> None:
    about(world, world.customer(HUAXING))
    world.customer("Other")

    everything = [["Ann"], ["Big deal"], ["Called"]]
    assert found_about(world, "hxkj") == found_about(world, "huaxing keji") == found_about(world, "華興") == everything
    assert found_about(world, "uaxing") == [[], [], []]


def test_pinyin_of_a_hidden_name_leads_nowhere(world: World) -> None:
    customer = world.customer("Acme")
    contact(world, customer, "王小芳", "13912345678")
    about(world, world.customer(HUAXING))
    typed = ("wangxiaofang", "wxf", "xiao", "王小芳", "hxkj", "huaxing", "华兴")
    assert all(found(world, word, "li") for word in typed)

    add_line(world, "p, sales, contact.name, view, all, any, deny")
    add_line(world, "p, sales, customer.name, view, all, any, deny")

    for word in typed:
        assert found(world, word, "li") == found(world, word, "li", Contact) == [], word
        for model in (Customer, Contact, Opportunity, FollowUp):
            assert world.run(world.scope("li").read(ranked, model, word, 9)).count == 0
        assert found(world, word, "fin") != [], word
    assert found_about(world, "hxkj", "li") == [[], [], []]


def test_the_last_figures_and_the_middle_of_phones_are_found_for_every_way_of_writing(world: World) -> None:
    ways = (
        "13800138000",
        "138 0013 8000",
        "138-0013-8000",
        "+86 13800138000",
        "0086-138-0013-8000",
        "(+86)138.0013.8000",
    )
    ways += ("８６１３８００１３８０００",)
    for n, way in enumerate(ways):
        contact(world, world.customer(f"Contact {n}"), "Ann", way)
        world.customer(f"Phone {n}", phone=way)

    for typed in (
        "8000",
        "0138",
        "1380013",
        "0013 8000",
        "0013-8000",
        "80013800",
        "+86 138",
        "１３８０００",
    ):
        assert len(found(world, typed)) == 2 * len(ways), typed
    assert found(world, "9000") == []


def test_a_claimed_customer_is_found_by_the_pinyin_of_its_contacts(world: World) -> None:
    pooled = world.customer("Acme", pool="north")
    contact(world, pooled, "王小芳")
    world.rule("north", daily_quota=9)
    claim(world, "li", pooled)

    assert found(world, "wxf", "li") == ["Acme"]


# --- former names ----------------------------------------------------------------------------------------


def test_a_customer_is_found_by_its_former_names_and_numbers_as_by_the_present_ones(world: World) -> None:
    customer = world.customer("華興科技")
    about(world, customer)
    change(world, Customer, customer, name="Pine")
    change(world, Customer, customer, name="Oak")
    other = world.customer("Pine Works")

    assert found(world, "华兴") == found(world, "hxkj") == found(world, "oak") == ["Oak"]
    assert found(world, "pine") == ["Oak", "Pine Works"]
    assert world.run(world.ada.read(ranked, Customer, "pine", 9)).ids == [other, customer]
    assert found_about(world, "huaxing") == [["Ann"], ["Big deal"], ["Called"]]
    with world.backend.writer.engine.begin() as connection:
        search_index.rebuild(connection)
    assert found(world, "hxkj") == ["Oak"]
    assert agrees(world)

    add_line(world, "p, sales, customer.name, view, all, any, deny")
    assert found(world, "华兴", "li") == found(world, "hxkj", "li") == found(world, "pine", "li") == []


def test_after_a_merge_the_names_and_numbers_of_both_lead_to_the_one_that_stayed(world: World) -> None:
    one, two = world.customer("華興科技"), world.customer("鸿发电子", phone="13800138000")
    contact(world, two, "王小芳")
    done = world.ada.do(merge, one, [two])
    for typed in ("hongfa", "鴻發", "C2026002", "002", "wxf", "c2026001"):
        assert found(world, typed) == ["華興科技"], typed
    assert world.run(world.ada.read(ranked, Customer, "c2026002", 9)).ids[0] == one
    assert agrees(world)

    world.ada.do(unmerge, merge_id=done.id)
    assert found(world, "hongfa") == found(world, "C2026002") == ["鸿发电子"]
    assert agrees(world)


# --- always ----------------------------------------------------------------------------------------------

NAMES = st.text("华西安长上单女曾a1（ 囍🚀", min_size=1, max_size=6)
LETTERS = st.text("hxacgnusizdlvq'", min_size=2, max_size=7)
KNOWN = {"华": ["hua"], "西": ["xi"], "安": ["an"], "长": ["chang", "zhang"], "上": ["shang"], "单": ["dan", "shan"]}
KNOWN |= {"女": ["nv"], "曾": ["zeng", "ceng"], "囍": ["xi"]}


def spoken(name: str, letters: str) -> bool:
    """Whether a name has the letters, by looking: from some character on, each followed by the next one."""
    said = [KNOWN.get(c, ["\0"]) for c in name if c in KNOWN or c.isalnum()]

    def from_here(at: int, rest: str) -> bool:
        if at == len(said):
            return False
        for syllable in said[at]:
            if syllable.startswith(rest) or (rest.startswith(syllable) and (from_here(at + 1, rest[len(syllable) :]))):
                return True
        return False

    return any(from_here(at, letters) for at in range(len(said)))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(name=NAMES.filter(lambda name: sum(len(KNOWN.get(c, "")) > 1 for c in name) <= 2), letters=LETTERS)
def test_letters_spell_a_name_if_they_are_its_syllables_in_a_row(name: str, letters: str) -> None:
    sounds = sounds_of(fold(name))
    spelled = [spelling for spelling in spellings(letters) if spelling[0] == "'"]

    if "'" not in letters:
        assert any(spelling in sounds for spelling in spelled) == spoken(fold(name), letters)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    name=NAMES,
    letters=st.one_of(
        LETTERS,
        st.lists(st.sampled_from(["hua", "xi", "an", "chang", "zhang", "shang", "sh", "z"]), min_size=1).map("".join),
    ),
)
def test_the_index_leads_to_every_name_that_letters_spell(name: str, letters: str) -> None:
    folded = fold(name)
    sounds = sounds_of(folded)
    pieces = set(pieces_of("", folded, sounds, ()))
    word = search_words.Word.of(letters)

    if any(spelling in sounds for spelling in word.spelled):
        assert any(pieces.issuperset(way) for way in search_words.ways_to(word))
