"""A progress bar at the terminal."""

from typing import Any


def progress_bar(*, silent: bool) -> Any:
    """A progress bar for people at a terminal; nothing for programs."""
    import sys
    from contextlib import contextmanager

    @contextmanager
    def bar() -> Any:
        if silent or not sys.stderr.isatty():
            yield lambda _done, _total: None
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

        with Progress(BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=Console(stderr=True)) as shown:
            task = shown.add_task("", total=None)
            yield lambda done, total: shown.update(task, completed=done, total=total)

    return bar()
