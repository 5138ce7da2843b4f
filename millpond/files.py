"""Static files: scripts, style sheets, icons."""

import asyncio
import gzip
import hashlib
import mimetypes
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response


class Assets:
    """The static files below some folders, read into memory.

    Browsers may cache them for ever, because the address holds a hash of the content.
    """

    def __init__(self, *roots: Path) -> None:
        self._files = {
            path.relative_to(root).as_posix(): path.read_bytes()
            for root in roots
            for path in sorted(root.rglob("*"))
            if path.suffix in (".js", ".css", ".svg")
        }
        self._hashes = {name: hashlib.sha256(body).hexdigest()[:12] for name, body in self._files.items()}
        self._packed: dict[str, bytes] = {}

    def address(self, name: str) -> str:
        """The path at which a file is served.  Raises KeyError for a file that does not exist."""
        return f"/assets/{self._hashes[name]}/{name}"

    async def page(self, request: Request) -> Response:
        """The file, compressed where the browser accepts that; 404 for an unknown file or hash."""
        name = request.path_params["file"]
        if self._hashes.get(name) != request.path_params["hash"]:
            raise HTTPException(404)
        headers = {
            "cache-control": "public, max-age=31536000, immutable",
            "content-type": mimetypes.guess_type(name)[0] or "application/octet-stream",
            "vary": "Accept-Encoding",
        }
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(self._files[name], headers=headers)
        if name not in self._packed:
            self._packed[name] = await asyncio.to_thread(gzip.compress, self._files[name])
        return Response(self._packed[name], headers=headers | {"content-encoding": "gzip"})
