"""CSV files: encodings, delimiters, quotes, and the mark that our own export puts before formulas."""

import codecs
from collections.abc import Callable

import pytest

from tasks.sheets.csv_file import guess_delimiter
from tasks.sheets.encodings import ENCODINGS, decode
from tests.imports.conftest import Reader

Make = Callable[..., Reader]
HEADERS = ["客户名称", "联系人", "电话", "地址"]
CITIES = ("上海", "北京", "广州", "深圳", "杭州")
ROWS = [[f"{CITIES[at % 5]}华兴科技有限公司", "张伟𠮷", f"1380013{at:04}", f"中山路{at}号 €"] for at in range(20)]


def table(delimiter: str) -> str:
    return "\r\n".join(delimiter.join(row) for row in [HEADERS, *ROWS]) + "\r\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    ("codec", "mark", "told"),
    [
        ("gb18030", b"", "gb18030"),
        ("utf-8", b"", "utf-8"),
        ("utf-8", codecs.BOM_UTF8, "utf-8"),
        ("utf-16-le", codecs.BOM_UTF16_LE, "utf-16"),
        ("utf-16-be", codecs.BOM_UTF16_BE, "utf-16"),
        ("utf-16-le", b"", "utf-16"),
        ("utf-16-be", b"", "utf-16"),
    ],
)
def test_n07_every_encoding_and_delimiter_is_found(
    reader: Make, codec: str, mark: bytes, told: str, delimiter: str
) -> None:
    found = reader(mark + table(delimiter).encode(codec))

    overview = found.overview()

    assert (overview.encoding, overview.encoding_sure) == (told, True)
    assert (overview.delimiter, overview.delimiter_sure) == (delimiter, True)
    assert [column.name for column in overview.columns] == HEADERS
    assert [cells for _, cells in found.rows()] == ROWS


def test_n07_traditional_characters_in_big5(reader: Make) -> None:
    text = "客戶名稱,聯絡人,電話\n臺北國際貿易股份有限公司,陳小姐,0223456789\n高雄電子,林先生,073456789\n"

    overview = reader(text.encode("big5")).overview()

    assert (overview.encoding, overview.columns[0].samples[1]) == ("big5", "高雄電子")


def test_n07_accents_of_western_europe(reader: Make) -> None:
    overview = reader("Name;Stadt\nMüller;Köln\nJörg;Zürich\n".encode("cp1252")).overview()

    assert (overview.encoding, overview.encoding_sure) == ("windows-1252", False)
    assert overview.columns[0].samples == ["Müller", "Jörg"]


def test_n07_the_guess_can_be_changed(reader: Make) -> None:
    found = reader("名称;备注,x\n甲;a,b\n".encode("gb18030"))

    assert found.overview(encoding="gb18030", delimiter=",").columns[0].name == "名称;备注"
    assert found.overview(delimiter=";").columns[0].name == "名称"
    refusal = found.refusal(encoding="utf-8")
    assert refusal.say() == "The file is not written in UTF-8: line 1 cannot be read so. Choose another encoding."
    assert found.refusal(encoding="latin-7").code() == "WRONG_ENCODING"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_that_is_offered_reads_its_own(encoding: str) -> None:
    text = "Name,City\nSmith,Bern\n"
    codec = {"windows-1252": "cp1252"}.get(encoding, encoding)

    assert decode(text.encode(codec), encoding).text == text


def test_a_byte_deep_in_the_file_decides_as_well(reader: Make) -> None:
    data = b"name,city\n" + b"Smith,Bern\n" * 20_000 + "张三,上海\n".encode("gb18030")

    found = reader(data)

    assert found.overview().encoding == "gb18030"
    assert found.rows()[-1] == (20_002, ["张三", "上海"])


@pytest.mark.parametrize(
    ("text", "delimiter", "sure"),
    [
        ("a,b,c\n1,2,3\n4,5,6\n", ",", True),
        ('地址;电话\n"上海, 浦东, 1号";1\n"北京, 朝阳, 2号";2\n', ";", True),
        ("名称，电话\n甲，1\n乙，2\n", "，", True),
        ("名称,地址\n甲,上海，浦东\n乙,北京，朝阳\n", ",", True),
        ("a\n1\n2\n", ",", False),
        ("a;b\n1;2;3\n4\n5\n", ";", False),
    ],
)
def test_the_delimiter_gives_records_the_same_number_of_columns(text: str, delimiter: str, sure: bool) -> None:
    assert guess_delimiter(text) == (delimiter, sure)


def test_a_first_line_for_excel_names_the_delimiter(reader: Make) -> None:
    found = reader("sep=;\n名称;电话\n甲,乙;1\n".encode())

    assert found.overview().delimiter == ";"
    assert found.rows() == [(3, ["甲,乙", "1"])]


def test_the_mark_before_formulas_is_removed_and_nothing_else(reader: Make) -> None:
    said = ["'=1+1", "'+86", "'-5", "'@x", "'\tx", "'x", "'", "''=1", "=1+1", "it's"]
    lines = "\n".join(f'"{cell}",1' for cell in said)

    assert reader(f"a,b\n{lines}\n".encode()).cells() == [
        "=1+1", "+86", "-5", "@x", "\tx", "'x", "'", "'=1", "=1+1", "it's",
    ]  # fmt: skip


def test_a_quote_that_is_not_closed_is_refused_with_its_row(reader: Make) -> None:
    refusal = reader(b'a,b\n1,2\n3,"open\n4,5\n6,7\n').refusal()

    assert (refusal.code(), refusal.params["row"]) == ("QUOTE_NOT_CLOSED", 3)


def test_a_lone_inch_mark_is_no_open_quote(reader: Make) -> None:
    assert reader(b'a,b\n5" pipe,2\n3,4\n').rows() == [(2, ['5" pipe', "2"]), (3, ["3", "4"])]


def test_a_cell_that_is_too_long_is_refused_with_its_place(reader: Make) -> None:
    refusal = reader(b"a,b\n1," + b"x" * 40_000 + b"\n").refusal()

    assert refusal.say() == (
        "Cell B2 holds more than 32767 characters. Shorten it. In a .csv, check that each quotation mark is closed."
    )


def test_text_with_a_few_wrong_bytes_is_refused_and_not_garbled(reader: Make) -> None:
    whole = table(",").encode()
    broken = whole[:200] + b"\xff" + whole[200:]

    refusal = reader(broken).refusal()

    assert (refusal.code(), refusal.params["encoding"]) == ("WRONG_ENCODING", "UTF-8")
    assert refusal.params["line"] == whole[:200].count(b"\n") + 1
    assert reader(table(",").encode("gb18030") + b"\xff\xff\n").refusal().params["encoding"] == "GB18030"
