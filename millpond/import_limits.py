"""The limits of import files, as the settings name them."""

from dataclasses import fields

from tasks.sheets.limits import Limits

from .settings import Settings


def import_limits(settings: Settings) -> Limits:
    """What an import file may be, and what reading it may cost."""
    return Limits(**{field.name: getattr(settings, f"import_{field.name}") for field in fields(Limits)})
