"""A file that comes in: its bytes go to the disk as they arrive, in threads, and nothing is left of one that breaks off."""

import asyncio
import errno
import hashlib
import os
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from models.errors import NoRoomForFile, SheetEmpty, SheetTooLarge

HEAD_BYTES = 512
"""The first bytes of a file, by which its kind is known."""
_AT_ONCE = 256 * 1024
"""Bytes that one thread takes to the disk; so much memory one upload needs."""
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True)
class Received:
    """A file that has come in: its name in the folder, its SHA-256 and its size in bytes."""

    stored: str
    hash: str
    size: int


async def receive(
    chunks: AsyncIterable[bytes], path: Path, limit_mib: int, ending_of: Callable[[bytes], str]
) -> Received:
    """Write the chunks to a file beside `path`, whose ending is that of its first bytes, and return what has come in.

    Raises SheetEmpty, SheetTooLarge as soon as one byte too many arrives, and NoRoomForFile.  Whatever is raised, also by the
    chunks, no file stays.
    """
    part, limit = path.with_suffix(".part"), limit_mib << 20
    with _room(part), os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        digest, head, size = hashlib.sha256(), b"", 0
        async for block in _blocks(_within(chunks, limit, limit_mib)):
            head = head or block[:HEAD_BYTES]
            size += len(block)
            await _in_thread(partial(_take, block, file, digest.update))
        if not size:
            raise SheetEmpty
        await _in_thread(partial(os.fsync, file.fileno()))
        stored = f"{path.name}.{ending_of(head)}"
        part.rename(path.with_name(stored))
        return Received(stored, digest.hexdigest(), size)


# --- steps -----------------------------------------------------------------------------------------------


@contextmanager
def _room(part: Path) -> Iterator[None]:
    """Delete what an exception leaves behind.  A disk without room is a refusal."""
    try:
        yield
    except OSError as error:
        part.unlink(missing_ok=True)
        if error.errno in _FULL:
            raise NoRoomForFile from error
        raise
    except BaseException:
        part.unlink(missing_ok=True)
        raise


async def _within(chunks: AsyncIterable[bytes], limit: int, limit_mib: int) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise SheetTooLarge(limit=limit_mib)
        yield chunk


async def _blocks(chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in blocks that are worth a thread."""
    block = bytearray()
    async for chunk in chunks:
        block += chunk
        if len(block) >= _AT_ONCE:
            yield bytes(block)
            block.clear()
    if block:
        yield bytes(block)


async def _in_thread(work: Callable[[], object]) -> None:
    """Work in a thread.  A caller who is cancelled waits for it all the same, because it writes to a file that is then closed."""
    working = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        raise


def _take(block: bytes, file: BinaryIO, note: Callable[[bytes], None]) -> None:
    note(block)
    file.write(block)
    file.flush()
