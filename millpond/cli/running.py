"""`millpond serve` and what else concerns the installation as a whole."""

from typing import Annotated

import typer

from ..terminal import backend, refuse_clashes, report, say, settings, top_level

commands = top_level()


@commands.command()
def serve() -> None:
    """Serve GraphQL and panel, and run jobs, until stopped.  The database has to be migrated."""
    refuse_clashes()
    from ..serve import serve

    raise typer.Exit(serve(settings()))


_Inherited = Annotated[int | None, typer.Option(hidden=True, help="What `millpond serve` hands down.")]
"""The number of an open file that the parent process hands down."""


@commands.command()
def web(
    *,
    listener: _Inherited = None,
    lifeline: _Inherited = None,
    ready: _Inherited = None,
) -> None:
    """Serve GraphQL and panel alone; jobs are run by `millpond worker`."""
    refuse_clashes()
    from ..listening import addresses, inherited, listen
    from ..supervisor import follow_parent, say_ready
    from ..web import serve_requests

    chosen = settings()
    follow_parent(lifeline)

    def when_ready() -> None:
        say_ready(ready)
        for line in [] if listener is not None else addresses(at):
            typer.echo(line)

    if listener is None:
        from ..database import opened

        with opened(chosen.database):
            pass  # raises before anything listens
    with inherited(listener) if listener is not None else listen(chosen.host, chosen.port) as at:
        serve_requests(chosen, at, when_ready)


@commands.command()
def worker(
    *,
    threads: Annotated[int, typer.Option(min=1, max=32, help="How many jobs to run at a time.")] = 2,
    lifeline: _Inherited = None,
) -> None:
    """Run jobs until stopped.  Any number of workers may run; `millpond serve` starts MILLPOND_WORKERS of them."""
    refuse_clashes()
    from ..database import opened
    from ..supervisor import follow_parent
    from ..worker import work

    chosen = settings()
    follow_parent(lifeline)
    with opened(chosen.database):
        pass  # raises before anything runs
    work(chosen, threads, lambda: None if lifeline is not None else typer.echo("Millpond runs jobs."))


@commands.command()
def migrate() -> None:
    """Bring the database to the shape of this version.  A new one gets roles, policy and dictionaries too."""
    from resolvers.access.offered_lines import waiting_lines

    from ..database import bring_up, look
    from ..doctor import waiting
    from ..seals import seal_files

    chosen = settings()
    files = seal_files(chosen)
    is_first = not (files.key and files.key.exists())
    revision, changed = bring_up(chosen.database, files=files)
    say(f"The database is at revision {revision}" + ("." if changed else "; nothing was missing."))
    if is_first:
        say(f"The key of the operation log is in {files.key}; keep a copy elsewhere.")
    if lines := look(chosen.database, waiting_lines):
        say(waiting(lines))


@commands.command()
def demo(
    customers: Annotated[
        int, typer.Option(envvar="DEMO_CUSTOMERS", min=1, max=1_000_000, help="How many to invent, the first time.")
    ] = 2000,
    *,
    only_fill: Annotated[bool, typer.Option("--only-fill", help="Make the data and stop.")] = False,
) -> None:
    """Invent data in a database of its own and serve it on this machine only.  A second run keeps the data."""
    refuse_clashes()
    from .. import demo
    from ..seals import seal_files

    chosen = demo.settings()
    demo.prepare(chosen.database, customers, say, seal_files(chosen))
    if not only_fill:
        from ..serve import serve

        raise typer.Exit(serve(chosen, demo.SIGN_INS))


@commands.command()
def doctor() -> None:
    """Look at installation, settings, database and log; say what is wrong and what to do.  Exit 1 if anything is."""
    from ..package_conflicts import clashes

    if found := clashes():  # nothing of ours can be trusted to be ours
        report([(False, sentence) for sentence in found])
    from ..doctor import examine

    report([(finding.ok, finding.sentence) for finding in examine(settings())])


@commands.command()
def reindex() -> None:
    """Write search index, keys of duplicates, sort keys, contacts of customers and states of opportunities anew from the records.  Needed when `doctor` says so; searches and edits wait."""
    with backend() as at:
        from models.keys import fill_all
        from models.last_contact import fill_last_contacts
        from models.next_contact import fill_next_contacts
        from models.stage_terms import fill_states
        from resolvers.setup.indexes import rebuild_indexes

        with at.writer.engine.begin() as connection:
            wrong = fill_all(connection)
            fill_last_contacts(connection)
            fill_next_contacts(connection)
            fill_states(connection)
            count = rebuild_indexes(connection)
    say(f"The search index knows {count:,} customers and contacts; {wrong:,} sort keys were brought up to date.")
