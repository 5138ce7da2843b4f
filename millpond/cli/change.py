"""`millpond change`: fields of many records at once, with the rights of one person, and the undoing of any batch."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..terminal import backend, look, person, say, spelled, top_level

if TYPE_CHECKING:
    from models import Entity
    from resolvers.bulk.changes import Made
    from resolvers.runtime.backend import Backend
    from resolvers.runtime.scope import Scope

commands = top_level()
SHOWN = 20
"""Maximum number of reasons that people are told."""


@commands.command("change")
def change(
    kind: Annotated[str, typer.Argument(help="What to change, like customers or contacts.", show_default=False)] = "",
    *,
    login: Annotated[str, typer.Option("--as", help="The login of the person whose rights count.", show_default=False)],
    values: Annotated[str, typer.Option("--set", help="Fields and their values as JSON; null clears one.")] = "{}",
    filter: Annotated[str, typer.Option(help="A condition as JSON, as saved views take it; {} means all.")] = "",
    search: Annotated[str, typer.Option(help="What to search for.")] = "",
    reason: Annotated[str, typer.Option(help="Why; the operation log keeps it with every record.")] = "",
    check: Annotated[bool, typer.Option("--check", help="Say what it would come to, and change nothing.")] = False,
    undo: Annotated[str, typer.Option(help="Undo this batch of the operation log instead.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON, for programs.")] = False,
) -> None:
    """Change fields of all records that a filter finds, or undo a batch.  Exit status 1 when a record was refused or kept."""
    with backend() as at:
        from resolvers.bulk import changing, undoing

        scope = person(at, login)
        if undo:
            id: int = scope.do(undoing.undo, undo, reason or None)
        else:
            model, chosen, given = _asked(scope, kind, values, filter, search)
            if check:
                _preview(scope, model, chosen, given, reason, as_json=as_json)
                return
            id = scope.do(changing.begin, model, chosen, given, reason or None)
        is_whole = _tell(scope, _carried_out(at, scope, id), as_json=as_json)
    if not is_whole:
        raise typer.Exit(1)


# --- what is asked for -----------------------------------------------------------------------------------


def _asked(scope: "Scope", kind: str, values: str, filter: str, search: str) -> tuple[Any, Any, dict[str, Any]]:
    """(kind of records, list, field -> value).  Raises Validation."""
    from models.errors import Validation
    from models.export import ExportRange
    from resolvers.bulk.restoring import of_log
    from resolvers.exports.asked import asked_listing
    from resolvers.reading.pages import target_of
    from resolvers.runtime.ids import number_of

    model = _kind(kind)
    if not filter and not search:
        raise Validation("Say which records: --filter or --search.", "请用 --filter 或 --search 指定记录。")
    given = {}
    for name, value in _json(values or "{}", "--set").items():
        key = "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
        if key in model.__table__.c and (target := target_of(model, key)) is not None and value is not None:
            given[key] = number_of(target, value)
            continue
        try:
            given[key] = of_log(scope, model, key, value)
        except (ValueError, TypeError, ArithmeticError):
            raise Validation(
                f"“{str(value)[:40]}” is no value of {name}.", f"“{str(value)[:40]}”不是 {name} 的有效值。"
            ) from None
    chosen = asked_listing(model, ExportRange.FILTER, condition=_json(filter or "{}", "--filter"), search=search)
    return model, chosen, given


def _kind(name: str) -> "type[Entity]":
    from models import ENTITIES
    from models.errors import Validation

    kinds = [model for model in ENTITIES if model.in_bulk]
    for model in kinds:
        names = model.names
        if spelled(name) in map(spelled, (model.__name__, names.one, names.many, names.zh, names.zh_many or "")):
            return model
    known = ", ".join(model.names.nouns for model in kinds)
    raise Validation(f"There is nothing called “{name[:40]}”; choose {known}.", f"没有“{name[:40]}”，可选：{known}。")


def _json(text: str, option: str) -> dict[str, Any]:
    import json

    from models.errors import Validation

    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Validation(f"{option} takes a JSON object.", f"{option} 须为 JSON 对象。")
    return found


# --- what became of it -----------------------------------------------------------------------------------


def _carried_out(at: "Backend", scope: "Scope", id: int) -> "Made":
    """Run the job here, unless a worker is faster.  Returns the change when it has ended."""
    import time

    import tasks
    from resolvers.bulk import changes
    from resolvers.bulk.bookkeeping import JOB
    from tasks.engine import Engine

    tasks.load()
    engine = Engine(at, "command line", kinds=(JOB,))
    while True:
        engine.run_due()
        made: Made = look(scope, changes.bulk_change, id)
        if not made.is_open:
            return made
        time.sleep(0.2)


def _tell(scope: "Scope", made: "Made", *, as_json: bool) -> bool:
    """Print what became of the records; returns whether none was refused or kept."""
    import json

    from models.bulk_change import ItemState
    from resolvers.bulk import changes

    left = (ItemState.REFUSED, ItemState.KEPT)
    counts = {state.value.lower(): made.counts.get(state, 0) for state in ItemState if state is not ItemState.OPEN}
    reasons = look(scope, changes.reasons, made.row.id, left)
    if as_json:
        told = [{"count": number, "code": refusal.code(), "sentence": refusal.say("en")} for refusal, number in reasons]
        typer.echo(json.dumps({"batch": made.row.batch_id, **counts, "reasons": told}, ensure_ascii=False))
    else:
        say(", ".join(f"{number:,} {state}" for state, number in counts.items()) + f"; batch {made.row.batch_id}.")
        for refusal, number in reasons[:SHOWN]:
            say(f"{number:,}: {refusal.say_of_many('en')}")
    return not any(made.counts.get(state) for state in left)


def _preview(scope: "Scope", model: Any, chosen: Any, given: dict[str, Any], reason: str, *, as_json: bool) -> None:
    import asyncio
    import json

    from resolvers.bulk.previewing import preview

    async def previewed() -> Any:
        try:
            return await preview(scope, model, chosen, given, reason or None)
        finally:
            await scope.backend.stop_reading()

    found = asyncio.run(previewed())
    refused = found.tried - found.changes - found.same
    if as_json:
        told = {"matches": found.matches, "tried": found.tried, "changes": found.changes, "same": found.same}
        typer.echo(json.dumps({**told, "refused": refused}))
        return
    say(
        f"{found.matches:,} records; of the first {found.tried:,}, {found.changes:,} change, {found.same:,} are as wanted,"
    )
    say(f"and {refused:,} are refused.")
    for refusal, number in found.refused[:SHOWN]:
        say(f"{number:,}: {refusal.say_of_many('en')}")
