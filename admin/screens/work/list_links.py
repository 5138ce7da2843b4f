"""Addresses of lists that show exactly the records of a condition."""

from urllib.parse import urlencode

from resolvers.reading.conditions import Condition

from ...kit.condition_address import SAFE
from ...kit.routes import BASE
from ...kit.short_json import written


def list_of(screen: str, condition: Condition) -> str:
    """The address of the list of a screen with the records of this condition, in its tab of all records."""
    return f"{BASE}/{screen}/list?{urlencode([('tab', 'all'), ('c', written(condition))], safe=SAFE)}"
