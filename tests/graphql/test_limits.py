"""What the gate lets through, what it refuses, and that it never needs long to tell."""

import re
from contextlib import suppress

import pytest
from graphql import GraphQLError, GraphQLSyntaxError, build_schema, get_introspection_query, validate

from schema.limits import LIMITS, TooComplex, parse
from schema.query_cost import Measure, check, measure, page_variables
from tests.support.cpu_time import quickly
from tests.support.terminal import ROOT

SCHEMA = build_schema("type Query { me: User, a(x: Int): Int }  type User { me: User, a(x: Int): Int, b: Int }")
CUSTOMERS = """
query Customers($first: Int, $after: String) {
  customers(first: $first, after: $after, filter: {and: [{stage: {in: ["new"]}}, {not: {owner: {eq: 1}}}]}) {
    edges { cursor node { ...Card contacts(first: 5) { nodes { id name phone } } } }
    pageInfo { hasNextPage endCursor }
    totalCount
  }
}
fragment Card on Customer { id number name owner { id login name } pool { id name } can(action: CLAIM) }
"""


def refused(text: str, variables: dict[str, object] | None = None) -> dict[str, int]:
    """The limits that the text exceeds; nothing when it passes."""
    try:
        check(parse(text), variables)
    except TooComplex as refusal:
        return refusal.limits
    return {}


def doubling(n: int) -> str:
    spreads = " ".join(f"fragment f{i} on User {{ a ...f{i + 1} ...f{i + 1} }}" for i in range(n))
    return f"{{ me {{ ...f0 }} }} {spreads} fragment f{n} on User {{ a }}"


# -- what passes ---------------------------------------------------------------------------------------------


def test_a_list_with_owner_pool_and_contacts_passes():
    assert refused(CUSTOMERS, {"first": 50}) == {}


def test_the_standard_introspection_query_passes_and_is_measured_apart_from_data():
    document = parse(get_introspection_query(descriptions=True, input_value_deprecation=True))

    check(document, None)
    assert measure(document, None).depth == 0
    assert measure(document, None).introspection_depth == 15


def test_a_document_is_measured_exactly():
    found = measure(parse(CUSTOMERS), {"first": 2})

    assert found.definitions == 2
    assert found.depth == 6
    assert found.root_fields == 1
    assert (found.aliases, found.directives, found.mutations, found.sign_ins) == (0, 0, 0, 0)
    assert found.literal_depth == 5
    # a card costs 11, contacts 1 + 5 x 4; node, edges and cursor are around them, page info and total beside
    assert found.cost == 1 + 2 * (1 + 1 + (1 + 11 + 21) + 3 + 1)


# -- depth and nesting ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("levels", "exceeded"), [(12, {}), (13, {"depth": 12})])
def test_twelve_levels_of_fields_are_enough_for_everybody(levels: int, exceeded: dict[str, int]):
    assert refused("{ a " * levels + "}" * levels) == exceeded


def test_depth_is_counted_through_fragments():
    text = "{ a { a { a { ...f } } } } fragment f on User { a { a { a { a { a { ...g } } } } } } "
    assert refused(text + "fragment g on User { a { a { a { a { a } } } } }") == {"depth": 12}


def test_introspection_has_a_ceiling_of_its_own():
    assert refused("{ __schema { types " + "{ ofType " * 20 + "{ name }" + "}" * 21 + "}") == {
        "introspection_depth": 18
    }


def test_data_cannot_hide_behind_an_introspection_field():
    assert refused("{ me { __type " + "{ me " * 17 + "{ a }" + "}" * 17 + "}}") == {"introspection_depth": 18}


@pytest.mark.parametrize(
    "text",
    [
        "{a" * 10_000,
        "{a" * 10_000 + "}" * 10_000,
        "{a(x: " + "[" * 10_000,
        "{a(x: " + "{b: " * 10_000,
        "{a(" * 9_000,
        'query q @a(b: "' + "{" * 9_000 + '") {a' + "{b" * 61,
        "# {\n" * 61 + "{a" * 61,
        '{a(x: """ \\""" { """)' + "{a" * 61,
    ],
)
def test_brackets_ten_thousand_deep_are_refused_before_anything_recurses(text: str):
    with pytest.raises(TooComplex) as refusal:
        parse(text)
    assert refusal.value.limits == {"nesting": 60}


@pytest.mark.parametrize(
    "text", ['{a(x: "' + "{" * 500 + '")}', '{a(x: """' + "[" * 500 + '""")}', "#" + "{" * 500 + "\n{a}"]
)
def test_brackets_in_strings_and_comments_do_not_nest(text: str):
    assert refused(text) == {}


def test_inline_fragments_and_spreads_cannot_nest_for_ever():
    chain = " ".join(f"fragment f{i} on User {{ ... {{ ... {{ ...f{i + 1} }} }} }}" for i in range(38))
    assert refused("{ me { ...f0 } }" + chain) == {"nesting": 60}


@pytest.mark.parametrize(("levels", "exceeded"), [(16, {}), (17, {"literal_depth": 16})])
@pytest.mark.parametrize(
    "text",
    [
        "{ a(x: %s) }",
        "{ a @include(if: %s) }",
        "query ($x: X = %s) { a }",
        "{ ...f } fragment f on Q { a(x: %s) }",
        "{ a } fragment unused on Q { a(x: %s) }",
    ],
)
def test_lists_and_objects_nest_sixteen_deep_at_most(text: str, levels: int, exceeded: dict[str, int]):
    assert refused(text % ("[" * levels + "1" + "]" * levels)) == exceeded
    assert refused(text % ("{a: " * levels + "1" + "}" * levels)) == exceeded


# -- floods --------------------------------------------------------------------------------------------------


def test_a_document_has_two_thousand_tokens_at_most():
    assert refused("{" + "a " * 2_000 + "}") == {"tokens": 2_000}


def test_a_document_has_65536_characters_at_most():
    assert refused("{a}" + " " * 65_536) == {"characters": 65_536}


def test_a_document_has_forty_definitions_at_most():
    queries = " ".join(f"query q{i} {{ a }}" for i in range(41))
    assert refused(queries) == {"definitions": 40}


def aliased(times: int) -> str:
    return " ".join(f"x{i}: a" for i in range(times))


@pytest.mark.parametrize(("times", "exceeded"), [(50, {}), (51, {"aliases": 50})])
@pytest.mark.parametrize(
    "text",
    [
        "{ me { %s } }",
        "{ me { ...f } } fragment f on User { %s }",
        "{ me { ... { %s } } }",
        "{ me { ...f ...f } } fragment f on User { %s }",
    ],
)
def test_fifty_aliases_are_allowed_in_one_selection_set(text: str, times: int, exceeded: dict[str, int]):
    half = times // 2 + times % 2 if "...f ...f" in text else times
    assert refused(text % aliased(half)) == exceeded


def test_a_board_of_nine_stages_with_five_rights_each_passes():
    actions = ("claim", "edit", "delete", "transfer", "lock")
    rights = " ".join(f"{action}: can(action: {action.upper()})" for action in actions)
    columns = " ".join(f"s{n}: customers(first: 10) {{ nodes {{ id name {rights} }} }}" for n in range(9))

    assert refused(f"{{ {columns} }}") == {}
    assert measure(parse(f"{{ {columns} }}"), None).all_aliases == 54


def test_aliases_in_a_fragment_count_in_all_at_every_spread():
    fragment = f"fragment f on User {{ {aliased(49)} }}"
    spreads = " ".join(f"x{n}: me {{ ...f }}" for n in range(6))

    assert refused(f"{{ {spreads} }} {fragment}") == {}
    assert refused(f"{{ {spreads} y: me {{ ...f }} }} {fragment}") == {"all_aliases": 300}


@pytest.mark.parametrize(
    "text",
    [
        "{ %s }",
        "{ ... { %s } }",
        "{ ...f } fragment f on Query { %s }",
        "{ ...f } fragment f on Query { ... { %s } }",
    ],
)
def test_twenty_root_fields_are_allowed_however_they_are_wrapped(text: str):
    assert refused(text % " ".join(["a"] * 20)) == {}
    assert refused(text % " ".join(["a"] * 21)) == {"root_fields": 20}


def test_fifty_directives_are_allowed_wherever_they_stand():
    assert refused("{ a " + "@include(if: true) " * 51 + "}") == {"directives": 50}
    assert refused("query " + "@x " * 51 + "{ a }") == {"directives": 50}
    assert refused("query ($v: Int " + "@x " * 51 + ") { a }") == {"directives": 50}
    assert refused("{ ...f " + "@x " * 26 + "} fragment f on Query " + "@x " * 25 + "{ a }") == {"directives": 50}


@pytest.mark.parametrize("text", ["mutation { %s }", "mutation { ...f } fragment f on Mutation { %s }"])
def test_a_request_changes_five_things_at_most(text: str):
    changes = " ".join(f"c{i}: claimCustomers(input: {{ids: []}}) {{ ids }}" for i in range(6))
    assert refused(text.replace("%s", changes)) == {"mutations": 5}


def test_a_request_signs_in_once():
    tries = " ".join(f'c{i}: signIn(input: {{login: "ada", password: "{i}"}}) {{ token }}' for i in range(2))
    assert refused(f"mutation {{ {tries} }}") == {"sign_ins": 1}
    assert refused(f"mutation {{ ...f }} fragment f on Mutation {{ ... {{ {tries} }} }}") == {"sign_ins": 1}


def test_aliased_sign_ins_cannot_multiply_by_operations_either():
    one = 'signIn(input: {login: "ada", password: "x"}) { token }'
    assert measure(parse(f"mutation a {{ {one} }} mutation b {{ {one} }}"), None).sign_ins == 1


# -- cost ----------------------------------------------------------------------------------------------------

PAGES = "query ($n: Int%s) { customers(first: $n) { nodes { contacts(first: $n) { nodes { id name } } } } }"


def test_page_sizes_multiply():
    assert measure(parse(PAGES % ""), {"n": 10}).cost == 1 + 10 * (1 + 1 + 10 * 3)
    assert refused(PAGES % "", {"n": 10}) == {}
    assert refused(PAGES % "", {"n": 100}) == {"cost": 20_000}


@pytest.mark.parametrize("variables", [{}, None, {"n": None}, {"n": "200"}, {"n": True}, {"n": 2.5}, {"n": [1]}])
def test_a_page_without_a_size_counts_as_fifty_rows(variables: dict[str, object] | None):
    assert measure(parse("query ($n: Int) { customers(first: $n) { id } }"), variables).cost == 51
    assert measure(parse("{ customers { nodes { id } } }"), variables).cost == 101


def test_the_default_of_a_variable_counts():
    assert refused(PAGES % " = 200") == {"cost": 20_000}
    assert refused(PAGES % " = 200", {"n": 1}) == {}


@pytest.mark.parametrize("size", ["0", "-5", "1"])
def test_a_page_has_at_least_one_row(size: str):
    assert measure(parse(f"{{ customers(first: {size}) {{ id }} }}"), None).cost == 2


def test_a_number_with_five_thousand_digits_is_large_and_harmless():
    assert refused(f"{{ customers(first: {'9' * 5_000}) {{ id }} }}") == {"cost": 20_000}
    assert refused("query ($n: Int) { customers(first: $n) { id } }", {"n": 10**4_000}) == {"cost": 20_000}


def test_counting_stops_at_a_billion():
    many = "first: 999999999"
    assert measure(parse(f"{{ a({many}) {{ a({many}) {{ a({many}) {{ a }} }} }} }}"), None).cost == 10**9


def test_a_verdict_depends_on_the_page_variables_only():
    assert page_variables(parse(CUSTOMERS)) == {"first"}
    assert page_variables(parse("query ($a: Int, $b: Int) { x(last: $a) { y(limit: $b) } }")) == {"a", "b"}


# -- bombs ---------------------------------------------------------------------------------------------------


def test_a_bomb_of_doubling_fragments_is_refused_in_no_time():
    text = doubling(18)
    assert len(text) < 800

    exceeded = quickly(lambda: refused(text))  # about 2 ms; following every spread takes seconds

    assert exceeded == {"cost": 20_000}


@pytest.mark.parametrize(
    "text",
    [
        "{ me { ...a } } fragment a on User { a ...a }",
        "{ me { ...a } } fragment a on User { a ...b } fragment b on User { a ...a }",
        "{ ...a } fragment a on Query { me { ...b } } fragment b on User { me { ...b ...a } }",
        "{ ...nobody }",
        "fragment a on Query { a }",
    ],
)
def test_circular_and_missing_fragments_are_left_to_validation(text: str):
    assert refused(text) == {}
    assert validate(SCHEMA, parse(text))


@pytest.mark.parametrize(
    "text",
    [
        "{ me {" + "a " * 1_900 + "} }",
        "{ me {" + "me { a } " * 480 + "} }",
        "{ me { a } } fragment unused on User {" + "me { a } " * 400 + "}",
        "{ me {" + " ".join(f"...f{i}" for i in range(39)) + "} }"
        + " ".join(f"fragment f{i} on User {{ {'me { a } ' * 5} }}" for i in range(39)),
    ],
)  # fmt: skip
def test_fields_that_overlap_are_refused_before_validation_compares_them_two_by_two(text: str):
    assert refused(text) == {"repeats": 10_000}


def test_whatever_passes_is_validated_quickly():
    overlapping = "{ me {" + ("me {" + "a " * 10 + "}") * 13 + "} }"
    assert refused(overlapping) == {}

    quickly(lambda: validate(SCHEMA, parse(overlapping)))  # about 10 ms


@pytest.mark.parametrize(
    "text",
    [
        "#\n" * 32_000 + "{a}",
        '{a(x: "' + "x" * 65_000 + '")}',
        '{a(x: """' + "x\n" * 32_000 + '""")}',
        "{a" + "{" * 61 + '(x: """' + '\\"""' * 16_000,
        "{a" + "{" * 61 + '"' * 65_000,
        "{a" + "," * 65_000 + "}",
    ],
)
def test_long_texts_take_time_in_proportion(text: str):
    def parsed() -> None:
        with suppress(TooComplex, GraphQLSyntaxError):
            parse(text)

    quickly(parsed)  # at most 40 ms


# -- text ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ['{ a(x: "%s") }', '{ a @x(y: [{z: "%s"}]) }', 'query ($v: S = "%s") { a }'])
@pytest.mark.parametrize("nul", ["\\u0000", "\\u{0}"])
def test_a_string_may_not_hold_nul(text: str, nul: str):
    with pytest.raises(GraphQLError, match="NUL"):
        check(parse(text % nul), None)


def test_a_backslash_before_u0000_is_no_nul():
    check(parse('{ a(x: "\\\\u0000") }'), None)


@pytest.mark.parametrize("text", ["", "   ", "{", "}", '{ a(x: "\\ud800") }', "\0", "{ a(x: 'b') }", "😀"])
def test_what_is_not_graphql_is_a_syntax_error(text: str):
    with pytest.raises(GraphQLSyntaxError):
        parse(text)


def test_a_refusal_names_the_limits():
    with pytest.raises(TooComplex) as refusal:
        check(parse("mutation { " + " ".join(f"m{i}: signIn" for i in range(51)) + "}"), None)

    assert refusal.value.error() == {
        "message": "This request asks for too much at once. Split it: at most 50 aliases in one selection set (yours: 51), "
        "at most 20 root fields (yours: 51), at most 5 mutations (yours: 51), at most 1 sign ins (yours: 51).",
        "extensions": {
            "code": "TOO_COMPLEX",
            "limits": {"aliases": 50, "root_fields": 20, "mutations": 5, "sign_ins": 1},
            "measured": {"aliases": 51, "root_fields": 51, "mutations": 51, "sign_ins": 51},
        },
    }


@pytest.mark.parametrize(
    ("text", "measured"),
    [
        ("{" + "a " * 2_500 + "}", {"tokens": 2_502}),
        ('{ # no tokens here\n a(x: "one, two", y: [1, -2.5e3]) ' + "a, " * 2_500 + "}", {"tokens": 2_514}),
        ("{a}" + " " * 65_536, {"characters": 65_539}),
        ("{a" * 70 + "}" * 70, {"nesting": 70}),
        (" ".join(f"query q{n} {{ a }}" for n in range(44)), {"definitions": 44}),
    ],
)
def test_a_refusal_says_how_much_it_was(text: str, measured: dict[str, int]):
    with pytest.raises(TooComplex) as refusal:
        check(parse(text), None)

    assert refusal.value.error()["extensions"]["measured"] == measured


def test_every_measure_has_a_limit():
    assert set(Measure.__dataclass_fields__) <= set(LIMITS)


def test_the_docs_say_every_limit_in_numbers():
    text = (ROOT / "docs" / "api" / "limits.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\d,]+) \|", text, re.MULTILINE))

    assert {name: int(limit.replace(",", "")) for name, limit in rows.items() if name in LIMITS} == LIMITS
