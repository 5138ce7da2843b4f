"""Faults: arguments below a root field that are refused, like a stale cursor, so that each fails its own field alone."""

import secrets

from .dialect import Value, name_literal


class Faults:
    """The refusals of one request by the marks that stand in the answer in place of the fields' values."""

    def __init__(self) -> None:
        self._mark = f"~fault~{secrets.token_hex(8)}~"
        self._found: list[Exception] = []

    def note(self, fault: Exception) -> Value:
        """The mark of a refusal as an SQL value."""
        self._found.append(fault)
        return name_literal(f"{self._mark}{len(self._found) - 1}")

    def check(self, value: object) -> None:
        """Raise the refusal whose mark this is."""
        if self._found and isinstance(value, str) and value.startswith(self._mark):
            raise self._found[int(value.removeprefix(self._mark))]
