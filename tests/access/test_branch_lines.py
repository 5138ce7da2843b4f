"""Lines about a branch of the classification: who sees what, why, and how words that move or merge are followed."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Contact, Customer, Dictionary, DictionaryItem, PolicyDraft, PolicyRevision, User
from models.errors import BeyondCeiling, InvalidPolicyText, Validation
from policies import STARTER, Snapshot, parse
from policies.branches import branch_of
from policies.edit import without
from policies.proof import prove
from policies.rows import Rows
from policies.words import state
from resolvers.access import explain, policy_drafts
from resolvers.access.branch_names import branches_in, called, called_in_force, choices
from resolvers.access.policy_drafts import apply_policy
from resolvers.customers.transfer import transfer
from resolvers.merging.word_merge import merge_words
from resolvers.merging.word_unmerge import past_word_merge, unmerge_words
from resolvers.pool.assign import assign
from resolvers.reading.matching import matching
from resolvers.records import create_update
from resolvers.runtime.ids import global_id
from resolvers.runtime.policy_store import current_text
from resolvers.runtime.scope import Scope
from tests.support.panel import Panel
from tests.support.pipelines import dictionary
from tests.support.tree import HELD, classified
from tests.support.world import AS_STORED, World

SUPPORT_SEES = "p, support, customer, view, all, category under prospect, allow"
IN_PROSPECT = {"Ash", "Beech", "Cedar", "Fir"}


def with_line(*lines: str) -> str:
    """The starter policy, in which support sees no customers but by these lines."""
    gone = [x.number for x in parse(STARTER) if x.kind == "p" and x.columns[:3] == ("support", "customer", "view")]
    return "\n".join([without(STARTER, gone).rstrip("\n"), *lines, ""])


def seen(world: World, login: str) -> set[str]:
    def look(_scope: Scope, db: Session) -> set[str]:
        return {*db.execute(select(Customer.name)).scalars()}

    found: set[str] = world.run(world.scope(login).read(look))
    return found


def text(world: World) -> str:
    with world.backend.writer.engine.connect() as connection:
        return current_text(connection)


def explained(world: World, ids: dict[str, int], name: str) -> Any:
    sam = world.ids["sam"]
    return world.run(world.ada.read(explain.explain_access, sam, "view", Customer, ids[name]))


def test_a_line_about_a_branch_lets_through_what_a_filter_by_it_finds(world: World) -> None:
    ids = classified(world)
    assert seen(world, "sam") == {*HELD}

    world.ada.do(apply_policy, with_line(SUPPORT_SEES), "classes")

    assert seen(world, "sam") == IN_PROSPECT
    viewer = world.ada.viewer

    def filtered(_scope: Scope, db: Session) -> set[str]:
        clause = matching(viewer, Customer, Customer, {"category": {"under": ["prospect"]}})
        return {*db.execute(select(Customer.name).where(clause)).scalars()}

    assert world.run(world.ada.read(filtered)) == IN_PROSPECT
    world.system.do(create_update.update, DictionaryItem, ids["soon"], {"parent_id": ids["formal"]})
    assert seen(world, "sam") == world.run(world.ada.read(filtered)) == {"Beech", "Cedar"}
    assert explained(world, ids, "Beech").allowed
    assert not explained(world, ids, "Fir").allowed


@pytest.mark.parametrize("model", [Customer, Contact], ids=lambda model: model.__name__)
def test_facts_clause_and_the_model_of_casbin_say_the_same(world: World, model: Any) -> None:
    ids = classified(world)
    for name in HELD:
        world.make(Contact, name=f"Ann of {name}", customer_id=ids[name])
    words = ("category under prospect", "category under soon", "category under nowhere", "industry under steel")
    table, ada = model.__table__, world.principal("ada")

    def look(_scope: Scope, db: Session) -> list[str]:
        wrong = []
        for by_row in (False, True):
            clauses = [state(word).sql(ada, Rows(model, table.c, by_row)).label(word) for word in words]
            for row in db.execute(select(table.c.id, *clauses), execution_options=AS_STORED):
                facts = explain.facts_of(db, model, row.id, ada)
                assert facts is not None
                wrong += [f"{row.id} {word}" for word in words if row._mapping[word] is None]
                wrong += [f"{row.id} {x}" for x in words if bool(row._mapping[x]) is not state(x).test(facts)]
        return wrong

    assert world.run(world.ada.read(look)) == []
    lines = [SUPPORT_SEES, "p, support, contact, view, all, !category under soon&!deleted, allow"]
    lines += ["p, *, customer, edit, others, category under formal, deny"]
    proof = prove(Snapshot(with_line(*lines)), [frozenset({"support"})], changed=lines)
    assert proof.lines_tried >= len(lines)


def test_it_says_why_in_both_languages_and_by_the_names_of_words(world: World) -> None:
    ids = classified(world)
    world.ada.do(apply_policy, with_line(SUPPORT_SEES), "classes")

    called = world.run(world.ada.read(called_in_force))
    (reason,) = [x for x in explained(world, ids, "Date").reasons if "under" in x.line]

    assert reason.missing == "category under prospect"
    assert reason.why_not("en", called) == "its category is Prospect or below it"
    assert reason.why_not("zh", called) == "客户分类为“prospect类”或其下级"
    assert explained(world, ids, "Ash").allowed


def test_a_word_that_there_is_not_is_refused_and_one_in_force_may_go(world: World) -> None:
    classified(world)

    with pytest.raises(InvalidPolicyText) as refused:
        world.ada.do(apply_policy, with_line(SUPPORT_SEES.replace("prospect", "prospct")), "classes")

    assert "unknown word of category “prospct”; known: formal, hot, late, prospect, soon" in str(refused.value)
    assert branch_of("phone under x") is None
    with pytest.raises(InvalidPolicyText):
        world.ada.do(apply_policy, with_line(SUPPORT_SEES.replace("category", "phone")), "classes")


def test_nobody_hands_out_another_branch_than_their_own(world: World) -> None:
    """Also not a narrower one: where a word stands may change without a new policy."""
    classified(world)
    lines = [
        SUPPORT_SEES.replace("support", "role_manager"),
        *(f"p, role_manager, policy, {x}, all, any, allow" for x in ("view", "edit", "review", "activate")),
    ]
    kept = with_line()
    gone = [x.number for x in parse(kept) if x.kind != "g" and x.columns[0] == "role_manager"]
    world.ada.do(apply_policy, "\n".join([without(kept, gone).rstrip("\n"), *lines, ""]), "classes")
    now = text(world)

    world.rolf.do(apply_policy, now + SUPPORT_SEES + "\n", "the same")
    with pytest.raises(BeyondCeiling) as refused:
        world.rolf.do(apply_policy, now + SUPPORT_SEES.replace("prospect", "formal") + "\n", "more")

    assert "its category is Formal or below it" in refused.value.say("en")
    assert "客户分类为“formal类”或其下级" in refused.value.say("zh")


def test_lines_and_drafts_follow_a_merge_of_words_and_come_back(world: World) -> None:
    ids = classified(world)
    world.ada.do(apply_policy, with_line(SUPPORT_SEES, SUPPORT_SEES.replace("view", "edit")), "classes")
    begun = text(world)
    world.rolf.do(
        policy_drafts.draft_policy,
        begun.replace("support, customer, edit, all, cat", "support, customer, edit, own, cat"),
    )

    merge = world.ada.do(merge_words, ids["formal"], ids["prospect"])

    assert text(world) == begun.replace("under prospect", "under formal")
    assert seen(world, "sam") == {*HELD} - {"Elm"}
    (draft,) = world.rows(PolicyDraft)
    newest = max(row["number"] for row in world.rows(PolicyRevision))
    assert ("edit, own, category under formal" in draft["text"], draft["base"]) == (True, newest)
    assert world.run(world.ada.read(past_word_merge, merge)).kept == []

    world.ada.do(unmerge_words, merge)

    assert {*map(str, parse(text(world)))} == {*map(str, parse(begun))}
    assert seen(world, "sam") == IN_PROSPECT


def test_a_line_changed_since_stays_and_the_undoing_says_so(world: World) -> None:
    ids = classified(world)
    world.ada.do(apply_policy, with_line(SUPPORT_SEES), "classes")
    merge = world.ada.do(merge_words, ids["formal"], ids["prospect"])
    world.ada.do(apply_policy, with_line(SUPPORT_SEES.replace("prospect", "hot")), "another")

    world.ada.do(unmerge_words, merge)

    assert seen(world, "sam") == {"Fir"}
    (note,) = world.run(world.ada.read(past_word_merge, merge)).kept
    assert note.english == "The policy was changed since and stays as it is."


def test_a_merge_gives_nobody_what_its_maker_may_not_grant(world: World) -> None:
    ids = classified(world)
    more = (SUPPORT_SEES, "p, sales, dictionary, edit, all, any, allow")
    world.ada.do(apply_policy, with_line(*more), "classes")

    with pytest.raises(BeyondCeiling):
        world.li.do(merge_words, ids["formal"], ids["prospect"])

    assert "under prospect" in text(world)
    assert world.row(DictionaryItem, ids["prospect"])["archived_at"] is None


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_editor_offers_the_words_of_the_tree_and_adds_the_chosen_line(world: World, language: str) -> None:
    classified(world)
    world.system.do(create_update.update, User, world.ids["ada"], {"language": language})
    ada = Panel(world).of("ada")

    page = ada.get("/admin/policy?tab=lines").text

    inside, shown = ("this word or below it", "Soon") if language == "en" else ("该项或其下级", "soon类")
    assert inside in page
    assert f'<option value="category under soon">\u2003{shown}</option>' in page
    chosen = {
        "role": "support",
        "effect": "allow",
        "action": "view",
        "object": "customer",
        "scope": "all",
        "tab": "lines",
    }
    added = ada.post("/admin/policy/line", {**chosen, "state": "!locked", "branch": "!category under soon"})
    assert added.status_code == 303
    (draft,) = world.rows(PolicyDraft)
    assert "p, support, customer, view, all, !locked&!category under soon, allow" in draft["text"]
    page = ada.get("/admin/policy?tab=lines").text
    said = "its category is neither Soon nor below it" if language == "en" else "客户分类不是“soon类”及其下级"
    assert said in page
    assert (
        ada.post("/admin/policy/line", {**chosen, "state": "any", "branch": "category under nowhere"}).status_code
        == 422
    )


def customer_stage(world: World, key: str) -> int:
    (of,) = world.rows(Dictionary, Dictionary.code == "stage")
    (found,) = world.rows(DictionaryItem, DictionaryItem.key == key, DictionaryItem.dictionary_id == of["id"])
    return int(found["id"])


def deal_stages(world: World) -> None:
    """Stages of opportunities beside those of customers, which are other words, of which some have the same keys."""
    dictionary(world, "opportunity_stage", {"early": "机会线索", "talk": "洽谈"})


def test_lines_about_other_kinds_of_records_keep_their_words_in_a_merge(world: World) -> None:
    """Stages of customers and of opportunities are called alike, and are words of two dictionaries."""
    deal_stages(world)
    mine = "p, support, customer, view, all, stage under early, allow"
    other = "p, *, opportunity, edit, all, stage under early, deny"
    world.ada.do(apply_policy, with_line(mine, other), "stages")

    merge = world.ada.do(merge_words, customer_stage(world, "won"), customer_stage(world, "early"))

    assert mine.replace("early", "won") in text(world)
    assert other in text(world)
    world.ada.do(unmerge_words, merge)
    assert mine in text(world)


def test_a_line_about_words_of_two_dictionaries_holds_up_a_merge(world: World) -> None:
    deal_stages(world)
    world.ada.do(apply_policy, with_line("p, *, *, delete, all, stage under early, deny"), "stages")

    with pytest.raises(Validation, match="stage of several kinds of records"):
        world.ada.do(merge_words, customer_stage(world, "won"), customer_stage(world, "early"))

    assert "stage under early" in text(world)


def test_words_of_two_dictionaries_are_called_and_offered_both(world: World) -> None:
    deal_stages(world)
    world.ada.do(apply_policy, with_line("p, support, customer, view, all, stage under won, allow"), "stages")

    lines = ["p, support, customer, view, all, stage under won&!stage under talk&!stage under early, allow"]
    names = world.run(world.ada.read(lambda _, db: called(db, branches_in(parse(lines[0])))))
    offered = world.run(world.ada.read(choices))

    assert {"stage under talk", "stage under won"} <= {x.branch for x in offered["stage"]}
    assert names["stage under talk"] == ("Talk", "洽谈")
    assert names["stage under won"][0] == "Won"
    assert len({x.branch for x in offered["stage"]}) == len(offered["stage"])


def test_a_word_that_the_policy_names_is_not_deleted(world: World) -> None:
    """Whatever a line forbids of the words below it would be allowed at once."""
    ids = classified(world)
    world.ada.do(apply_policy, with_line("p, support, customer, view, all, !category under late, allow"), "classes")
    world.ada.do(create_update.update, Customer, ids["Beech"], {"category": "soon"})

    refused = world.ada.do(create_update.delete, DictionaryItem, [ids["late"]])

    assert [x.say("en") for x in refused.problems] == [
        "Late stays, because lines of the policy name it (1). Change the policy first, or archive the word."
    ]
    assert world.row(DictionaryItem, ids["late"])["deleted_at"] is None


def test_a_refusal_says_why_by_the_names_of_words(world: World) -> None:
    ids = classified(world)
    narrow = "p, support, customer, delete, all, category under prospect, allow"
    world.ada.do(apply_policy, with_line(SUPPORT_SEES.replace("category under prospect", "any"), narrow), "classes")

    said = world.run(world.sam.read(explain.refusal_in_words, "customer.delete", global_id(Customer, ids["Date"])))

    assert said is not None
    assert said.endswith("its category is Prospect or below it")


def test_a_refusal_by_a_denial_says_so(world: World) -> None:
    """Although another line gives the right, and whatever else would have to be true."""
    ids = classified(world)
    denial = "p, *, customer, delete, all, category under prospect, deny"
    world.ada.do(apply_policy, with_line("p, support, customer, delete, all, any, allow", denial), "classes")
    world.ada.do(apply_policy, text(world) + SUPPORT_SEES.replace("category under prospect", "any") + "\n", "see")

    def said(language: str) -> str | None:
        world.system.do(create_update.update, User, world.ids["sam"], {"language": language})
        asked = global_id(Customer, ids["Ash"])
        found: str | None = world.run(world.sam.read(explain.refusal_in_words, "customer.delete", asked))
        return found

    assert said("en") == "A line of the policy forbids this when its category is Prospect or below it."
    assert said("zh") == "策略禁止此操作，条件：客户分类为“prospect类”或其下级。"


def test_nobody_becomes_the_owner_of_a_customer_that_their_branch_hides(world: World) -> None:
    ids = classified(world)
    pooled = world.customer("Pooled", pool="north", category="formal")
    world.ada.do(apply_policy, with_line("p, sales, customer, view, all, category under formal, deny"), "classes")

    given = world.ada.do(transfer, [ids["Ash"], ids["Date"]], world.ids["mei"])
    assigned = world.ada.do(assign, [pooled], world.ids["li"])

    assert given.ids == [ids["Ash"]]
    assert [x.code() for x in (*given.problems, *assigned.problems)] == ["NOT_ELIGIBLE"] * 2
    assert world.row(Customer, ids["Date"])["owner_id"] == world.ids["li"]
    assert world.row(Customer, pooled)["owner_id"] is None
