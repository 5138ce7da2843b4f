"""Invented companies, people and sentences in Chinese and English (`words.toml`).  The same seed gives the same words."""

import random
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from faker import Faker

SAID: dict[str, Any] = tomllib.loads((Path(__file__).parent / "words.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Company:
    """One invented company; `domain` ends in `.example`, which is never registered."""

    chinese: bool
    name: str
    industry: str
    region: str
    city: str
    domain: str


class Words:
    """Names and texts of the demo's records, from one random source."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        chinese, english = Faker("zh_CN"), Faker("en_US")
        chinese.seed_instance(20260101)
        english.seed_instance(20260101)
        self._names = [chinese.name() for _ in range(2000)], [english.name() for _ in range(1200)]
        self._streets = [chinese.street_name() for _ in range(300)], [english.street_name() for _ in range(300)]
        self._surnames = sorted({english.last_name() for _ in range(600)})

    def company(self) -> Company:
        chinese = self.rng.random() < 0.7
        language = "zh" if chinese else "en"
        industry = self.pick(list(SAID["trades"]))
        region = self.pick([region for region in SAID["cities"] if region != "overseas"]) if chinese else "overseas"
        city = self.pick(SAID["cities"][region])
        trade, form = self.pick(SAID["trades"][industry][language]), self.pick(SAID["forms"][language])
        if chinese:
            name = f"{city}{''.join(self.rng.sample(SAID['brand'], 2))}{trade}{form}"
        else:
            name = f"{self.pick(self._surnames)} {trade} {form}"
        domain = f"{trade.split()[0].lower() if not chinese else industry}{self.rng.randrange(10**5)}.example"
        return Company(chinese, name, industry, region, city, domain)

    def person(self, company: Company) -> str:
        return self.pick(self._names[0 if company.chinese else 1])

    def title(self, company: Company) -> str:
        return self._say("titles", company)

    def mobile(self, company: Company) -> str:
        if company.chinese:
            return f"1{self.pick('3578')}{self.rng.randrange(10**9):09d}"
        return f"+1 {self.rng.randrange(201, 990)} 555 01{self.rng.randrange(100):02d}"

    def line(self, company: Company) -> str:
        """The phone number of the company itself."""
        if company.chinese:
            return f"0{self.rng.randrange(10, 999)}-{self.rng.randrange(2 * 10**7, 9 * 10**7)}"
        return f"+44 20 7946 0{self.rng.randrange(1000):03d}"

    def email(self, company: Company, name: str) -> str:
        if name.isascii():
            return f"{name.lower().replace(' ', '.')}@{company.domain}"
        return f"{self.pick('abcdefghjklmnpqrstuvwxyz')}{self.rng.randrange(10**4)}@{company.domain}"

    def address(self, company: Company) -> str:
        number = self.rng.randrange(1, 400)
        if company.chinese:
            return f"{company.city}{'' if company.region == 'hmt' else '市'}{self.pick(self._streets[0])}{number}号{self.rng.randrange(1, 30)}层"
        return f"{number} {self.pick(self._streets[1])}, {company.city}"

    def need(self, company: Company) -> str:
        return self._say("needs", company)

    def done(self, company: Company) -> str:
        return self._say("done", company)

    def plan(self, company: Company) -> str:
        return self._say("plans", company)

    def answer(self, company: Company) -> str:
        """What a colleague says about a follow-up."""
        return self._say("answers", company)

    def remark(self, company: Company) -> str:
        return self._say("remarks", company)

    def thing(self, company: Company) -> str:
        return self._say("things", company)

    def birthday(self) -> date:
        return date(1965, 1, 1) + timedelta(days=self.rng.randrange(13_000))

    def pick(self, some: Sequence[str]) -> str:
        return some[int(self.rng.random() * len(some))]

    def _say(self, what: str, company: Company) -> str:
        language = "zh" if company.chinese else "en"
        template = self.pick(SAID[what][language])
        if "{" not in template:
            return template
        return template.format(thing=self.pick(SAID["things"][language]), n=self.rng.randrange(2, 30))
