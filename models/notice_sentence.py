"""The sentences of kinds of notices, in both languages, with the places of their facts."""

import re
from dataclasses import dataclass

FACT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Sentence:
    """One sentence in both languages, with `{facts}` in it."""

    en: str
    zh: str

    @property
    def facts(self) -> frozenset[str]:
        return frozenset(FACT.findall(self.en + self.zh))
