"""Policy text is believed only after every word of it is known; what is wrong is told with its line number."""

from itertools import product
from pathlib import Path

import pytest

from policies import STARTER, Facts, InvalidPolicy, Principal, Snapshot, parse, validate
from policies.objects import ACTIONS, APART, FIELDS, GROUPS, MODULES
from policies.review import changes
from policies.snapshot import MODEL_FILE, check_model
from tests.support.world import ROLES, START

GOOD = "p, sales, customer, view, own, any, allow"


def problems(text: str, roles: tuple[str, ...] | None = None) -> list[str]:
    """What is wrong with a text, nothing when it is a policy."""
    try:
        validate(parse(text), roles)
    except InvalidPolicy as refusal:
        return refusal.problems
    return []


# --- reading ---------------------------------------------------------------------------------------------


def test_lines_keep_their_number_and_lose_blanks_and_comments() -> None:
    lines = parse("# who sells\n\n  p ,sales,  customer,view,own,any,allow  \n,,,\n   # more\ng, lead, sales\n")

    assert [(line.number, str(line)) for line in lines] == [(3, GOOD), (6, "g, lead, sales")]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_every_system_s_line_ends_and_a_byte_order_mark_are_understood(newline: str) -> None:
    assert [(line.number, str(line)) for line in parse(f"\ufeff{GOOD}{newline}{newline}g, lead, sales{newline}")] == [
        (1, GOOD),
        (3, "g, lead, sales"),
    ]


def test_quoted_cells_are_read_as_other_tools_write_them() -> None:
    assert [str(line) for line in parse('"p","sales","customer","view","own","any","allow"')] == [GOOD]


def test_a_quote_that_is_never_closed_spoils_its_own_line_only() -> None:
    assert problems(f'p, "sales, customer, view, own, any, allow\n{GOOD}') == [
        "line 1: a p line has 6 columns (role, object, action, scope, when, allow or deny), this one has 1"
    ]


def test_a_comment_behind_a_line_is_refused_because_casbin_would_take_it_for_the_effect() -> None:
    assert problems(f"{GOOD} # for now") == ["line 1: unknown effect “allow # for now”; known: allow, deny"]


def test_a_huge_cell_is_a_problem_of_its_line_not_a_crash() -> None:
    (problem,) = problems(f"{GOOD}\np, {'x' * 200_000}")

    assert problem.startswith("line 2: unknown kind “p, xxx")


def test_nothing_is_a_valid_policy() -> None:
    assert problems("") == []
    assert problems("# only a comment\n") == []


# --- columns and words -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("P, sales, customer, view, own, any, allow", "unknown kind “P”; known: p, p2, g"),
        ("g2, customer.phone, customer", "unknown kind “g2”; known: p, p2, g"),
        (", sales, customer, view, own, any, allow", "unknown kind “”; known: p, p2, g"),
        ("p，sales", "unknown kind “p，sales”; known: p, p2, g"),
        ("g, lead", "a g line has 2 columns (role, wider role), this one has 1"),
        ("g, lead, sales, x", "a g line has 2 columns (role, wider role), this one has 3"),
        (
            "p, sales, customer, view, own, allow",
            "a p line has 6 columns (role, object, action, scope, when, allow or deny), this one has 5",
        ),
        ("p, sales, customer, view, own, any, Allow", "unknown effect “Allow”; known: allow, deny"),
        ("p, sales, customer, view, own, any, denied", "unknown effect “denied”; known: allow, deny"),
        (
            "p, sales, customer, view, own, looked, allow",
            "unknown state “looked”; known: any, deleted, in_pool, locked; or a branch, as in “category under prospect”",
        ),
        (
            "p, sales, customer, view, own, locked&, allow",
            "unknown state “”; known: any, deleted, in_pool, locked; or a branch, as in “category under prospect”",
        ),
        (
            "p, sales, customer, view, own, !!locked, allow",
            "unknown state “!locked”; known: any, deleted, in_pool, locked; or a branch, as in “category under prospect”",
        ),
        (
            "p2, sales, customer, view, mine, any, allow",
            (
                "unknown scope “mine”; known: all, created, others, own, pool, pool_admin, pool_member, shared, "
                "shared_edit, subtree, team"
            ),
        ),
    ],
)
def test_an_unknown_word_is_named_with_its_line_and_the_known_ones(line: str, problem: str) -> None:
    assert problems(f"# first\n{line}") == [f"line 2: {problem}"]


def test_unknown_objects_and_actions_are_answered_with_the_known_ones() -> None:
    unknown_object, unknown_action = problems(
        f"p, sales, custmer, view, own, any, allow\n{GOOD.replace('view', 'vew')}"
    )

    assert unknown_object.startswith("line 1: unknown object “custmer”; known: *, audit, ")
    assert {"customer.phone", "contact.points", "user.email"} <= set(unknown_object.partition("known: ")[2].split(", "))
    assert unknown_action.startswith("line 2: unknown action “vew”; known: *, activate, approve, assign, ")
    assert {*ACTIONS, "write", "touch"} <= set(unknown_action.partition("known: ")[2].split(", "))


def test_everything_wrong_is_told_at_once() -> None:
    assert problems("x\np, sales, customer, view, own, any, maybe\ng, a") == [
        "line 1: unknown kind “x”; known: p, p2, g",
        "line 2: unknown effect “maybe”; known: allow, deny",
        "line 3: a g line has 2 columns (role, wider role), this one has 1",
    ]


@pytest.mark.parametrize("when", ["locked&!deleted", "!in_pool", "any", "locked&in_pool&!deleted"])
def test_states_are_joined_and_negated(when: str) -> None:
    assert problems(f"p, sales, customer, view, own, {when}, allow") == []


def test_every_field_belongs_to_a_module_and_groups_hold_known_actions() -> None:
    assert set(FIELDS.values()) <= MODULES
    assert {word.partition(".")[0] for word in FIELDS} <= MODULES
    assert frozenset({"user.email", "user.capacity", "user.language"}) == APART
    assert {action for group in GROUPS.values() for action in group} <= set(ACTIONS)


def test_a_lock_closes_all_but_itself_and_the_duplicate_check() -> None:
    content = set(ACTIONS) - set(GROUPS["touch"])

    assert content == {"lock", "unlock", "dupcheck", "review", "activate", "view_as", "share_views"}


def test_all_that_changes_something_is_a_write() -> None:
    assert set(ACTIONS) - set(GROUPS["write"]) == {
        "view",
        "export",
        "disclose",
        "dupcheck",
        "review",
        "view_as",
        "share_views",
    }


# --- roles -----------------------------------------------------------------------------------------------


def test_role_names_are_checked_when_the_roles_are_known() -> None:
    text = f"{GOOD}\np, *, customer, view, own, any, allow\np, system:demo, *, *, all, any, allow\ng, lead, sales"

    assert problems(text) == []
    assert problems(text, ("sales", "lead")) == []
    assert problems(text, ("sales",)) == ["line 4: unknown role “lead”; known: sales"]
    assert problems(text, ("lead",)) == [
        "line 1: unknown role “sales”; known: lead",
        "line 4: unknown role “sales”; known: lead",
    ]


def test_a_line_without_a_role_is_refused_whether_or_not_roles_are_known() -> None:
    assert problems("p, , customer, view, own, any, allow") == ["line 1: unknown role “”; known: "]


@pytest.mark.parametrize("line", ["g, *, sales", "g, sales, *"])
def test_inheritance_is_between_roles_never_from_or_to_everybody(line: str) -> None:
    assert problems(line, ("sales",)) == ["line 1: unknown role “*”; known: sales"]


def test_a_repeated_line_is_named_with_the_first() -> None:
    text = f"{GOOD}\n# again\n  p,sales,customer,view,own,any,allow\ng, lead, sales\ng, lead, sales\n{GOOD}"

    assert problems(text) == [
        "line 3: repeats line 1",
        "line 5: repeats line 4",
        "line 6: repeats line 1",
    ]


def test_a_ceiling_may_say_the_same_as_a_right() -> None:
    assert problems(f"{GOOD}\n{GOOD.replace('p,', 'p2,', 1)}") == []


def test_roles_that_inherit_in_a_circle_are_refused_at_the_line_that_closes_it() -> None:
    assert problems("g, a, a") == ["line 1: a → a goes in a circle"]
    assert problems("g, a, b\ng, b, c\n\ng, c, a\ng, x, a") == ["line 4: a → b → c → a goes in a circle"]
    assert problems("g, a, b\ng, b, c\ng, c, b") == ["line 3: b → c → b goes in a circle"]


def test_a_role_reached_by_two_ways_is_no_circle() -> None:
    assert problems("g, d, b\ng, d, c\ng, b, a\ng, c, a") == []


def chain(links: int) -> str:
    return "\n".join(f"g, r{n}, r{n + 1}" for n in range(links))


def test_inheritance_may_be_eight_levels_deep_and_no_deeper() -> None:
    assert problems(chain(8)) == []
    assert problems(chain(9)) == ["line 1: “r0” inherits more than 8 levels deep"]
    assert problems(chain(5_000)) == ["line 4992: “r4991” inherits more than 8 levels deep"]


@pytest.mark.parametrize(("links", "followed"), [(8, True), (9, False)])
def test_casbin_itself_would_follow_so_far_and_no_further(links: int, followed: bool) -> None:
    judge = Snapshot("p, *, *, view, own, any, deny").enforcer()
    for number in range(links):
        judge.add_role_for_user(f"r{number}", f"r{number + 1}")
    judge.add_role_for_user("li", "r0")
    judge.add_policy(f"r{links}", "customer", "view", "all", "any", "allow")

    assert judge.enforce("li", "customer", "view", (Principal(1, "Li", START), Facts())) is followed


# --- the starter and the model ---------------------------------------------------------------------------


def test_the_starter_is_valid_and_names_only_the_roles_that_an_installation_begins_with() -> None:
    lines = validate(parse(STARTER), ROLES)

    named = {line.columns[0] for line in lines} | {line.columns[1] for line in lines if line.kind == "g"}
    assert {role for role in named if "." not in role} >= {*ROLES, "*", "system"}


def test_an_invalid_text_never_becomes_a_snapshot() -> None:
    with pytest.raises(InvalidPolicy, match="line 2: unknown scope “mine”"):
        Snapshot(f"{GOOD}\n{GOOD.replace('own', 'mine')}")
    with pytest.raises(InvalidPolicy, match="line 1: unknown role “sales”; known: finance"):
        Snapshot(GOOD, roles=["finance"])


@pytest.mark.parametrize(
    ("was", "becomes", "blamed"),
    [
        ('p.obj == "*" ||', 'r.sub == "root" || p.obj == "*" ||', "m"),
        ("&& has(r.rec, p.when)", "", "m"),
        ("&& !some(where (p.eft == deny))", "", "e"),
        ("p = sub, obj, act, scope, when, eft", "p = sub, obj, act, scope, when, note, eft", "p"),
        ("r = sub, obj, act, rec", "r = sub, obj, act, rec, door", "r"),
    ],
)
def test_a_casbin_model_that_says_something_else_is_refused(
    tmp_path: Path, was: str, becomes: str, blamed: str
) -> None:
    text = MODEL_FILE.read_text(encoding="utf-8")
    assert text.count(was) == 1
    changed = tmp_path / "casbin_model.conf"
    changed.write_text(text.replace(was, becomes), encoding="utf-8")

    with pytest.raises(InvalidPolicy, match=f"^casbin_model.conf: {blamed} cannot be turned into list filters: "):
        check_model(changed)
    check_model(MODEL_FILE)


def test_branches_under_many_conditions_are_refused_before_they_are_compared() -> None:
    """A table doubles with each branch that has a condition of its own; branches under few conditions are free."""
    words = {f"category under w{n}" for n in range(60)}
    plain = [f"p, sales, customer, view, {scope}, {word}, allow" for word in sorted(words) for scope in ("own", "team")]
    assert validate(parse("\n".join(plain)), branches=words)
    scopes, states = ("own", "created", "team", "subtree", "pool", "pool_member"), ("locked&", "!locked&", "!deleted&")
    conditions = sorted(product(scopes, states))
    many = [
        f"p, sales, *, *, {scope}, {state}category under w{n}, allow" for n, (scope, state) in enumerate(conditions)
    ]

    with pytest.raises(InvalidPolicy, match="more than 10 branches"):
        validate(parse("\n".join(many)), branches=words)

    assert len(validate(parse("\n".join(many)))) == len(many), "what is in force stays"


def test_more_branches_than_are_compared_are_refused() -> None:
    words = {f"category under w{n}" for n in range(101)}
    lines = [f"p, sales, customer, view, own, {word}, allow" for word in sorted(words)]

    with pytest.raises(InvalidPolicy, match="line 101: with this line more than 100 branches"):
        validate(parse("\n".join(lines)), branches=words)

    widest = Snapshot("\n".join(lines[:100])), Snapshot("\n".join(x.replace("under w", "under v") for x in lines[:100]))
    sets = [frozenset({"sales"})]
    assert changes(*widest, sets)
