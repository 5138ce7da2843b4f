"""`millpond audit …`: the operation log."""

from typing import TYPE_CHECKING

from ..terminal import backend, group, report, say, settings

if TYPE_CHECKING:
    from resolvers.runtime.backend import Backend

commands = group("The operation log.")


@commands.command("verify")
def audit_verify() -> None:
    """Seal the rest of the log and prove that nothing in it was changed.  Exit 1, naming the entry, if it was."""
    from resolvers.audit.seal import verify

    from ..database import look as look_at

    with backend() as at:
        is_whole = _seal_the_rest(at)
    found = look_at(settings().database, verify)
    report([(False, problem) for problem in found.problems])
    say(f"The log is as it was written: {found.entries:,} entries under {found.seals:,} seals.")
    if not is_whole:
        say("The newest entries wait for their seal: a transaction on the server is still open.")


def _seal_the_rest(at: "Backend", patience: float = 10) -> bool:
    """Lay seals until all is sealed; PostgreSQL needs two looks, and more while others have transactions open."""
    import time

    from resolvers.audit.seal import Horizon, is_due, seal

    horizon, end = Horizon(), time.monotonic() + patience
    while True:
        with at.writer.engine.begin() as connection:
            seal(connection, at.clock(), horizon)
            is_whole = not is_due(connection)
        if is_whole or time.monotonic() > end:
            return is_whole
        time.sleep(0.05)
