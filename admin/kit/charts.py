"""Charts drawn on the server as SVG: they print, follow the theme, and link to the lists behind them."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True)
class Bar:
    """One bar: its label, its value as a number and as text, and the address that it links to.

    `share`: the percentage of a limit that is used, such as capacity or quota; None without a limit.
    """

    label: str
    value: int
    text: str
    href: str | None = None
    share: int | None = None


def bars(rows: Sequence[Bar], label: str) -> Markup:
    """Horizontal bars as a list, which screen readers read as one."""
    longest = max((row.value for row in rows), default=0) or 1
    return Markup('<ul class="bars" aria-label="{}">{}</ul>').format(
        label, Markup("").join(_bar(row, longest) for row in rows)
    )


def _bar(row: Bar, longest: int) -> Markup:
    width = row.share if row.share is not None else round(100 * row.value / longest)
    width = max(0, min(100, width))
    tone = "full" if row.share is not None and row.share >= 100 else "near" if (row.share or 0) >= 80 else "plain"
    drawing = Markup(
        '<svg class="bar bar-{}" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="bar-back" width="100" height="6"></rect><rect class="bar-front" width="{}" height="6"></rect></svg>'
    ).format(tone, width)
    head = Markup('<span class="bar-label">{}</span><span class="bar-value">{}</span>').format(row.label, row.text)
    inner = head + drawing
    if row.href:
        return Markup('<li><a href="{}">{}</a></li>').format(row.href, inner)
    return Markup("<li><div>{}</div></li>").format(inner)
