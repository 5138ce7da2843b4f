"""Changing a policy text by lines, so that comments and the order of all else stay as they were written."""

from collections.abc import Callable, Collection, Iterable

from .lines import Line, parse


def without(text: str, gone: Collection[int]) -> str:
    """The text without the lines of these numbers."""
    return "".join(x for number, x in enumerate(_rows(text), start=1) if number not in gone)


def with_lines(text: str, lines: Iterable[str], after: int | None = None) -> str:
    """The text with lines more, behind the line of this number or at the end."""
    rows, new = _rows(text), [f"{line}\n" for line in lines]
    at = len(rows) if after is None else after
    return "".join([*rows[:at], *new, *rows[at:]])


def replaced(text: str, gone: Collection[Line], lines: Iterable[str], beside: str) -> str:
    """The text with some lines in place of others, or else behind the last line of the role `beside`."""
    kept = sorted(line.number for line in gone)
    place = kept[0] - 1 if kept else _last_of(text, beside)
    new = with_lines(text, lines, place)
    moved = len(_rows(new)) - len(_rows(text))
    return without(new, {number + moved if place is None or number > place else number for number in kept})


def difference(before: str, after: str) -> tuple[list[str], list[str]]:
    """(lines gone, lines new); their order and the comments do not matter."""
    then, now = _keys(before), _keys(after)
    gone = [str(line) for key, line in then.items() if key not in now]
    return gone, [str(line) for key, line in now.items() if key not in then]


def merged(base: str, mine: str, theirs: str) -> str:
    """Their text with what I have changed of the base: my lines more, and without those that I took out."""
    then, now = _keys(base), _keys(mine)
    gone = {line.number for key, line in _keys(theirs).items() if key in then and key not in now}
    known = _keys(theirs).keys()
    return with_lines(without(theirs, gone), [str(x) for key, x in now.items() if key not in then and key not in known])


def copied(text: str, role: str, other: str) -> str:
    """The text with every line of a role once more for another one."""
    lines = []
    for line in parse(text):
        if line.columns[:1] == (role,):
            columns = (other, *line.columns[1:])
            lines.append(", ".join((line.kind, *columns)))
    known = {str(line) for line in parse(text)}
    fresh = [line for line in lines if line not in known]
    return with_lines(text, ["", f"# --- {other}: as {role} ---", *fresh]) if fresh else text


def with_branch(text: str, old: str, new: str, is_meant: Callable[[Line], bool] = lambda _: True) -> str:
    """The text with one branch in place of another in every condition; a line that another one says already is left out.

    `is_meant`: whether a line that names the branch means it.
    """
    known = _keys(text).keys()
    for line in [line for line in parse(text) if line.kind != "g" and len(line.columns) == 6]:
        columns = (*line.columns[:4], _renamed(line.columns[4], old, new), line.columns[5])
        if columns == line.columns or not is_meant(line):
            continue
        key = (line.kind, *columns)
        (mine,) = [x for x in parse(text) if str(x) == str(line)][:1]
        text = replaced(text, [mine], [] if key in known else [", ".join(key)], line.columns[0])
        known = _keys(text).keys()
    return text


# --- steps -----------------------------------------------------------------------------------------------


def _renamed(when: str, old: str, new: str) -> str:
    words = [f"!{new}" if word == f"!{old}" else new if word == old else word for word in when.split("&")]
    return "&".join(dict.fromkeys(words))


def _rows(text: str) -> list[str]:
    """The lines as they are, each with its end."""
    rows = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if rows and not rows[-1]:
        rows.pop()
    return [f"{row}\n" for row in rows]


def _keys(text: str) -> dict[tuple[str, ...], Line]:
    return {(line.kind, *line.columns): line for line in parse(text)}


def _last_of(text: str, role: str) -> int | None:
    numbers = [line.number for line in parse(text) if line.columns and line.columns[0] == role]
    return max(numbers, default=None)
