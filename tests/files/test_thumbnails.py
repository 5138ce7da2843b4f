"""Thumbnails: small, turned as the camera was held, with the rights of the record, and none of what is no picture."""

import io

import pytest
from PIL import Image

from models import Attachment, Customer
from resolvers.files import thumbnails
from resolvers.runtime.ids import global_id
from tests.support.world import World

from .test_attachments import attached, sent_to

TURNED = 6
"""The orientation of a camera that was held upright."""


def picture(size: tuple[int, int], form: str, **more: object) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, "navy").save(made, form, **more)
    return made.getvalue()


def upright() -> bytes:
    exif = Image.Exif()
    exif[274] = TURNED
    return picture((1200, 600), "JPEG", exif=exif)


@pytest.fixture(autouse=True)
def _few_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thumbnails, "MOST_PIXELS", 1_000_000)


@pytest.mark.parametrize(
    ("content", "name", "size"),
    [
        (picture((1000, 500), "PNG"), "a.png", (256, 128)),
        (picture((40, 20), "GIF"), "a.gif", (40, 20)),
        (picture((1000, 500), "WEBP"), "a.webp", (256, 128)),
        (upright(), "a.jpg", (128, 256)),
    ],
    ids=["png", "a small gif", "webp", "an upright photo"],
)
def test_a_picture_has_a_small_copy(kept: World, content: bytes, name: str, size: tuple[int, int]) -> None:
    customer = kept.customer(owner="li")
    id = global_id(Attachment, attached(kept, "li", Customer, customer, content, name))

    shown = [sent_to(kept, "li", f"/files/{id}/thumbnail") for _ in range(2)]

    for answer in shown:
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        with Image.open(io.BytesIO(answer.content)) as small:
            assert small.size == size
    assert sent_to(kept, "wu", f"/files/{id}/thumbnail").status_code == 404


def test_a_broken_or_huge_picture_and_a_paper_have_none(kept: World) -> None:
    customer, whole = kept.customer(owner="li"), picture((1000, 500), "PNG")
    for content, name in (
        (whole[: len(whole) // 2], "broken.png"),
        (picture((1001, 1000), "PNG"), "huge.png"),
        (b"%PDF-1.7 paper", "paper.pdf"),
    ):
        id = global_id(Attachment, attached(kept, "li", Customer, customer, content, name))
        answer = sent_to(kept, "li", f"/files/{id}/thumbnail")
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (409, "NO_PICTURE"), name
    assert [*kept.backend.files.folder.rglob("*.part")] == []


def test_a_small_copy_goes_with_its_picture(kept: World) -> None:
    customer = kept.customer(owner="li")
    id = global_id(Attachment, attached(kept, "li", Customer, customer, picture((300, 300), "PNG"), "a.png"))
    sent_to(kept, "li", f"/files/{id}/thumbnail")
    files = kept.backend.files

    assert files.sweep_content(lambda _hash: True, -60) == 0
    assert files.sweep_content(lambda _hash: False, -60) == 2
