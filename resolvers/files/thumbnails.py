"""Thumbnails: small copies of pictures, made when one is asked for first, and kept beside the bytes of the picture."""

from pathlib import Path

from PIL import Image, ImageOps

from ..runtime.file_store import FileStore

SIDE = 256
"""Maximum width and height of a thumbnail in pixels."""
MOST_PIXELS = 50_000_000
"""Maximum number of pixels of a picture that is decoded: some 200 MB of memory."""
MEDIA = "image/webp"
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
_UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError)
"""What Pillow raises for bytes that are no picture, or a broken one."""


def thumbnail(files: FileStore, hash: str) -> Path | None:
    """Where the thumbnail of the picture with this hash lies, turned as its camera was held; its first frame alone.

    None for a picture that is broken or has too many pixels.
    """
    path = files.thumbnail(hash)
    if path.exists():
        return path
    part = path.with_name(f"{files.new_name()}.part")
    try:
        with Image.open(files.content(hash), formats=_FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                return None
            picture.draft("RGB", (SIDE * 2, SIDE * 2))
            small = ImageOps.exif_transpose(picture)
            small.thumbnail((SIDE, SIDE))
            small.convert("RGBA" if "transparency" in small.info or "A" in small.mode else "RGB").save(part, "WEBP")
    except _UNREADABLE:
        part.unlink(missing_ok=True)
        return None
    part.chmod(0o600)
    part.replace(path)
    return path
