"""Files of the demo: a contract and a photo of a plant, which Li keeps with her first customers."""

import asyncio
import struct
import zlib
from collections.abc import AsyncIterator

from sqlalchemy import select

from models import Customer
from models.database.bypass import Because, bypass_policy
from resolvers.files import attachments
from resolvers.imports import uploads
from resolvers.runtime.backend import Backend
from resolvers.runtime.scope import Scope

CUSTOMERS = 6
"""Number of customers with files."""
CONTRACT = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n"


def add(backend: Backend) -> None:
    """Keep the files as Li would."""
    li = backend.scope(backend.person("li"), "panel")
    for id in li.do(_mine):
        kept = [_sent(li, "供货合同 Supply contract.pdf", CONTRACT), _sent(li, "厂区照片 Plant.png", picture())]
        li.do(attachments.add, Customer, id, kept)


def _mine(scope: Scope) -> list[int]:
    with scope.write("user.files") as db:
        mine = select(Customer.id).where(Customer.owner_id == scope.me, Customer.deleted_at.is_(None))
        free = mine.where(Customer.locked_at.is_(None), Customer.merged_into_id.is_(None))
        options = bypass_policy(Because.FOLLOWS_CHECK)
        return list(db.execute(free.order_by(Customer.id).limit(CUSTOMERS), execution_options=options).scalars())


def _sent(scope: Scope, name: str, content: bytes) -> int:
    received = asyncio.run(scope.backend.files.receive(_piece(content), limit_mib=1, ending_of=uploads.ending_of))
    id: int = scope.do(uploads.keep, name, received)
    return id


async def _piece(content: bytes) -> AsyncIterator[bytes]:
    yield content


def picture(width: int = 96, height: int = 64) -> bytes:
    """A small PNG: a roof before an evening sky."""
    rows = b"".join(b"\x00" + b"".join(_pixel(x, y, height) for x in range(width)) for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )


def _pixel(x: int, y: int, height: int) -> bytes:
    is_roof = y > height // 2 + abs(x % 32 - 16) // 2
    return bytes((70, 80, 95)) if is_roof else bytes((240 - y, 170 + y, 120 + 2 * y))
