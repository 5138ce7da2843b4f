"""Files of records: what is taken, who sees and changes them, how they are sent, and where they go with their record."""

import hashlib
import io
import os
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from models import Attachment, Contact, Customer, FollowUp, Upload
from models.errors import (
    FileNotAllowed,
    FileOtherKind,
    FileTooLarge,
    Forbidden,
    InBin,
    Locked,
    NotFound,
    Refusal,
)
from resolvers.audit.history import of_record
from resolvers.customers.lock import lock
from resolvers.exports import housekeeping
from resolvers.files import attachments
from resolvers.files.content import MEDIA
from resolvers.imports import uploads
from resolvers.jobs.kinds import Work
from resolvers.merging.unmerge import unmerge
from resolvers.records import recycle_bin
from resolvers.runtime.ids import global_id
from tests.support.claim_checks import claim, unchanged
from tests.support.graphql import Api
from tests.support.merging import contact, follow_up, merged
from tests.support.panel import ORIGIN
from tests.support.programs import Program
from tests.support.world import World

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40
PDF = b"%PDF-1.7\n%\xe2\xe3\n1 0 obj"


def office(folder: str) -> bytes:
    book = io.BytesIO()
    with zipfile.ZipFile(book, "w") as packed:
        packed.writestr("[Content_Types].xml", "<Types/>")
        packed.writestr(f"{folder}/document.xml", "<x/>")
    return book.getvalue()


SAMPLES: dict[str, bytes] = {
    "pdf": PDF,
    "png": PNG,
    "jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF",
    "gif": b"GIF89a\x01\x00\x01\x00",
    "webp": b"RIFF\x24\x00\x00\x00WEBPVP8 ",
    "docx": office("word"),
    "xlsx": office("xl"),
    "pptx": office("ppt"),
    "doc": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 30,
    "txt": "合同条款\n第一条".encode("gb18030"),
    "csv": "名称,电话\n".encode() * 600,
}
NEVER: dict[str, bytes] = {
    "a.exe": b"MZ\x90\x00",
    "a.pdf": b"MZ\x90\x00",
    "a.txt": b"<html><script>alert(1)</script>",
    "b.txt": b"\xef\xbb\xbf  <!DOCTYPE html>",
    "a.svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "b.png": b'<?xml version="1.0"?><svg><script/></svg>',
    "a.sh": b"#!/bin/sh\nrm -rf /",
    "c.txt": b"\x7fELF\x02\x01",
    "a": b"plain",
    "a.html": b"plain words",
}


async def pieces(content: bytes) -> AsyncIterator[bytes]:
    yield content


def sent(world: World, login: str, content: bytes, name: str) -> int:
    scope = world.scope(login)
    received = world.run(uploads.receive(scope, pieces(content)))
    id: int = scope.do(uploads.keep, name, received)
    return id


def attached(world: World, login: str, model: Any, record: int, content: bytes = PDF, name: str = "合同.pdf") -> int:
    upload = sent(world, login, content, name)
    (id,) = world.scope(login).do(attachments.add, model, record, [upload])
    return int(id)


def names(world: World, login: str, model: Any, record: int) -> list[str]:
    found = world.run(world.scope(login).read(attachments.files_of, model, record))
    return [each.row.name for each in found]


# --- what is taken ---------------------------------------------------------------------------------------


def test_each_kind_is_known_by_its_bytes_and_refused_under_a_foreign_name(kept: World) -> None:
    customer = kept.customer()
    for ending, content in SAMPLES.items():
        id = attached(kept, "li", Customer, customer, content, f"名 {ending}.{ending.upper()}")
        assert kept.row(Attachment, id)["media"] == MEDIA[ending]
    wrong = sent(kept, "li", PNG, "a.pdf")
    with unchanged(kept), pytest.raises(FileOtherKind) as refused:
        kept.li.do(attachments.add, Customer, customer, [wrong])
    assert refused.value.say("zh") == (
        "“a.pdf”的内容与文件名不符：实际为PNG 图片。未添加任何文件。请用正确的扩展名保存后重新选择。"
    )


def test_what_runs_or_shows_in_a_browser_is_never_taken(kept: World) -> None:
    customer, kept.backend.file_limits = kept.customer(), {"mib": 1, "types": (*MEDIA, "html", "svg", "exe", "sh")}
    for name, content in NEVER.items():
        upload = sent(kept, "li", content, name)
        with pytest.raises(FileNotAllowed):
            kept.li.do(attachments.add, Customer, customer, [upload])
        kept.li.do(uploads.delete, upload)
    large = sent(kept, "li", PDF + b"x" * (1 << 20), "a.pdf")
    with pytest.raises(FileTooLarge) as refused:
        kept.li.do(attachments.add, Customer, customer, [large])
    assert refused.value.say() == "“a.pdf” is larger than 1 MiB. Make it smaller, or keep a link to it instead."
    assert names(kept, "li", Customer, customer) == []


def test_the_same_bytes_lie_there_once_and_go_with_the_last_record(kept: World) -> None:
    one, two = kept.customer("One"), kept.customer("Two")
    first, second = (attached(kept, "li", Customer, each) for each in (one, two))
    path = kept.backend.files.content(hashlib.sha256(PDF).hexdigest())
    assert (path.read_bytes(), path.stat().st_mode & 0o777, kept.rows(Upload)) == (PDF, 0o600, [])
    assert len([*path.parent.iterdir()]) == 1

    def clean() -> None:
        os.utime(path, (0, 0)) if path.exists() else None
        kept.system.do(_tidied)

    kept.li.do(attachments.remove, [first])
    kept.clock.pass_by(days=31)
    clean()
    assert ([row["id"] for row in kept.rows(Attachment)], path.exists()) == ([second], True)
    kept.scope("ada").do(recycle_bin.delete, Customer, [two])
    kept.scope("ada").do(recycle_bin.purge, Customer, [two], confirm=True)
    clean()
    assert (kept.rows(Attachment), path.exists()) == ([], False)


def _tidied(scope: Any) -> None:
    for _ in range(4):
        with scope.write("system.tidy") as db:
            housekeeping.expire(scope, db, Work({}, 0, 100, {}))


# --- whose they are --------------------------------------------------------------------------------------


def test_the_rights_are_those_of_the_record(kept: World) -> None:
    customer = kept.customer(owner="li")
    person = contact(kept, customer, "Ann")
    said = follow_up(kept, customer)
    for model, record in ((Customer, customer), (Contact, person), (FollowUp, said)):
        id = attached(kept, "ada", model, record)
        seen = {login: names(kept, login, model, record) for login in ("li", "lead", "wu", "mei")}
        assert seen == {"li": ["合同.pdf"], "lead": ["合同.pdf"], "wu": [], "mei": []}
        upload = sent(kept, "mei", PDF, "a.pdf")
        with pytest.raises(NotFound):
            kept.mei.do(attachments.add, model, record, [upload])
        with pytest.raises(NotFound):
            kept.mei.do(attachments.remove, [id])
        kept.mei.do(uploads.delete, upload)
    looked = sent(kept, "ada", PDF, "a.pdf")
    with pytest.raises(NotFound):  # another user's upload
        kept.li.do(attachments.add, Customer, customer, [looked])


def test_who_may_only_look_adds_and_removes_nothing(kept: World) -> None:
    customer = kept.customer(owner="li")
    id = attached(kept, "li", Customer, customer)
    assert names(kept, "fin", Customer, customer) == ["合同.pdf"]
    with pytest.raises(Forbidden):
        kept.fin.do(attachments.remove, [id])
    assert kept.log("customer", customer)[-1]["outcome"] == "DENIED"


def test_a_pool_hides_files_from_its_members_until_they_claim(kept: World) -> None:
    pooled = kept.customer(pool="north")
    person = contact(kept, pooled, "Ann")
    for model, record in ((Customer, pooled), (Contact, person)):
        id = global_id(Attachment, attached(kept, "ada", model, record))
        assert (names(kept, "ada", model, record), names(kept, "li", model, record)) == (["合同.pdf"], [])
        assert sent_to(kept, "li", f"/files/{id}").status_code == 404
    claimed = claim(kept, "li", pooled)
    assert (claimed.ids, names(kept, "li", Customer, pooled)) == ([pooled], ["合同.pdf"])
    assert "合同.pdf" not in told(kept, "wu", pooled)


def told(world: World, login: str, customer: int) -> str:
    """What the history of a customer says to a user."""
    try:
        return str(world.run(world.scope(login).read(of_record, Customer, customer)))
    except NotFound:
        return ""


def test_a_lock_closes_files_for_all_but_the_owner(kept: World) -> None:
    customer = kept.customer(owner="li")
    id = attached(kept, "li", Customer, customer)
    assert kept.li.do(lock, [customer], "Audit").ids == [customer]
    assert (names(kept, "li", Customer, customer), names(kept, "ada", Customer, customer)) == (["合同.pdf"], [])
    with pytest.raises((NotFound, Locked)):
        kept.ada.do(attachments.remove, [id])
    kept.li.do(attachments.remove, [id])


# --- what becomes of them --------------------------------------------------------------------------------


def test_adding_and_removing_is_logged_and_can_be_undone(kept: World) -> None:
    customer = kept.customer()
    id = attached(kept, "li", Customer, customer)
    kept.li.do(attachments.remove, [id])
    assert names(kept, "li", Customer, customer) == []
    kept.li.do(attachments.restore, [id])
    assert names(kept, "li", Customer, customer) == ["合同.pdf"]
    told = [(row["action"], row["changes"].get("files")) for row in kept.log("customer", customer)[-3:]]
    assert told == [
        ("customer.attach", [None, ["合同.pdf"]]),
        ("customer.detach", [["合同.pdf"], None]),
        ("customer.attach", [None, ["合同.pdf"]]),
    ]
    kept.li.do(attachments.remove, [id])
    kept.clock.pass_by(days=31)
    with pytest.raises(NotFound):
        kept.li.do(attachments.restore, [id])


def test_files_lie_in_the_bin_with_their_record_and_come_back(kept: World) -> None:
    customer = kept.customer()
    id = attached(kept, "li", Customer, customer)
    kept.scope("ada").do(recycle_bin.delete, Customer, [customer])
    assert names(kept, "li", Customer, customer) == []
    with pytest.raises(InBin):
        kept.scope("ada").do(attachments.remove, [id])
    kept.scope("ada").do(recycle_bin.restore, Customer, [customer])
    assert names(kept, "li", Customer, customer) == ["合同.pdf"]


def test_files_follow_a_merge_and_its_undoing(kept: World) -> None:
    first, second = kept.customer("Otter Ltd"), kept.customer("Otter")
    mine, theirs = (contact(kept, each, "Ann", "138 0013 8000") for each in (first, second))
    attached(kept, "li", Customer, second)
    attached(kept, "li", Contact, theirs, PNG, "card.png")
    merged(kept, first, second)
    assert names(kept, "ada", Customer, first) == ["合同.pdf"]
    assert names(kept, "ada", Contact, mine) == ["card.png"]
    kept.scope("ada").do(unmerge, winner_id=first)
    assert (names(kept, "ada", Customer, first), names(kept, "ada", Customer, second)) == ([], ["合同.pdf"])
    assert names(kept, "ada", Contact, theirs) == ["card.png"]


# --- how they are sent -----------------------------------------------------------------------------------


def sent_to(world: World, login: str, address: str) -> httpx.Response:
    """What a program of the user gets from this address."""
    program = Program(world, login)

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(program.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            return await client.get(address, headers={"authorization": f"Bearer {program.token}"})

    return world.run(ask())


def test_a_download_is_never_shown_and_a_picture_runs_nothing(kept: World) -> None:
    customer, long = kept.customer(owner="li"), "很长的合同名称" * 20 + '"; x=.png'
    id = global_id(Attachment, attached(kept, "li", Customer, customer, PNG, long))
    answer = sent_to(kept, "li", f"/files/{id}")
    head = answer.headers
    assert (answer.status_code, answer.content) == (200, PNG)
    assert head["content-disposition"].startswith("attachment; filename*=utf-8''%E5%BE%88")
    assert head["content-type"] == "application/octet-stream"
    assert (head["x-content-type-options"], head["content-security-policy"]) == (
        "nosniff",
        "default-src 'none'; sandbox",
    )
    shown = sent_to(kept, "li", f"/files/{id}/picture")
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/png")
    assert shown.headers["content-security-policy"] == "default-src 'none'; sandbox"
    paper = global_id(Attachment, attached(kept, "li", Customer, customer))
    assert sent_to(kept, "li", f"/files/{paper}/picture").status_code == 409
    for login in ("mei", "wu"):
        refused = [
            sent_to(kept, login, f"/files/{each}{more}") for each in (id, paper, "att_999") for more in ("", "/picture")
        ]
        assert {each.status_code for each in refused} == {404}
    kept.backend.files.content(hashlib.sha256(PDF).hexdigest()).unlink()
    assert sent_to(kept, "li", f"/files/{paper}").status_code == 410


def test_all_uploads_are_kept_or_none(kept: World) -> None:
    customer = kept.customer()
    both = [sent(kept, "li", PDF, "a.pdf"), sent(kept, "li", PNG, "b.pdf")]
    with unchanged(kept), pytest.raises(Refusal):
        kept.li.do(attachments.add, Customer, customer, both)
    kept.li.do(attachments.add, Customer, customer, both[:1])
    with pytest.raises(NotFound):  # an upload is used once
        kept.li.do(attachments.add, Customer, customer, both[:1])


def test_a_file_out_of_sight_is_refused_like_one_that_is_missing(kept: World) -> None:
    """Or numbers of files would tell whose they are."""
    id, api = global_id(Attachment, attached(kept, "li", Customer, kept.customer(owner="li"))), Api(kept)

    for field in ("removeFiles", "restoreFiles"):
        shown, missing = (
            str(api.change("mei", field, {"ids": [each]}, "problems { code message params recordId }")).replace(
                each, "X"
            )
            for each in (id, "att_987654")
        )
        assert shown == missing
        assert "NOT_FOUND" in shown
