"""What a file is by its bytes, whatever its name ends in."""

import re
import zipfile
from pathlib import Path

from models.errors import FileNotAllowed, FileOtherKind

ALLOWED = ("pdf", "png", "jpg", "jpeg", "gif", "webp", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "txt", "csv", "zip")
"""The endings that are taken where the settings name none."""
_OFFICE = "application/vnd.openxmlformats-officedocument."
MEDIA = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
    "docx": f"{_OFFICE}wordprocessingml.document",
    "xlsx": f"{_OFFICE}spreadsheetml.sheet",
    "pptx": f"{_OFFICE}presentationml.presentation",
    "txt": "text/plain",
    "csv": "text/csv",
    "zip": "application/zip",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
}
"""Ending -> media type."""
_FAMILIES = {"jpeg": "jpg", "doc": "ole", "xls": "ole", "ppt": "ole", "csv": "txt"}
"""Ending -> what its bytes look like, where several endings look alike."""
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "pdf"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (b"ID3", "mp3"),
    (b"\xff\xfb", "mp3"),
    (b"\xff\xf3", "mp3"),
    (b"MZ", "program"),
    (b"\x7fELF", "program"),
    (b"#!", "program"),
    (b"\xca\xfe\xba\xbe", "program"),
    (b"\xfe\xed\xfa", "program"),
    (b"\xcf\xfa\xed\xfe", "program"),
)
_MARKUP = re.compile(
    rb"<\s*(!doctype|html|head|body|script|svg|iframe|object|embed|meta|link|style|\?xml)\b|<\?xml", re.IGNORECASE
)
_WORDS: dict[str, tuple[str, str]] = {
    "pdf": ("a PDF", "PDF 文件"),
    "png": ("a PNG picture", "PNG 图片"),
    "jpg": ("a JPEG picture", "JPEG 图片"),
    "gif": ("a GIF picture", "GIF 图片"),
    "webp": ("a WebP picture", "WebP 图片"),
    "ole": ("an old Office file", "旧版 Office 文件"),
    "docx": ("a Word document", "Word 文档"),
    "xlsx": ("an Excel workbook", "Excel 工作簿"),
    "pptx": ("a presentation", "演示文稿"),
    "zip": ("an archive", "压缩包"),
    "txt": ("text", "文本"),
    "mp3": ("a sound", "音频"),
    "mp4": ("a video", "视频"),
    "markup": ("a web page or a drawing with code", "网页或含代码的图形"),
    "program": ("a program", "程序"),
    "": ("something unknown", "未知内容"),
}
_HEAD = 4_096


def media_of(path: Path, name: str, allowed: tuple[str, ...]) -> str:
    """The media type of a file on the disk that its user calls `name`.

    Raises FileNotAllowed for an ending or a content that is not taken, FileOtherKind where name and bytes disagree.
    """
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    taken = tuple(word for word in allowed if word in MEDIA)
    found = look(path)
    if found in ("program", "markup") or ending not in taken:
        raise FileNotAllowed(name=name, allowed=", ".join(taken), allowed_zh="、".join(taken), field="uploads")
    if found != _FAMILIES.get(ending, ending):
        english, chinese = _WORDS[found]
        raise FileOtherKind(name=name, found=english, found_zh=chinese, field="uploads")
    return MEDIA[ending]


def look(path: Path) -> str:
    """What the bytes are: an ending, `ole`, `program`, `markup`, or "" for what is unknown."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp":
        return "mp4"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _packed(path)
    return _text(head)


def _packed(path: Path) -> str:
    """Which Office file a zip is, by the names in it; `zip` for another one, "" for one that cannot be read."""
    try:
        with zipfile.ZipFile(path) as packed:
            names = packed.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return ""
    if "[Content_Types].xml" not in names:
        return "zip"
    folders = {"word": "docx", "xl": "xlsx", "ppt": "pptx"}
    return next((folders[top] for top in (name.partition("/")[0] for name in names) if top in folders), "zip")


def _text(head: bytes) -> str:
    if _MARKUP.search(head):
        return "markup"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "txt"
    if any(byte < 32 and byte not in b"\t\n\r\x0c\x1b" for byte in head):
        return ""
    for encoding in ("utf-8", "gb18030"):
        try:
            head[: len(head) - 4 if len(head) == _HEAD else None].decode(encoding)
        except UnicodeDecodeError as error:
            if len(head) == _HEAD and error.start > _HEAD - 12:
                return "txt"  # a character that the end of the head cuts
            continue
        return "txt"
    return ""
