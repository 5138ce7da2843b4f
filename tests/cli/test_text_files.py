"""Files that commands read: in whatever encoding an editor or shell has written, or refused in one sentence."""

from pathlib import Path

import pytest

from millpond.text_files import UnreadableFile, read_text
from policies import STARTER
from tests.support.terminal import millpond, told

TEXT = "# 策略：销售只看自己的客户\np, sales, customer, view, own, any, allow\n"
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "gbk"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("lines", ["\n", "\r\n"])
def test_a_text_is_read_in_the_encoding_that_an_editor_has_written(tmp_path: Path, encoding: str, lines: str) -> None:
    file = tmp_path / "policy.csv"
    file.write_bytes(TEXT.replace("\n", lines).encode(encoding))

    assert read_text(file) == TEXT


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00", "is no text in UTF-8, UTF-16 or GB18030. Save it as UTF-8."),
        ("p, é".encode("latin-1"), "is no text in UTF-8, UTF-16 or GB18030. Save it as UTF-8."),
        (b"p, sales\x07\n", "is no text in UTF-8, UTF-16 or GB18030. Save it as UTF-8."),
        (b"\xff\xfep\x00,", "is no text in UTF-8, UTF-16 or GB18030. Save it as UTF-8."),
    ],
)
def test_what_is_no_text_is_refused_in_a_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    file = tmp_path / "policy.csv"
    file.write_bytes(content)

    with pytest.raises(UnreadableFile, match=f"policy.csv {sentence}"):
        read_text(file)


@pytest.mark.parametrize("words", [["diff"], ["review"], ["apply", "--reason", "x"], ["repair", "--reason", "x"]])
@pytest.mark.parametrize(
    ("name", "sentence"),
    [("", "is a folder. Name a file in it."), ("no", "cannot be read: no such file or directory.")],
)
def test_every_command_refuses_a_folder_and_a_missing_file_in_one_sentence(
    sqlite_url: str, tmp_path: Path, words: list[str], name: str, sentence: str
) -> None:
    file = str(tmp_path / name) if name else str(tmp_path)
    given = ["--file", file] if words[0] == "repair" else [file]

    assert told(millpond(sqlite_url, "policy", *words, *given)) == (1, "", f"millpond: {file} {sentence}\n")


def test_a_policy_that_a_windows_shell_has_written_is_the_one_in_force(sqlite_url: str, tmp_path: Path) -> None:
    file = tmp_path / "policy.csv"
    file.write_bytes(STARTER.replace("\n", "\r\n").encode("utf-16"))

    assert told(millpond(sqlite_url, "policy", "diff", str(file))) == (0, "", "")


def test_an_anchor_that_a_windows_shell_has_kept_is_an_anchor(new_url: str, tmp_path: Path) -> None:
    file = tmp_path / "anchor"
    file.write_bytes(millpond(new_url, "audit", "anchor").stdout.encode("utf-16"))

    assert millpond(new_url, "audit", "verify", "--anchor", str(file)).exit_code == 0
