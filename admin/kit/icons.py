"""Icons from the sprite `icons.svg`."""

from functools import lru_cache

from markupsafe import Markup


def icon(sprite: str, name: str, label: str = "") -> Markup:
    """The icon of this name.  Screen readers read its label; without one they skip it as decoration."""
    return _svg(sprite, name, Markup('role="img" aria-label="%s"') % label if label else _DECORATION)


_DECORATION = Markup('aria-hidden="true"')


@lru_cache(maxsize=1024)
def _svg(sprite: str, name: str, attributes: Markup) -> Markup:
    return Markup('<svg class="icon" %s><use href="%s#%s"></use></svg>') % (attributes, sprite, name)
