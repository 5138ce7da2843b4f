"""A pasted list: each line as what a duplicate check is asked about it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from models.reach_keys import email_key, phone_keys
from models.text import fold

_HEADINGS = {
    *(
        "name",
        "company",
        "customer",
        "company name",
        "customer name",
        "phone",
        "telephone",
        "mobile",
        "email",
        "e-mail",
    ),
    *(
        "名称",
        "公司",
        "公司名称",
        "客户",
        "客户名称",
        "企业名称",
        "电话",
        "手机",
        "联系电话",
        "邮箱",
        "电子邮箱",
        "邮件",
    ),
}
_REGISTRATION = re.compile(r"[0-9a-z]{15}|[0-9a-z]{18}")
"""How the number of a company looks: the old one of 15 characters, and the unified one of 18."""
_EDGES = " \t\r\xa0\u3000\ufeff\"'"


@dataclass(frozen=True)
class PastedRow:
    """A line as it was understood.  `line` counts from 1."""

    line: int
    name: str = ""
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    registration: str = ""

    @property
    def given(self) -> dict[str, Any]:
        """What `check` is asked."""
        return {"name": self.name, "phone": self.phones, "email": self.emails, "registration_number": self.registration}

    @property
    def text(self) -> str:
        return " · ".join(filter(None, (self.name, *self.phones, *self.emails, self.registration)))


def pasted_rows(text: str) -> list[PastedRow]:
    """The lines of a list that say something, a heading left out.

    Columns are separated by tabs: phones and addresses are known by how they look, and the first other cell is the name.
    """
    return [row for row in _rows(text) if row.text]


def _rows(text: str) -> Iterator[PastedRow]:
    for n, line in enumerate(text.splitlines(), 1):
        cells = [cell for each in line.split("\t") if (cell := each.strip(_EDGES))]
        if cells and not all(fold(cell) in _HEADINGS for cell in cells):
            yield _row(n, cells)


def _row(line: int, cells: list[str]) -> PastedRow:
    emails = tuple(cell for cell in cells if email_key(cell))
    registrations = [cell for cell in cells if _is_registration(cell)]
    phones = tuple(cell for cell in cells if _is_phone(cell) and cell not in registrations)
    names = [cell for cell in cells if cell not in (*emails, *phones, *registrations)]
    return PastedRow(line, names[0] if names else "", phones, emails, "".join(registrations[:1]))


def _is_registration(cell: str) -> bool:
    return bool(_REGISTRATION.fullmatch(fold(cell))) and sum(c.isdigit() for c in cell) > 5


def _is_phone(cell: str) -> bool:
    """Whether a cell is a number and not a name with one."""
    return sum(c.isdigit() for c in cell) * 2 > len(cell) and bool(phone_keys(cell))
