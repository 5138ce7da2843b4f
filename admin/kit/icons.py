"""Icons from the one sprite."""

from functools import lru_cache

from markupsafe import Markup


def icon(sprite: str, name: str, label: str = "") -> Markup:
    """The icon of this name; with a label it is read aloud, without one it is decoration."""
    return _drawn(sprite, name, Markup('role="img" aria-label="%s"') % label if label else _DECORATION)


_DECORATION = Markup('aria-hidden="true"')


@lru_cache(maxsize=1024)
def _drawn(sprite: str, name: str, said: Markup) -> Markup:
    return Markup('<svg class="icon" %s><use href="%s#%s"></use></svg>') % (said, sprite, name)
