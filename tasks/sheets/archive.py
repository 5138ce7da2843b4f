"""The pre-check of a workbook as a zip file, and its parts unpacked under limits, before any reader opens it.

Sizes in the directory of a zip file may lie, and readers unpack to the end of the packed bytes whatever the directory says.
So `blocks` count, and stop at the first byte that the directory does not know of.
"""

import zlib
from collections.abc import Iterator
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from .limits import FREE_BYTES, MIB, Limits
from .refused import Refused, damaged, unusual

_LOCAL_HEADER = 30
_LARGEST_READ = 32 * MIB
"""Bytes of a part that is parsed as a whole."""
_BLOCK = 1 << 20
_ENCRYPTED = 0x41
"""Bits of a member's flags: encrypted, strongly encrypted."""


class Archive:
    """The parts of a workbook, found by their names whatever the case of letters, as readers find them.

    Refuses: a damaged directory, too many parts, parts that overlap or are there twice, encrypted and oversized ones.
    """

    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        self.file, self.limits = file, limits
        self._unpacked = 0
        try:
            members = ZipFile(file).infolist()
        except (BadZipFile, ValueError, OSError, EOFError, NotImplementedError, OverflowError):
            raise damaged() from None
        if len(members) > limits.parts:
            raise unusual("parts")
        self._starts: dict[str, int] = {}
        self.parts = self._checked(members)

    def __contains__(self, name: str) -> bool:
        return name.lower() in self.parts

    def names(self) -> list[str]:
        return list(self.parts)

    def size(self, name: str) -> int:
        """Bytes of a part, as the directory says; `blocks` refuses another number."""
        return self.parts[name.lower()].file_size

    def read(self, name: str) -> bytes:
        """A small part as a whole; b"" if it is not there.  Refuses what `blocks` refuses, and document types."""
        data = b"".join(self.blocks(name, _LARGEST_READ)) if name in self else b""
        refuse_doctype(data)
        return data

    def blocks(self, name: str, most: int | None = None) -> Iterator[bytes]:
        """A part unpacked, in blocks of up to a MiB.  `most`: bytes it may have.  Its size and checksum are checked."""
        info = self.parts.get(name.lower())
        if info is None:
            raise damaged()
        if info.file_size > min(most or info.file_size, max(FREE_BYTES, info.compress_size * self.limits.ratio)):
            raise Refused("SHEET_UNPACKS_TOO_LARGE")
        size = check = 0
        for block in self._unpack(info):
            if not size:
                _refuse_encodings(block)
            size += len(block)
            self._unpacked += len(block)
            if size > info.file_size:
                raise damaged()
            if self._unpacked > self.limits.unpacked_mib * MIB:
                raise Refused("SHEET_UNPACKS_TOO_LARGE")
            check = zlib.crc32(block, check)
            yield block
        if size != info.file_size or check != info.CRC:
            raise damaged()

    def _checked(self, members: list[ZipInfo]) -> dict[str, ZipInfo]:
        parts: dict[str, ZipInfo] = {}
        end = 0
        for info in sorted(members, key=lambda info: info.header_offset):
            name = info.filename.lower()
            if info.flag_bits & _ENCRYPTED:
                raise Refused("SHEET_HAS_PASSWORD")
            if name in parts:
                raise unusual("twice")
            if info.header_offset < end:
                raise unusual("overlap")
            if info.file_size > self.limits.unpacked_mib * MIB:
                raise Refused("SHEET_UNPACKS_TOO_LARGE")
            self._starts[name] = self._start(info)
            end = self._starts[name] + info.compress_size
            parts[name] = info
        return parts

    def _start(self, info: ZipInfo) -> int:
        """Where the bytes of a part begin.  Its own header has lengths that the directory does not know."""
        self.file.seek(info.header_offset)
        header = self.file.read(_LOCAL_HEADER)
        if len(header) < _LOCAL_HEADER or header[:4] != b"PK\x03\x04":
            raise damaged()
        return (
            info.header_offset
            + _LOCAL_HEADER
            + int.from_bytes(header[26:28], "little")
            + int.from_bytes(header[28:30], "little")
        )

    def _unpack(self, info: ZipInfo) -> Iterator[bytes]:
        if info.compress_type == ZIP_STORED:
            yield from self._packed(info)
        elif info.compress_type == ZIP_DEFLATED:
            try:
                yield from _inflated(self._packed(info))
            except zlib.error:
                raise damaged() from None
        else:
            raise damaged()

    def _packed(self, info: ZipInfo) -> Iterator[bytes]:
        at, left = self._starts[info.filename.lower()], info.compress_size
        while left:
            self.file.seek(at)
            block = self.file.read(min(_BLOCK, left))
            if not block:
                raise damaged()
            yield block
            at += len(block)
            left -= len(block)


def _inflated(packed: Iterator[bytes]) -> Iterator[bytes]:
    inflate = zlib.decompressobj(-15)
    for block in packed:
        left = block
        while left and not inflate.eof:
            if unpacked := inflate.decompress(left, _BLOCK):
                yield unpacked
            left = inflate.unconsumed_tail
    if rest := inflate.flush():
        yield rest
    if not inflate.eof:
        raise damaged()


def refuse_doctype(data: bytes) -> None:
    """End external entities and entities that multiply before a parser meets them."""
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise unusual("doctype")


def _refuse_encodings(start: bytes) -> None:
    """Every check looks for ASCII, so a part in UTF-16 would pass unseen.  No spreadsheet program writes one."""
    head = start[:200].lower()
    if b"\0" in head or head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise unusual("encoding")
    declaration = head.partition(b"?>")[0]
    if declaration.startswith(b"<?xml") and b"encoding" in declaration and b"utf-8" not in declaration:
        raise unusual("encoding")
