"""`millpond import`: a file of records, checked and brought in with the rights of one person."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..progress import progress_bar
from ..terminal import backend, look, person, say, spelled, top_level

if TYPE_CHECKING:
    from models import ImportBatch
    from resolvers.imports.mapping import Plan
    from resolvers.runtime.backend import Backend
    from resolvers.runtime.scope import Scope

commands = top_level()
SHOWN = 20
"""Maximum number of rows whose reasons people are told."""
LOOK_SECONDS = 0.2

Target = Annotated[str, typer.Argument(help="What the file holds, like customers or contacts.", show_default=False)]
File = Annotated[Path | None, typer.Argument(help="The file: .xlsx, .xls or .csv.", show_default=False)]


@commands.command("import")
def import_file(
    target: Target = "",
    file: File = None,
    *,
    login: Annotated[str, typer.Option("--as", help="The login of the person whose rights count.", show_default=False)],
    check: Annotated[
        bool, typer.Option("--check", help="Say what would become of each row, and change nothing.")
    ] = False,
    mode: Annotated[str, typer.Option(help="insert, update or upsert.")] = "insert",
    key: Annotated[str, typer.Option(help="The fields that find a record, with commas, for update and upsert.")] = "",
    columns: Annotated[
        list[str] | None,
        typer.Option("--map", help="A heading and its field, like “Telefon=phone”; empty leaves it out."),
    ] = None,
    pool: Annotated[str, typer.Option(help="The pool for all rows, by its name.")] = "",
    template: Annotated[
        Path | None,
        typer.Option("--template", help="Write an .xlsx to fill in to this path, instead of bringing a file in."),
    ] = None,
    undo: Annotated[str, typer.Option(help="Undo an import, like imp_3, instead of bringing a file in.")] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what became of the rows as JSON, for programs.")
    ] = False,
) -> None:
    """Bring the rows of a file in, under the rules that forms have, or undo that.  Exit status 1 when a row stayed behind."""
    with backend() as at:
        scope = person(at, login)
        if template is not None:
            _write_template(scope, target, template)
            return
        with _steps(at, scope) as run:
            if undo:
                id = _undo(scope, undo, run, silent=as_json)
            else:
                id = _begin(at, scope, target, file)
                with _given_up_when_refused(scope, id):
                    _refuse_unread(run(id, "UPLOADED", None))
                    _map(scope, id, _plan(scope, id, columns or [], mode, key, pool))
                run(id, "MAPPED", None)
                if not check:
                    _confirm(scope, id)
                    with progress_bar(silent=as_json) as told:
                        run(id, "APPLYING", told)
            counts, reasons, notices = look(scope, _became, id)
            if check:
                _cancel(scope, id)
        _tell(id, counts, reasons, [] if undo else notices, as_json=as_json)
    if reasons or "KEPT" in counts:
        raise typer.Exit(1)


# --- steps -----------------------------------------------------------------------------------------------


def _begin(at: "Backend", scope: "Scope", target: str, file: Path | None) -> int:
    """The id of a new import of the file, which is copied into the store."""
    import hashlib

    from models.errors import Validation
    from resolvers.imports import batches

    if file is None:
        raise Validation("Say what to import, and name the file.", "请指定导入内容和文件。")
    stored, digest = batches.stored_name(file.suffix.lower().lstrip(".")[:5] or "csv"), hashlib.sha256()
    try:
        with file.open("rb") as given, at.files.opened(stored) as kept:
            while some := given.read(1 << 20):
                digest.update(some)
                kept.write(some)
    except OSError as error:
        raise Validation(f"{file} cannot be read: {error.strerror}.", f"无法读取 {file}：{error.strerror}。") from None
    id: int = scope.do(batches.begin, _code(target), file.name, stored, digest.hexdigest())
    return id


def _code(name: str) -> str:
    """`customers`, `customer` or 客户 -> `customer`.  Raises Validation."""
    from models.errors import Validation
    from resolvers.imports.targets import targets

    for each in targets():
        names = each.names
        known_as = (each.code, f"{each.code}s", names.one, names.many, names.zh, names.zh_many or "")
        if spelled(name) in map(spelled, known_as):
            return each.code
    known = ", ".join(each.names.nouns for each in targets())
    raise Validation(f"There is nothing called “{name[:40]}”; choose {known}.", f"没有“{name[:40]}”，可选：{known}。")


def _write_template(scope: "Scope", target: str, path: Path) -> None:
    """A workbook with the fields that the person may import now."""
    from models.errors import Validation
    from resolvers.imports.templates import template
    from tasks.workbooks.template_book import written

    try:
        path.write_bytes(written(look(scope, template, _code(target))))
    except OSError as error:
        raise Validation(
            f"{path} cannot be written: {error.strerror}.", f"无法写入 {path}：{error.strerror}。"
        ) from None


def _steps(at: "Backend", scope: "Scope") -> Any:
    """Runs the jobs of an import here, until it has left a state; a worker that runs may take them first."""
    import time
    from contextlib import contextmanager

    import tasks
    from resolvers.imports import batches
    from tasks.engine import Engine
    from tasks.lookout import lookout

    @contextmanager
    def opened() -> Any:
        tasks.load()
        here = lookout(at.url)
        engine = Engine(at, here.name, kinds=(batches.READ, batches.CHECK, batches.APPLY, batches.UNDO))

        def run(id: int, state: str, told: Callable[[int, int | None], None] | None) -> "ImportBatch":
            while (row := look(scope, batches.find, id)).state == state:
                if told is not None:
                    told(row.position, row.rows)
                if not engine.run_one():
                    time.sleep(LOOK_SECONDS)
            found: ImportBatch = row
            return found

        try:
            yield run
        finally:
            here.close()

    return opened()


def _refuse_unread(row: "ImportBatch") -> None:
    from models.errors import Validation

    if row.error:
        raise Validation(row.error, row.error_zh or row.error)


def _plan(scope: "Scope", id: int, chosen: Sequence[str], mode: str, key: str, pool: str) -> "Plan":
    """The proposal for each column, but where the caller says otherwise."""
    from models.errors import Validation
    from models.import_batch import ImportMode
    from resolvers.imports.mapping import Plan

    said = dict(each.partition("=")[::2] for each in chosen)
    columns = {}
    for proposal in look(scope, _proposals, id):
        wanted = said.pop(proposal.header, proposal.field.key if proposal.field else "")
        if wanted:
            columns[proposal.place] = wanted
    if said:
        raise Validation(f"The file has no heading “{next(iter(said))}”.", f"文件中没有表头“{next(iter(said))}”。")
    if mode.upper() not in tuple(ImportMode):
        raise Validation("--mode is insert, update or upsert.", "--mode 可选 insert、update 或 upsert。")
    given = {"pool_id": look(scope, _pool, pool)} if pool else {}
    keys = tuple(each.strip() for each in key.split(",") if each.strip())
    return Plan(columns, ImportMode(mode.upper()), keys, given)


def _proposals(scope: "Scope", db: Any, id: int) -> Any:
    from resolvers.imports import batches, mapping

    return mapping.proposals(scope, db, batches.own(scope, db, id))


def _pool(_scope: "Scope", db: Any, name: str) -> int:
    from sqlalchemy import select

    from models import Pool
    from models.errors import Validation

    ids = [*db.execute(select(Pool.id).where(Pool.name == name, Pool.deleted_at.is_(None))).scalars()]
    if len(ids) != 1:
        raise Validation(f"There is no pool “{name[:40]}”.", f"没有公海“{name[:40]}”。")
    found: int = ids[0]
    return found


def _map(scope: "Scope", id: int, plan: "Plan") -> None:
    from resolvers.imports import mapping

    scope.do(mapping.set_mapping, id, plan)


def _confirm(scope: "Scope", id: int) -> None:
    from models.errors import Validation
    from resolvers.imports import applying

    try:
        scope.do(applying.confirm, id)
    except Validation:  # no row is good: the reasons are told
        return


def _undo(scope: "Scope", name: str, run: Any, *, silent: bool) -> int:
    """Undo an import; returns its id."""
    from models import ImportBatch
    from resolvers.imports import undoing
    from resolvers.runtime.ids import number_of

    id = number_of(ImportBatch, name)
    scope.do(undoing.begin_undoing, id)
    with progress_bar(silent=silent) as told:
        run(id, "UNDOING", told)
    return id


def _given_up_when_refused(scope: "Scope", id: int) -> Any:
    """Leaves no import behind that nobody goes on with."""
    from contextlib import contextmanager, suppress

    from models.errors import ImportEnded, Refusal

    @contextmanager
    def given_up() -> Any:
        try:
            yield
        except Refusal:
            with suppress(ImportEnded):
                _cancel(scope, id)
            raise

    return given_up()


def _cancel(scope: "Scope", id: int) -> None:
    from resolvers.imports import batches

    scope.do(batches.cancel, id)


# --- what became of it -----------------------------------------------------------------------------------


def _became(scope: "Scope", db: Any, id: int) -> tuple[dict[str, int], list[dict[str, Any]], list[str]]:
    """(number of rows by state, the reasons of those that stayed behind, what else is to be known)."""
    from models.choice_names import in_language
    from resolvers.imports import applying, batches, looking

    row = batches.own(scope, db, id)
    notices = [in_language(each.said, scope.language) for each in looking.notices(scope, db, row)]
    counts = {str(state): number for state, number in applying.counts(db, row).items()}
    return counts, applying.reasons(scope, db, row), notices


def _tell(id: int, counts: dict[str, int], reasons: list[dict[str, Any]], notices: list[str], *, as_json: bool) -> None:
    import json

    if as_json:
        told = {"import": f"imp_{id}", "rows": counts, "problems": reasons, "notices": notices}
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    for notice in notices:
        say(notice)
    say(f"imp_{id}: {', '.join(f'{number:,} {_word(state)}' for state, number in counts.items()) or 'no rows'}")
    for each in reasons[:SHOWN]:
        say(f"row {each['row']}: {' '.join(each['sentences'])}")
    if len(reasons) > SHOWN:
        say(f"and {len(reasons) - SHOWN:,} more rows; --json names them all")


def _word(state: str) -> str:
    from models.import_batch import RowState
    from resolvers.imports.row_states import STATE_WORDS

    return STATE_WORDS[RowState(state)][0].lower()
