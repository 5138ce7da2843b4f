"""The language of a caller who is not signed in."""

from models.people import LANGUAGES


def accepted_language(chosen: str | None, accepted: str) -> str:
    """The language chosen in this browser, else the first one of an Accept-Language header that Millpond has."""
    if chosen in LANGUAGES:
        return str(chosen)
    for part in accepted.lower().split(","):
        word = part.partition(";")[0].strip().partition("-")[0]
        if word in LANGUAGES:
            return word
    return "en"
