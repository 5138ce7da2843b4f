"""Files that come in: streamed to the disk, hashed and limited, their user's alone, and gone when nothing uses them."""

import asyncio
import hashlib
import os
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

import tasks
from models import AuditEntry, ImportBatch, Upload
from models.attachment import with_files
from models.errors import Forbidden, NoRoomForFile, NotFound, SheetEmpty, SheetTooLarge, TooManyUploads, UploadsAtOnce
from resolvers.imports import uploads
from resolvers.imports.targets import targets
from resolvers.people import preferences
from resolvers.runtime.file_store import FileStore
from resolvers.runtime.incoming_file import Received
from tasks.engine import Engine
from tests.support.engines import at_length_on_postgresql
from tests.support.importing import Files
from tests.support.panel import COOKIE, Panel
from tests.support.programs import Program
from tests.support.refusals import add_line
from tests.support.world import World

XLSX = b"PK\x03\x04 and so on"


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        await asyncio.sleep(0)
        yield chunk


async def broken_off(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
    raise ConnectionResetError


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "files")


def take(store: FileStore, chunks: AsyncIterator[bytes], limit_mib: int = 1) -> Received:
    return asyncio.run(store.receive(chunks, limit_mib=limit_mib, ending_of=uploads.ending_of))


def lying_in(store: FileStore) -> list[str]:
    return sorted(path.name for path in store.folder.glob("*"))


# --- the disk --------------------------------------------------------------------------------------------


def test_a_file_in_pieces_lies_on_the_disk_as_it_was_sent_for_the_server_alone(store: FileStore) -> None:
    content = os.urandom(700_000)
    received = take(store, pieces(*[content[at : at + 9_999] for at in range(0, len(content), 9_999)], b""))

    path = store.path(received.stored)
    assert (path.read_bytes(), received.size) == (content, len(content))
    assert received.hash == hashlib.sha256(content).hexdigest()
    assert path.stat().st_mode & 0o777 == 0o600
    assert lying_in(store) == [received.stored]


@pytest.mark.parametrize(
    ("content", "ending"),
    [
        (XLSX, ".xlsx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ".xls"),
        ("名称\n华兴".encode("gb18030"), ".csv"),
        (b"P", ".csv"),
    ],
)
def test_the_ending_says_what_the_first_bytes_are(store: FileStore, content: bytes, ending: str) -> None:
    assert take(store, pieces(*[bytes([each]) for each in content])).stored.endswith(ending)


def test_the_largest_file_is_taken_and_one_byte_more_is_refused_before_the_rest_is_asked_for(store: FileStore) -> None:
    mib, asked = 1 << 20, 0

    async def too_much() -> AsyncIterator[bytes]:
        nonlocal asked
        for _ in range(64):
            asked += 1
            yield b"x" * (mib // 4 + 1)

    assert take(store, pieces(b"x" * mib)).size == mib
    with pytest.raises(SheetTooLarge) as refused:
        take(store, too_much())
    assert refused.value.say("zh").startswith("文件超过 1 MiB")
    assert asked == 4
    assert len(lying_in(store)) == 1


def test_nothing_stays_of_an_empty_file_or_one_that_breaks_off(store: FileStore) -> None:
    with pytest.raises(SheetEmpty):
        take(store, pieces(b"", b""))
    with pytest.raises(ConnectionResetError):
        take(store, broken_off(b"x" * 600_000))
    assert lying_in(store) == []


def test_nothing_stays_of_a_file_whose_reader_is_stopped(store: FileStore) -> None:
    async def stopped() -> None:
        async def endless() -> AsyncIterator[bytes]:
            while True:
                yield b"x" * 1000
                await asyncio.sleep(0)

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await store.receive(endless(), limit_mib=1000, ending_of=uploads.ending_of)

    asyncio.run(stopped())
    assert lying_in(store) == []


@contextmanager
def full_disk(bytes_left: int) -> Iterator[None]:
    """A disk on which a file can have so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_left, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_a_sentence_and_keeps_no_part(store: FileStore) -> None:
    with full_disk(300_000), pytest.raises(NoRoomForFile) as refused:
        take(store, pieces(*[b"x" * 100_000] * 8))
    assert refused.value.say("zh") == "服务器磁盘空间不足，暂时无法接收此文件。请联系管理员后重试。"
    assert lying_in(store) == []


# --- whose it is -----------------------------------------------------------------------------------------


@pytest.fixture
def files(world: World, tmp_path: Path) -> Files:
    return Files(world, tmp_path / "files")


def sent(world: World, login: str, content: bytes = XLSX, name: str = "客户.xlsx") -> int:
    scope = world.scope(login)
    received = world.run(uploads.receive(scope, pieces(content)))
    id: int = scope.do(uploads.keep, name, received)
    return id


NAMES = {
    "客户.xlsx": "客户.xlsx",
    "../../etc/passwd": "passwd",
    "C:\\Users\\li\\客户 2026.csv": "客户 2026.csv",
    "a\x00b\u202e\ud800.csv": "ab.csv",
    "..": "..",
    "": "–",
    "/": "–",
    "x" * 300 + ".xlsx": "x" * 195 + ".xlsx",
}


@at_length_on_postgresql
def test_a_name_is_kept_without_folders(world: World, files: Files) -> None:
    rows = [world.row(Upload, sent(world, "ada", name=name)) for name in NAMES]
    assert [row["name"] for row in rows] == [*NAMES.values()]
    assert {world.backend.files.path(row["stored"]).parent for row in rows} == {world.backend.files.folder}


def test_an_upload_becomes_an_import_of_its_user_once(world: World, files: Files) -> None:
    id = sent(world, "ada", files.sheet([["客户名称"], ["华兴"]]))
    with pytest.raises(NotFound):
        world.scope("lead").do(uploads.begin, "customer", id)
    made = world.scope("ada").do(uploads.begin, "customer", id)
    files.run()

    row = world.row(ImportBatch, made)
    assert (row["state"], row["rows"], row["file_name"]) == ("READ", 1, "客户.xlsx")
    with pytest.raises(NotFound):
        world.scope("ada").do(uploads.begin, "customer", id)


@at_length_on_postgresql
def test_a_refused_import_leaves_the_upload_for_another_try(world: World, files: Files) -> None:
    id = sent(world, "ada")
    with pytest.raises(Exception, match="cannot be imported"):
        world.scope("ada").do(uploads.begin, "engine", id)
    assert world.scope("ada").do(uploads.begin, "customer", id)


def deny_files(world: World) -> None:
    """The lead may neither import nor edit what has files of its own."""
    for module in {each.model.module for each in targets()}:
        add_line(world, f"p, sales_lead, {module}, import, all, any, deny")
    for model in with_files().values():
        add_line(world, f"p, sales_lead, {model.module}, edit, all, any, deny")


@at_length_on_postgresql
def test_who_may_import_nothing_sends_nothing(world: World, files: Files) -> None:
    deny_files(world)
    with pytest.raises(Forbidden) as refused:
        sent(world, "lead")
    assert "导入" in refused.value.say("zh")


@at_length_on_postgresql
def test_one_user_has_so_many_unused_files_and_others_are_not_kept_out(
    world: World, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MAX_UPLOADS", 2)
    for _ in range(2):
        sent(world, "ada")
    with pytest.raises(TooManyUploads) as refused:
        sent(world, "ada")
    assert refused.value.say("zh").startswith("您有 2 个已上传的文件")
    assert len(lying_in(world.backend.files)) == 2
    sent(world, "lead")


@at_length_on_postgresql
def test_few_files_of_one_user_arrive_at_once(world: World, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_ARRIVING", 1)
    scope = world.scope("ada")

    async def two() -> None:
        arrives = asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            arrives.set()
            yield XLSX
            await goes_on.wait()

        goes_on = asyncio.Event()
        first = asyncio.create_task(uploads.receive(scope, slow()))
        await arrives.wait()
        with pytest.raises(UploadsAtOnce):
            await uploads.receive(scope, pieces(XLSX))
        goes_on.set()
        await first
        await uploads.receive(scope, pieces(XLSX))

    world.run(two())


@at_length_on_postgresql
def test_a_file_that_is_refused_at_the_end_is_deleted(
    world: World, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope = world.scope("ada")
    received = world.run(uploads.receive(scope, pieces(XLSX)))
    monkeypatch.setattr(uploads, "MAX_UPLOADS", 0)
    with pytest.raises(TooManyUploads):
        scope.do(uploads.keep, "x.xlsx", received)
    assert lying_in(world.backend.files) == []


def test_what_nothing_has_used_for_a_day_is_deleted(world: World, files: Files) -> None:
    tasks.load()
    old = sent(world, "ada")
    world.clock.pass_by(hours=20)
    new = sent(world, "ada")
    used = world.scope("ada").do(uploads.begin, "customer", sent(world, "ada"))
    world.clock.pass_by(hours=5)
    with pytest.raises(NotFound):
        world.scope("ada").do(uploads.begin, "customer", old)
    Engine(world.backend, "test").run_due()

    assert [row["id"] for row in world.rows(Upload)] == [new]
    kept = {world.row(Upload, new)["stored"], world.row(ImportBatch, used)["file"]}
    assert set(lying_in(world.backend.files)) == kept


# --- the door --------------------------------------------------------------------------------------------


def post(world: World, address: str = "/files?name=a.csv", *, by: str | None = "ada", **more: Any) -> httpx.Response:
    """What the door answers to a program of a user, or to one without a token."""
    return Program(world, by).post(address, **more)


def problem(answer: httpx.Response) -> tuple[int, str, str]:
    (error,) = answer.json()["errors"]
    return answer.status_code, error["extensions"]["code"], error["message"]


@at_length_on_postgresql
def test_a_form_or_a_bare_body_is_taken(world: World, files: Files) -> None:
    content = files.sheet([["客户名称"], ["华兴"]])
    form = post(world, "/files", files={"file": ("客户.xlsx", content)}, data={"note": "x"})
    assert (form.status_code, form.json()) == (201, {"id": "upl_1", "name": "客户.xlsx", "size": len(content)})
    assert form.headers["cache-control"] == "private, no-store"
    bare = post(world, "/files?name=%E5%AE%A2%E6%88%B7.xlsx", content=content)
    assert bare.json() == {"id": "upl_2", "name": "客户.xlsx", "size": len(content)}
    said = post(
        world, "/files", content=content, headers={"content-disposition": "attachment; filename*=UTF-8''%E5%AE%A2.xlsx"}
    )
    assert said.json()["name"] == "客.xlsx"
    assert {row["hash"] for row in world.rows(Upload)} == {hashlib.sha256(content).hexdigest()}
    assert {world.backend.files.path(row["stored"]).read_bytes() for row in world.rows(Upload)} == {content}


@at_length_on_postgresql
def test_a_body_in_chunks_without_a_length_is_taken(world: World, files: Files) -> None:
    answer = post(world, content=pieces(*[b"a,b\n"] * 500))
    assert (answer.status_code, answer.json()["size"]) == (201, 2000)


@at_length_on_postgresql
def test_a_form_that_arrives_byte_by_byte_is_the_same_form(world: World, files: Files) -> None:
    content = b"a,b\r\n--x\r\n1,2"
    body = (
        b'--x-y\r\ncontent-disposition: form-data; name="target"\r\n\r\ncustomer\r\n'
        b'--x-y\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\ncontent-type: text/csv\r\n\r\n'
        + content
        + b"\r\n--x-y--\r\n"
    )
    one_by_one = pieces(*[bytes([each]) for each in body])
    answer = post(world, "/files", content=one_by_one, headers={"content-type": "multipart/form-data; boundary=x-y"})
    assert (answer.status_code, answer.json()["name"]) == (201, "a.csv")
    (row,) = world.rows(Upload)
    assert world.backend.files.path(row["stored"]).read_bytes() == content


FORM = {"content-type": "multipart/form-data; boundary=x"}
PART = b'--x\r\ncontent-disposition: form-data; name="file"; filename="%b"\r\n\r\n%b\r\n'


REFUSED: list[tuple[str, dict[str, str], bytes, int, str, str]] = [
    ("/files", {}, b"a", 400, "VALIDATION", "请说明文件名"),
    ("/files?name=a.csv", {}, b"", 400, "SHEET_EMPTY", "文件中没有内容"),
    ("/files?name=a.csv", {}, b"x" * ((1 << 20) + 1), 413, "SHEET_TOO_LARGE", "文件超过 1 MiB"),
    ("/files?name=a.csv", {"content-encoding": "gzip"}, b"a", 415, "UNSUPPORTED_MEDIA_TYPE", "Send the body"),
    ("/files", FORM, PART % (b"a.csv", b""), 400, "VALIDATION", "表单未完整到达"),
    ("/files", FORM, PART % (b"a.csv", b"") + b"--x--\r\n", 400, "SHEET_EMPTY", "文件中没有内容"),
    ("/files", FORM, PART % (b"", b"") + b"--x--\r\n", 400, "VALIDATION", "请选择文件"),
    ("/files", FORM, b"--x--\r\n", 400, "VALIDATION", "请选择文件"),
    ("/files", FORM, b"nonsense", 400, "VALIDATION", "表单未完整到达"),
    ("/files", FORM, PART % (b"a", b"1") + PART % (b"b", b"2") + b"--x--\r\n", 400, "VALIDATION", "每次只能"),
    (
        "/files",
        FORM,
        b'--x\r\ncontent-disposition: form-data; name="t"\r\n\r\n' + b"t" * 70_000 + b"\r\n--x--\r\n",
        400,
        "VALIDATION",
        "表单中除文件外",
    ),
    ("/files", {"content-type": "multipart/form-data"}, b"a", 400, "VALIDATION", "请选择文件"),
]


@at_length_on_postgresql
def test_what_is_no_file_is_refused_in_words_of_the_reader_and_leaves_nothing(world: World, files: Files) -> None:
    world.backend.import_limits = {"file_mib": 1}
    world.scope("ada").do(preferences.set_language, "zh")
    ada = Program(world, "ada")
    for address, headers, content, status, code, sentence in REFUSED:
        for body in (content, pieces(content)):
            answer = ada.post(address, headers=headers, content=body)
            assert problem(answer)[:2] == (status, code), (headers, content[:99])
            assert problem(answer)[2].startswith(sentence)
    assert (world.rows(Upload), lying_in(world.backend.files)) == ([], [])


@at_length_on_postgresql
def test_an_announced_size_that_is_too_large_is_refused_before_a_byte_is_read(world: World, files: Files) -> None:
    async def unread() -> AsyncIterator[bytes]:
        raise AssertionError("asked for the body")
        yield b""

    world.backend.import_limits = {"file_mib": 1}
    answer = post(world, content=unread(), headers={"content-length": str(3 << 20)})
    assert problem(answer)[:2] == (413, "SHEET_TOO_LARGE")


@at_length_on_postgresql
def test_a_sender_who_goes_away_leaves_nothing(world: World, files: Files) -> None:
    async def gone() -> None:
        messages = [{"type": "http.request", "body": b"x" * 300_000, "more_body": True}, {"type": "http.disconnect"}]
        headers = [(b"authorization", f"Bearer {token}".encode()), (b"host", b"127.0.0.1:8000")]
        connection = {"type": "http", "method": "POST", "path": "/files", "raw_path": b"/files", "headers": headers}
        connection |= {"query_string": b"name=a.csv", "scheme": "http", "server": ("127.0.0.1", 8000), "root_path": ""}
        connection |= {"http_version": "1.1", "client": ("192.0.2.7", 5000), "asgi": {"version": "3.0"}}

        async def receive() -> dict[str, Any]:
            return messages.pop(0)

        async def send(_: Any) -> None:
            pass

        await Panel(world).app(connection, receive, send)
        assert messages == []

    token = Program(world, "ada").token
    world.run(gone())
    assert (world.rows(Upload), lying_in(world.backend.files)) == ([], [])
    assert not world.backend.files.arriving


@at_length_on_postgresql
def test_strangers_and_other_sites_send_nothing(world: World, files: Files) -> None:
    assert problem(post(world, by=None, content=b"a"))[:2] == (401, "UNAUTHENTICATED")
    wrong = post(world, by=None, content=b"a", headers={"authorization": "Bearer nonsense"})
    assert (wrong.status_code, wrong.headers["www-authenticate"]) == (401, "Bearer")
    browser = Panel(world).of("ada")
    cookie = {"cookie": f"{COOKIE}={browser.token}"}
    for foreign in ({}, {"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
        assert problem(post(world, by=None, content=b"a", headers=cookie | foreign))[:2] == (403, "CROSS_SITE")
    assert world.rows(Upload) == []
    ours = post(world, by=None, content=b"a", headers=cookie | {"sec-fetch-site": "same-origin"})
    assert ours.status_code == 201


@at_length_on_postgresql
def test_who_may_import_nothing_is_told_so_and_the_attempt_is_logged(world: World, files: Files) -> None:
    deny_files(world)
    status, code, sentence = problem(post(world, by="lead", content=b"a"))
    assert (status, code) == (403, "FORBIDDEN")
    assert sentence.startswith("Your roles do not allow")
    assert world.rows(AuditEntry)[-1]["outcome"] == "DENIED"


# --- the panel -------------------------------------------------------------------------------------------


@at_length_on_postgresql
def test_a_form_of_the_panel_refuses_a_file_in_the_language_of_its_reader(world: World, files: Files) -> None:
    world.backend.import_limits = {"file_mib": 1}
    world.scope("ada").do(preferences.set_language, "zh")
    browser, kind = Panel(world).of("ada"), FORM["content-type"]
    refused = {
        "文件超过 1 MiB。请拆分为多个文件，或删除其中的图片。": PART % (b"a.csv", b"x" * (1_200_000)) + b"--x--\r\n",
        "文件中没有内容。请在表格中保存数据后重新选择。": PART % (b"a.csv", b"") + b"--x--\r\n",
        "请选择文件。": PART % (b"", b"") + b"--x--\r\n",
        "表单未完整到达，请重新选择文件。": PART % (b"a.csv", b"1,2"),
    }
    for sentence, body in refused.items():
        answer = browser.post_raw("/admin/imports/new", body, kind)
        assert (answer.status_code, sentence in answer.text) == (422, True), sentence
    foreign = browser.post_raw("/admin/customer/create", b"x" * 1_000_001, kind)
    assert foreign.status_code == 413
    assert (world.rows(ImportBatch), lying_in(world.backend.files)) == ([], [])
