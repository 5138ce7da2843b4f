"""`millpond export`: a list as a file, with the rights of one person."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..progress import progress_bar
from ..terminal import backend, look, person, say, spelled, top_level

if TYPE_CHECKING:
    from models import Base
    from resolvers.exports.exports import Order
    from resolvers.runtime.scope import Scope

commands = top_level()

Kind = Annotated[str, typer.Argument(help="What to export, like customers, contacts or log.", show_default=False)]
File = Annotated[Path, typer.Argument(help="The file to write: .xlsx or .csv.", show_default=False)]


@commands.command("export")
def export(
    kind: Kind,
    file: File,
    *,
    login: Annotated[str, typer.Option("--as", help="The login of the person whose rights count.", show_default=False)],
    filter: Annotated[str, typer.Option(help="A condition as JSON, as saved views take it.")] = "{}",
    search: Annotated[str, typer.Option(help="What to search for.")] = "",
    columns: Annotated[str, typer.Option(help="Columns with commas.  [default: all that the person sees]")] = "",
    format: Annotated[str, typer.Option(help="xlsx or csv.  [default: as the file is called]")] = "",
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as JSON, for programs.")] = False,
) -> None:
    """Write a list into a file.  It holds what the person may see and export, and the operation log says so."""
    with backend() as at:
        import json

        from resolvers.exports import exports, writing
        from tasks.workbooks import book_for

        scope = person(at, login)
        order = _order(scope, kind, _json(filter), search, columns, _format(format, file))
        _refuse_to_overwrite(file, force=force)
        id = scope.do(exports.start, order, in_background=False)
        try:
            with progress_bar(silent=as_json) as told:
                writing.write_now(scope, id, book_for, told)
            found = scope.do(exports.download, id)
            _copy(at.files.path(found.stored), file)
            made = look(scope, exports.export, id)
        finally:
            scope.do(exports.delete, id)
    if as_json:
        about = {"file": str(file), "rows": made.row.done, "bytes": found.size, "columns": made.row.columns}
        typer.echo(json.dumps({**about, "filter": made.row.said}, ensure_ascii=False))
    else:
        say(f"{file} holds {made.row.done:,} rows.")


def _order(scope: "Scope", kind: str, asked: Any, search: str, columns: str, format: str) -> "Order":
    from models.export import ExportFormat, ExportRange
    from resolvers.exports.asked import asked_listing
    from resolvers.exports.exports import Order
    from resolvers.runtime.custom_fields import visible_book

    model = _model(kind)
    keys = tuple(key.strip() for key in columns.split(",") if key.strip())
    book = visible_book(scope.policy, scope.person)
    listing = asked_listing(
        model, ExportRange.FILTER, condition=asked, search=search, book=book, zone=scope.person.zone
    )
    return Order(model, listing, ExportRange.FILTER, keys, ExportFormat(format.upper()))


def _model(kind: str) -> "type[Base]":
    """`customers`, `customer` or `Customer`; `log` for the operation log.  Raises Validation."""
    from models.errors import Validation
    from resolvers.exports.kinds import exportable

    asked = {"log": "operation log"}.get(spelled(kind), spelled(kind))
    for model in exportable():
        names = model.names
        if asked in map(spelled, (model.__name__, names.one, names.many, names.zh, names.zh_many or "")):
            return model
    known = ", ".join(model.names.nouns for model in exportable())
    raise Validation(f"There is nothing called “{kind[:40]}”; choose {known}.", f"没有“{kind[:40]}”，可选：{known}。")


def _json(text: str) -> Any:
    import json

    from models.errors import Validation

    try:
        return json.loads(text)
    except ValueError:
        raise Validation("--filter is no JSON.", "--filter 不是有效的 JSON。") from None


def _format(asked: str, file: Path) -> str:
    from models.errors import Validation

    format = (asked or file.suffix).lower().lstrip(".")
    if format not in ("xlsx", "csv"):
        raise Validation(
            "Call the file .xlsx or .csv, or give --format.", "文件名须以 .xlsx 或 .csv 结尾，或指定 --format。"
        )
    return format


def _refuse_to_overwrite(file: Path, *, force: bool) -> None:
    from models.errors import Validation

    if file.exists() and not force:
        raise Validation(f"{file} is there already; --force writes over it.", f"{file} 已存在，使用 --force 可覆盖。")
    if not file.resolve().parent.is_dir():
        raise Validation(f"There is no folder {file.resolve().parent}.", f"文件夹 {file.resolve().parent} 不存在。")


def _copy(stored: Path, file: Path) -> None:
    """Copy a finished file, for its owner alone, and in one step: half a file is never there."""
    import os
    import shutil
    import tempfile

    number, part = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.resolve().parent)
    try:
        with os.fdopen(number, "wb") as to, stored.open("rb") as made:
            shutil.copyfileobj(made, to)
        os.replace(part, file)
    except BaseException:
        os.unlink(part)
        raise
