"""Proposals: how a heading is read, what values decide, and what holds for any sheet whatever it holds."""

import re
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.headings import Mark, foreign_headings, heading_form, headings_of
from resolvers.imports.cells import cells_of, shapes_of
from resolvers.imports.matching import Column, Proposal, header_key, propose, signature
from resolvers.imports.meaning import Strategy
from tests.support.headings import fields_of, labelled, proposals, spellings

PHONES = ("13800138000", "139-0013-9000", "021-68881234", "", "无")
COMPANIES = ("上海华兴科技有限公司", "盛达贸易", "", "Apex Trading Ltd", "鼎博机械厂")
PEOPLE = ("张三", "李娜", "", "王建国", "John Smith")
EMAILS = ("a@163.com", "b@qq.com", "", "c.d@apex.com", "无")


def keys(target: str, *columns: Column | str, remembered: dict[str, str | None] | None = None) -> list[str]:
    """The keys of the fields that are proposed, "" for a column that is left out."""
    given_columns = [Column(x) if isinstance(x, str) else x for x in columns]
    found = propose(fields_of(target), given_columns, remembered, spellings())
    return [each.field.key if each.field else "" for each in found]


def one(target: str, header: str, cells: Sequence[str] = (), kinds: Sequence[str] = ()) -> Proposal:
    (found,) = propose(fields_of(target), [Column(header, cells, kinds)], words=spellings())
    return found


# --- headings as people make them ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        "客户名称*",
        " 客户名称 ",
        "客户\n名称",
        "客户　名称",
        "客戶名稱",
        "客户名称（必填）",
        "【客户名称】",
        "1. 客户名称",
        "客户名称：",
        "＊客户名称",
        "Customer Name",
        "customer_name",
        "CustomerName",
        "CUSTOMER-NAME",
        "Customer  Name*",
        "Ｃｕｓｔｏｍｅｒ　Ｎａｍｅ",
        "客户名称 Customer Name",
    ],
)
def test_a_heading_is_read_whatever_its_width_case_and_marks(header: str) -> None:
    assert keys("customer", header) == ["name"]


def test_the_headings_of_case_n09_are_matched_and_twins_told_apart() -> None:
    columns = [
        Column("客户名称*", COMPANIES),
        Column(" 电话 ", PHONES),
        Column("电话 (2)", PHONES),
        Column("联系\n电话", PHONES),
        Column("", ("x", "", "y")),
    ]

    assert keys("customer", *columns) == ["name", "phone", "", "", ""]
    with_contact = keys("customer", *columns, Column("联系人", PEOPLE))
    assert with_contact == ["name", "phone", "", "contact_phone", "", "contact_name"]
    assert keys("contact", "手机", "电话", "座机")[1:] == ["phone", "second_phone"]
    assert keys("contact", "手机", "电话") == ["phone", "second_phone"]


def test_the_headings_of_case_n15_find_the_company_by_number_and_by_name() -> None:
    assert keys("contact", "客户编号", "公司名称", "姓名") == ["customer_number", "customer_id", "name"]
    assert keys("contact", "Company", "Full name") == ["customer_id", "name"]


def test_the_headings_of_case_n19_keep_who_and_when() -> None:
    columns = ["客户名称", "跟进内容", "跟进时间", "跟进人", "跟进方式", "创建时间", "下次联系时间"]

    assert keys("follow_up", *columns) == ["customer_id", "content", "happened_at", "owner_id", "kind", "", ""]


@pytest.mark.parametrize("header", ["Phnoe", "Adress", "khmc", "kehumingcheng", "联系仁", "E-mial", "Custmer Name"])
def test_a_misspelt_heading_says_which_word_it_looks_like(header: str) -> None:
    found = one("customer", header)

    assert found.field is not None
    assert found.strategy is Strategy.SPELLING
    assert " looks like “" in found.reason.english
    assert found.confidence < 0.9


@pytest.mark.parametrize(
    "header",
    [
        "传真",
        "Fax",
        "税号",
        "QQ",
        "微信",
        "邮编",
        "Website",
        "网址",
        "Tax ID",
        "创建时间",
        "Last Modified Date",
        "公司传真",
        "开票地址",
        "Billing Email",
        "财务电话",
        "负责人邮箱",
        "Phone Type",
        "Number of contacts",
        "来源备注",
        "电话（传真）",
        "地址（开票）",
        "Contract",
    ],
)
def test_a_foreign_column_is_left_out_whatever_its_values(header: str) -> None:
    for cells in (PHONES, COMPANIES, PEOPLE, EMAILS, ("2024-05-01",) * 5, ("零售业",) * 5, ()):
        assert keys("customer", Column(header, cells)) == [""], cells


def test_what_is_foreign_to_customers_may_be_a_field_of_contacts() -> None:
    assert keys("customer", "微信") == [""]
    assert keys("contact", "微信") == ["wechat"]
    assert keys("person", "手机", "部门") == ["", "department_id"]
    assert keys("contact", "部门") == [""]


# --- what values decide ----------------------------------------------------------------------------------


def test_values_decide_between_what_a_heading_may_mean() -> None:
    assert keys("customer", Column("联系方式", EMAILS)) == ["email"]
    assert keys("customer", Column("联系方式", PHONES)) == ["phone"]
    assert keys("customer", Column("Address", EMAILS)) == ["email"]


def test_a_heading_that_usually_means_something_needs_values_that_do_not_differ() -> None:
    assert keys("customer", Column("手机", PHONES)) == ["phone"]
    assert keys("customer", Column("手机", ("是", "否", "是", "是"))) == [""]
    assert keys("customer", Column("公司", EMAILS)) == [""]


def test_the_name_of_a_field_is_believed_and_the_values_are_told() -> None:
    found = one("customer", "电话", ("无此人", "见备注", "王总", "问前台"))

    assert found.field is not None
    assert found.confidence < 0.7
    assert found.reason.english == "The heading is the name of “Phone”. 0 of 4 values are phone numbers."
    assert found.reason.chinese == "表头即字段“电话”的名称。4 个值中有 0 个是电话号码。"


def test_a_column_without_a_heading_is_known_by_values_that_tell() -> None:
    assert keys("customer", Column("", EMAILS), Column("列2", COMPANIES), Column("Unnamed: 3", PHONES)) == [
        "email",
        "name",
        "phone",
    ]
    assert one("customer", "", EMAILS).reason.english.startswith("The values look like “E-mail”.")
    assert keys("customer", Column("列5", PEOPLE), Column("", ("1", "2", "3"))) == ["", ""]


def test_a_date_is_one_if_the_sheet_says_so() -> None:
    plain = one("contact", "出生", ("45000", "45001", "45002"))
    dated = one("contact", "生日", ("45000", "45001", "45002"), ("date", "date", "date"))

    assert plain.field is None
    assert "3 of 3 values are dates." in dated.reason.english


def test_an_error_is_no_value() -> None:
    assert cells_of(["#N/A", "13800138000"], ["error", ""]).count == 1


def test_words_of_a_dictionary_are_counted_with_their_aliases() -> None:
    found = one("customer", "所属行业", ("零售", "电商", "IT", "", "机械"))

    assert found.reason.english.endswith("3 of 4 values are words of Industry.")
    assert found.samples == ("零售", "电商", "IT")


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("+86 138-0013-8000", "phone"),
        ("13800138000（王总）", "phone"),
        ("13800138000/13900139000", "phone"),
        ("2024年5月1日", "date"),
        ("3/4/2024", "date"),
        ("12,500.00", "number"),
        ("上海华兴科技有限公司", "company"),
        ("apex trading ltd", "company"),
        ("王总", "person"),
        ("john smith", "person"),
        ("杭州市西湖区文三路88号", "address"),
        ("88 main street", "address"),
        ("91330000ma1234b123", "registration"),
        ("c2024001", "code"),
    ],
)
def test_a_text_is_known_by_its_shape(text: str, shape: str) -> None:
    assert shape in shapes_of(text)


def test_blanks_and_words_for_nothing_are_no_values() -> None:
    assert cells_of(["", " ", "无", "N/A", "-", "暂无", "null"]).count == 0


def test_numbers_of_rows_are_no_numbers_of_customers() -> None:
    rows = [str(number) for number in range(1, 9)]

    assert keys("customer", Column("No.", rows)) == [""]
    assert keys("customer", Column("编号", rows)) == [""]
    assert keys("customer", Column("No.", ["C1001", "C1002", "C1005"])) == ["number"]
    assert one("customer", "客户编号", rows).reason.chinese.endswith("8 个值中有 8 个是行号。")


# --- what was chosen before ------------------------------------------------------------------------------


def test_a_remembered_mapping_goes_before_all() -> None:
    remembered: dict[str, str | None] = {header_key("传真"): "phone", header_key("电话"): None, header_key("X"): "gone"}

    assert keys("customer", "传真", "电话", "X", "手机", remembered=remembered) == ["phone", "", "", ""]
    found = propose(fields_of("customer"), [Column("传真"), Column("电话")], remembered)
    assert [each.reason.english for each in found] == ["It was “Phone” last time.", "It was left out last time."]
    assert [each.reason.chinese for each in found] == ["上次导入时对应“电话”。", "上次导入时未导入该列。"]


def test_a_remembered_name_of_the_contact_counts_for_the_columns_beside_it() -> None:
    remembered: dict[str, str | None] = {header_key("对方"): "contact_name"}

    assert keys("customer", "对方", "手机", remembered=remembered) == ["contact_name", "contact_phone"]
    assert keys("customer", "对方", "手机") == ["", "phone"]


def test_a_field_that_is_no_longer_there_is_matched_anew() -> None:
    assert keys("customer", "电话", remembered={header_key("电话"): "gone"}) == ["phone"]


def test_a_signature_is_that_of_the_set_of_headings() -> None:
    assert signature(["客户名称", "电话"]) == signature([" 电话 ", "客户名称"])
    assert signature(["客户名称", "电话"]) != signature(["客户名称", "手机"])
    assert signature(["金额"]) != signature(["金额（万元）"])
    assert len(signature([])) == 32


# --- reasons ---------------------------------------------------------------------------------------------


def test_every_reason_is_a_sentence_in_both_languages() -> None:
    for sheet in labelled():
        for each in proposals(sheet):
            english, chinese = each.reason
            assert english.endswith("."), each
            assert chinese.endswith("。"), each
            heading = " ".join(each.header.split())
            assert not re.search(r"[\u4e00-\u9fff][,:;?!]|[,:;?!][\u4e00-\u9fff]", chinese.replace(heading, "")), each
            assert len(each.samples) <= 3


def test_a_column_that_is_left_out_says_why() -> None:
    said = propose(
        fields_of("customer"),
        [Column("电话"), Column("客户电话"), Column("传真"), Column("魔法"), Column(""), Column("公司", EMAILS)],
    )

    assert [each.reason.english for each in said] == [
        "The heading is the name of “Phone”.",
        "Another column fits “Phone” better.",
        "There is no field for “传真”.",
        "No field is known as “魔法”.",
        "The column has no heading.",
        "The values do not fit the heading. 3 of 3 values are e-mail addresses.",
    ]


# --- what holds for any sheet ----------------------------------------------------------------------------

HEADERS = st.one_of(
    st.sampled_from([column.header for sheet in labelled() for column in sheet.columns]),
    st.text(max_size=12),
    st.text("客户电话名称编号联系人(（）)*/ 1", max_size=8),
)
CELLS = st.lists(
    st.one_of(st.sampled_from([*PHONES, *COMPANIES, *PEOPLE, *EMAILS, "2024-05-01"]), st.text(max_size=8)), max_size=6
)
SHEETS = st.lists(st.builds(Column, HEADERS, CELLS), max_size=8)
TARGETS = st.sampled_from(
    ["customer", "pooled_customer", "contact", "follow_up", "opportunity", "dictionary_item", "person"]
)


def summary(columns: Sequence[Column], found: Sequence[Proposal]) -> Counter[tuple[str, tuple[str, ...], str]]:
    return Counter(
        (column.header, tuple(column.cells), each.field.key if each.field else "")
        for column, each in zip(columns, found, strict=True)
    )


@settings(max_examples=150, deadline=None)
@given(TARGETS, SHEETS, st.randoms(use_true_random=False))
def test_one_field_once_and_the_order_of_columns_does_not_matter(target: str, columns: list[Column], dice) -> None:  # type: ignore[no-untyped-def]
    found = propose(fields_of(target), columns, words=spellings())
    proposed = [each.field.key for each in found if each.field]

    assert len(proposed) == len(set(proposed))
    assert [each.place for each in found] == list(range(len(columns)))
    assert all((each.field is None) == (each.confidence == 0) for each in found)
    assert all(0 <= each.confidence <= 1 for each in found)

    shuffled = dice.sample(columns, len(columns))
    assert summary(shuffled, propose(fields_of(target), shuffled, words=spellings())) == summary(columns, found)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=400), st.lists(st.text(max_size=400), max_size=4))
def test_no_text_raises(header: str, cells: list[str]) -> None:
    found = one("customer", header, cells)

    assert found.header == header
    assert signature([header])


@pytest.mark.parametrize(
    "text",
    ["\ud800", "a" * 100_000, "e\u0301" * 5_000, "(" * 5_000, "1" * 20_000, "，" * 9_000, "\x00\x01", "a b " * 9_000],
)
def test_hostile_texts_are_read_too(text: str) -> None:
    assert one("customer", text, [text] * 50).field is None


def test_the_headings_of_a_field_are_no_foreign_ones_unless_a_line_says_so() -> None:
    for target in ("customer", "contact", "follow_up", "opportunity", "dictionary_item", "person"):
        for each in fields_of(target):
            for language in (0, 1):
                assert keys(target, each.label[language]) == [each.key], (target, each.label)


def test_what_braces_make_gives_way_to_what_is_foreign() -> None:
    made = {form for form, *_ in headings_of("customer", "category")}

    assert heading_form("企业类型") in foreign_headings()
    assert heading_form("企业类型") not in made
    assert heading_form("客户类型") in made


def test_no_heading_that_a_line_names_surely_means_two_fields() -> None:
    for target in ("customer", "contact", "follow_up", "opportunity", "dictionary_item", "person"):
        named = Counter(
            heading.form
            for each in fields_of(target)
            for heading in each.headings
            if heading.mark is Mark.ALWAYS and not heading.is_made
        )
        assert [form for form, count in named.items() if count > 1] == [], target
