"""Forms with one file: its bytes go on as they arrive, so that no file is ever whole in memory."""

from collections.abc import AsyncIterator
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from models.errors import SheetTooLarge, Validation
from resolvers.imports import uploads
from resolvers.runtime.incoming_file import Received
from resolvers.runtime.scope import Scope

FORM = "multipart/form-data"
BESIDES_BYTES = 64 * 1024
"""Maximum size of all texts of the form, and of what surrounds its parts."""
MAX_PARTS = 100


class FileForm:
    """A multipart form that is being read.  `fields` and `name` are known as far as it has arrived.

    `name` is what the sender calls the file: None before it has come, "" where none was chosen.
    """

    def __init__(self, request: Request) -> None:
        self.request = request
        self.fields: dict[str, str] = {}
        self.name: str | None = None
        self._header, self._value, self._disposition = b"", b"", b""
        self._text = bytearray()
        self._field = ""
        self._is_file = self._is_whole = False
        self._parts = self._besides = 0
        self._arrived: list[bytes] = []

    async def file(self) -> AsyncIterator[bytes]:
        """The bytes of the file, whatever its field is called.

        Raises Validation for what is no such form, for one that ends too early, and for no file or more than one.
        """
        parser = self._parser()
        async for chunk in self.request.stream():
            self._parse(parser, chunk)
            for piece in self._arrived:
                yield piece
            self._arrived.clear()
        if not self._is_whole:
            raise _incomplete()
        if not self.name:
            raise Validation("Choose a file.", "请选择文件。", field="file")

    # -- what the parser tells ---------------------------------------------------------------------------

    def _parser(self) -> Any:
        media, options = parse_options_header(self.request.headers.get("content-type", ""))
        boundary = options.get(b"boundary", b"")
        if media.decode("latin-1") != FORM or not 0 < len(boundary) <= 70:
            raise Validation("Choose a file.", "请选择文件。", field="file")
        return MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._take_header,
                "on_header_value": self._take_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._end_headers,
                "on_part_data": self._take_data,
                "on_part_end": self._end,
                "on_end": self._finish,
            },
        )

    def _parse(self, parser: Any, chunk: bytes) -> None:
        try:
            parser.write(chunk)
        except FormParserError:
            raise _incomplete() from None
        if self._besides > BESIDES_BYTES or self._parts > MAX_PARTS:
            raise Validation("The form holds too much beside its file.", "表单中除文件外的内容过多。")

    def _begin(self) -> None:
        self._parts += 1
        self._disposition, self._is_file = b"", False
        self._text.clear()

    def _take_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _take_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._besides += len(self._header) + len(self._value)
        self._header = self._value = b""

    def _end_headers(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._field = options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" not in options:
            return
        if self.name is not None:
            raise Validation("Send one file at a time.", "每次只能上传一个文件。", field="file")
        self._is_file, self.name = True, options[b"filename"].decode("utf-8", "replace")

    def _take_data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._arrived.append(data[start:end])
            return
        self._besides += end - start
        if self._besides <= BESIDES_BYTES:
            self._text += data[start:end]

    def _end(self) -> None:
        if not self._is_file:
            self.fields[self._field] = self._text.decode("utf-8", "replace")

    def _finish(self) -> None:
        self._is_whole = True


async def posted_file(scope: Scope, form: FileForm) -> Received:
    """The file of a form, on the disk.  Raises what `uploads.receive` and `FileForm.file` raise."""
    check_announced(scope, form.request, BESIDES_BYTES)
    return await uploads.receive(scope, form.file())


def check_announced(scope: Scope, request: Request, besides: int = 0) -> None:
    """Raise SheetTooLarge before anything is read where the request announces more bytes than a file has, and `besides`."""
    announced, limit = request.headers.get("content-length", ""), uploads.largest(scope)
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > (limit << 20) + besides:
        raise SheetTooLarge(limit=limit)


def _incomplete() -> Validation:
    return Validation(
        "The form did not arrive completely. Choose the file again.", "表单未完整到达，请重新选择文件。", field="file"
    )
