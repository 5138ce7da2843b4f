"""Random GraphQL requests, most of them broken in their text or their variables."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support.query_corpus import Corpus, Operation

WHOLE, IN_VARIABLES = 0.12, 0.25
"""Share of requests that stay valid, and share of the others of which only the variables change."""
SIGNS = '{}()[]":$@!.,#|&=\\ \n\0é中🚀ſ0-e"""'
WORDS = ("null", "true", "fragment", "on", "query", "mutation", "first", "node", "__schema", "__type", "F0", "Customer")
VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**31,
    2**53,
    1.5,
    1e308,
    "",
    "cus_1",
    "x" * 300,
    "\0",
    "中",
    [],
    [None],
    {},
)
_TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass
class Mutants:
    """Distinct requests made from a corpus.  The same seed makes the same requests."""

    corpus: Corpus
    seed: int
    whole: float = WHOLE
    in_variables: float = IN_VARIABLES
    lot: random.Random = field(init=False)
    made: int = 0

    def __post_init__(self) -> None:
        self.lot = random.Random(self.seed)

    def operation(self) -> Operation:
        """The next operation; no text comes twice."""
        operation, self.made = self.corpus.operation(), self.made + 1
        if self.lot.random() > self.whole:
            if self.lot.random() < self.in_variables:
                operation.variables = self._other(operation.variables)
            else:
                for _ in range(self.lot.choice((1, 1, 2, 4))):
                    operation.text = self.lot.choice(_WAYS)(self, operation.text)
        return Operation(f"{operation.text} #{self.made}", operation.variables)

    def _other(self, variables: dict[str, Any]) -> dict[str, Any]:
        changed = {name: self._value(value) for name, value in variables.items() if self.lot.random() < 0.9}
        return changed | ({self.lot.choice(WORDS): 1} if self.lot.random() < 0.2 else {})

    def _value(self, value: Any) -> Any:
        if isinstance(value, dict) and value and self.lot.random() < 0.6:
            return {name: self._value(x) for name, x in value.items()}
        if isinstance(value, str) and self.lot.random() < 0.3:
            return self._sign(value)
        return self.lot.choice(VALUES) if self.lot.random() < 0.5 else [value] if self.lot.random() < 0.2 else value

    # -- ways to break a text ----------------------------------------------------------------------------

    def _sign(self, text: str) -> str:
        at = self.lot.randrange(len(text) + 1)
        return text[:at] + self.lot.choice(SIGNS) + text[at + self.lot.randrange(2) :]

    def _cut(self, text: str) -> str:
        at = self.lot.randrange(len(text) + 1)
        return text[:at] + text[at + self.lot.randrange(1, 20) :]

    def _repeat(self, text: str) -> str:
        at = self.lot.randrange(len(text) + 1)
        return text[:at] + text[at : at + self.lot.randrange(1, 60)] * self.lot.choice((2, 3, 30)) + text[at:]

    def _word(self, text: str) -> str:
        return self._at_a_token(text, lambda _: self.lot.choice(WORDS))

    def _number(self, text: str) -> str:
        return self._at_a_token(text, lambda _: self.lot.choice(("-1", "0", "9" * 30, "1e400", "201", "2147483648")))

    def _swap(self, text: str) -> str:
        tokens = _TOKEN.findall(text) or [""]
        return self._at_a_token(text, lambda _: self.lot.choice(tokens))

    def _at_a_token(self, text: str, other: Callable[[str], str]) -> str:
        found = list(_TOKEN.finditer(text))
        if not found:
            return text
        token = self.lot.choice(found)
        return text[: token.start()] + other(token[0]) + text[token.end() :]


_WAYS = (Mutants._sign, Mutants._cut, Mutants._repeat, Mutants._word, Mutants._number, Mutants._swap)
