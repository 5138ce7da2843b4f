"""Charts drawn on the server as SVG: they print, follow the theme, and lead to the lists behind them."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True)
class Bar:
    """One bar: its label, its value as a number and as text, where a click leads."""

    label: str
    value: int
    said: str
    href: str | None = None
    share: int | None = None
    """Percent of what would be full, where there is such a thing: capacity, quota."""


def bars(rows: Sequence[Bar], label: str) -> Markup:
    """A list of horizontal bars.  Each is a link where it leads somewhere; screen readers read it as a list."""
    most = max((row.value for row in rows), default=0) or 1
    return Markup('<ul class="bars" aria-label="{}">{}</ul>').format(
        label, Markup("").join(_bar(row, most) for row in rows)
    )


def _bar(row: Bar, most: int) -> Markup:
    width = row.share if row.share is not None else round(100 * row.value / most)
    width = max(0, min(100, width))
    tone = "full" if row.share is not None and row.share >= 100 else "near" if (row.share or 0) >= 80 else "plain"
    drawn = Markup(
        '<svg class="bar bar-{}" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="bar-back" width="100" height="6"></rect><rect class="bar-front" width="{}" height="6"></rect></svg>'
    ).format(tone, width)
    head = Markup('<span class="bar-label">{}</span><span class="bar-value">{}</span>').format(row.label, row.said)
    inner = head + drawn
    if row.href:
        return Markup('<li><a href="{}">{}</a></li>').format(row.href, inner)
    return Markup("<li><div>{}</div></li>").format(inner)
