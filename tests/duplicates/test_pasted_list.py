"""What the lines of a pasted list are understood as."""

import pytest

from resolvers.duplicates.pasted import PastedRow, pasted_rows


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ("上海鸿发贸易有限公司", PastedRow(1, "上海鸿发贸易有限公司")),
        ("Acme\t138 0013 8000\tSales@Acme.example", PastedRow(1, "Acme", ("138 0013 8000",), ("Sales@Acme.example",))),
        ("sales@acme.example\tAcme", PastedRow(1, "Acme", (), ("sales@acme.example",))),
        ("+86 (21) 6888-1234", PastedRow(1, "", ("+86 (21) 6888-1234",))),
        (
            "Acme\t021-68881234\t１３８００１３８０００",
            PastedRow(1, "Acme", ("021-68881234", "１３８００１３８０００")),
        ),
        ("Acme\t91310000MA1K35XY2C", PastedRow(1, "Acme", registration="91310000MA1K35XY2C")),
        ('"Acme"\t\t \tShanghai', PastedRow(1, "Acme")),
        ("360 Security", PastedRow(1, "360 Security")),
    ],
)
def test_a_line_is_known_by_how_its_cells_look(line: str, row: PastedRow) -> None:
    assert pasted_rows(line) == [row]


def test_headings_and_empty_lines_are_left_out_and_lines_keep_their_numbers() -> None:
    text = "Name\tPhone\r\nAcme\t13800138000\r\n\r\n \t \n客户名称\nUmbrella"

    assert [(row.line, row.name) for row in pasted_rows(text)] == [(2, "Acme"), (6, "Umbrella")]
