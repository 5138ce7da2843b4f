"""The unit in a heading: what amounts are multiplied by, and their currency."""

import pytest

from resolvers.imports.matching import Column, propose
from resolvers.imports.units import PLAIN, unit_of
from tests.support.headings import fields_of


@pytest.mark.parametrize(
    ("heading", "factor", "currency"),
    [
        ("额度（万元）", 10_000, ""),
        ("金額（萬元）", 10_000, ""),
        ("合同额（单位：万元）", 10_000, ""),
        ("预计金额万元", 10_000, ""),
        ("金额/亿元", 100_000_000, ""),
        ("金额(千美元)", 1_000, "USD"),
        ("金额（美元）", 1, "USD"),
        ("Amount (USD k)", 1_000, "USD"),
        ("Amount (k€)", 1_000, "EUR"),
        ("Revenue (M€)", 1_000_000, "EUR"),
        ("Amount (in thousands)", 1_000, ""),
        ("Amount, '000", 1_000, ""),
        ("Amount [EUR]", 1, "EUR"),
    ],
)
def test_a_unit_is_read(heading: str, factor: int, currency: str) -> None:
    unit = unit_of(heading)

    assert (unit.factor, unit.currency) == (factor, currency)


@pytest.mark.parametrize(
    "heading", ["金额", "金额（元）", "名称（必填）", "Phone (US)", "电话（手机）", "Amount", "万科", "", "（）"]
)
def test_anything_else_is_none(heading: str) -> None:
    assert unit_of(heading) == PLAIN


def test_a_proposal_says_what_values_are_multiplied_by() -> None:
    (proposal,) = propose(fields_of("opportunity"), [Column("预计金额（万元）", ("12.5", "30", "8"))])

    assert proposal.field is not None
    assert (proposal.field.key, proposal.unit.factor) == ("amount", 10_000)
    assert proposal.reason.english.endswith("The heading says “万元”: values are multiplied by 10,000.")
    assert proposal.reason.chinese.endswith("表头注明“万元”，数值将乘以 10000。")


def test_a_unit_says_nothing_about_texts() -> None:
    (proposal,) = propose(fields_of("customer"), [Column("客户名称（k）", ("华兴公司",))])

    assert proposal.unit == PLAIN
