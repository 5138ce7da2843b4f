"""Icons from the one sprite."""

from markupsafe import Markup


def icon(sprite: str, name: str, label: str = "") -> Markup:
    """The icon of this name; with a label it is read aloud, without one it is decoration."""
    said = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="icon" {}><use href="{}#{}"></use></svg>').format(said, sprite, name)
