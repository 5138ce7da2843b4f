"""`millpond audit …`: the operation log."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..terminal import backend, clerk, group, report, say, settings

if TYPE_CHECKING:
    from resolvers.audit.verification import Report
    from resolvers.runtime.seal_files import Anchor

commands = group("The operation log.")


@commands.command("verify")
def audit_verify(
    anchor: Annotated[
        list[str] | None,
        typer.Option(
            help="An anchor that was kept elsewhere: the line that anchor printed, or a file with such lines."
        ),
    ] = None,
) -> None:
    """Seal the rest of the log and prove it: entries, seals, anchors, and every record as the log says it is.

    Exit 1, naming what was changed, if anything was.
    """
    from resolvers.audit.verification import prove_log

    from ..database import look_steadily
    from ..seals import seal_files, seal_the_rest

    kept, chosen = [it for given in anchor or () for it in _anchors(given)], settings()
    files = seal_files(chosen)
    with backend() as at:
        is_whole = seal_the_rest(at, files)
    found = look_steadily(chosen.database, lambda connection: prove_log(connection, files, kept))
    report([(False, problem) for problem in found.problems])
    say(f"The log is as it was written: {found.entries:,} entries under {found.seals:,} seals, {_compared(found)}.")
    for when, who, ids in found.erasures.values():
        say(f"Personal data erased: values of {len(ids):,} entries, by {who}, {when:%Y-%m-%d %H:%M} UTC.")
    if found.unkeyed:
        since = _day(found)
        say(f"Seals without a key: {found.unkeyed:,}, from before {since}. They are proved as they stood then.")
    if not is_whole:
        say("The newest entries wait for their seal: a transaction on the server is still open.")


@commands.command("anchor")
def audit_anchor() -> None:
    """Seal the rest of the log and print the newest seal.  Kept elsewhere, the line proves the log up to it: see verify."""
    from ..seals import advance_anchor, seal_files, seal_the_rest

    files = seal_files(settings())
    with backend() as at:
        seal_the_rest(at, files)
        typer.echo(str(advance_anchor(at, files)))


@commands.command("accept")
def audit_accept(
    reason: Annotated[str, typer.Option(help="Why the log and the records may differ; it stands in the log.")],
) -> None:
    """Go on from the database as it is, after a restored backup or a repair by hand.

    Each difference between the log and a record becomes an entry with this reason, and the anchor becomes the newest
    seal.  A log whose entries or seals were changed stays so.
    """
    from resolvers.audit.accept import accept

    from ..seals import anchor_anew, seal_files, seal_the_rest

    files = seal_files(settings())
    files.read_keys()
    with backend() as at:
        count = clerk(at).do(accept, reason)
        anchor_anew(at, files)
        seal_the_rest(at, files)
    say(f"The log goes on from here: {count:,} records were not as it said.")


@commands.command("key")
def audit_key() -> None:
    """Make a new key.  It signs from now on; the file keeps the former ones, which prove the seals before."""
    from ..seals import seal_files, sign_with_new_key

    files = seal_files(settings())
    with backend() as at:
        key = sign_with_new_key(at, files)
    say(
        f"The key {key.id} signs from now on. Copy {files.key} to every server of this database, and keep a copy elsewhere."
    )


def _anchors(given: str) -> "list[Anchor]":
    """The anchors that an option names: the line itself, or a file of lines."""
    from resolvers.runtime.seal_files import Anchor, SealFileError

    from ..text_files import UnreadableFile, read_text

    try:
        lines = [given] if given.startswith("millpond seal ") else read_text(Path(given)).splitlines()
        return [Anchor.parse(line) for line in lines if line.strip()]
    except (UnreadableFile, ValueError) as failure:
        raise SealFileError(f"{given} is neither an anchor nor a file of anchors") from failure


def _compared(found: "Report") -> str:
    return f"{found.records:,} records as it says, {found.anchors:,} anchor{'s' * (found.anchors != 1)}"


def _day(found: "Report") -> str:
    return f"{found.keyed_since:%Y-%m-%d %H:%M} UTC" if found.keyed_since else "now"
