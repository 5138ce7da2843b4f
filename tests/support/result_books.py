"""Imports that are checked, and their result workbooks, as tests make and read them."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl

from models import ImportBatch, ImportRow
from resolvers.imports import mapping, results
from resolvers.imports.mapping import Plan
from tests.support.importing import Files

HEADINGS = ["客户名称", "客户编号", "电话", "行业"]
COLUMNS = {0: "name", 1: "number", 2: "phone", 3: "industry"}


class ResultBooks(Files):
    """Files of a world, checked, with the workbooks that come of them."""

    def checked(self, rows: Sequence[Sequence[Any]], login: str = "li", target: str = "customer", **plan: Any) -> int:
        """The id of an import that is read, mapped and checked; its headings stand in the first row."""
        id = self.begin(login, self.sheet(rows), target=target)
        self.run()
        self.world.scope(login).do(mapping.set_mapping, id, Plan(plan.pop("columns", COLUMNS), **plan))
        self.run()
        return id

    def written(self, id: int, login: str = "li") -> Path:
        """Where the result workbook lies, which is written now."""
        self.world.scope(login).do(results.begin, id)
        self.run()
        return self.world.backend.files.path(self.world.scope(login).do(results.download, id).stored)

    def book(self, id: int, login: str = "li") -> Any:
        return openpyxl.load_workbook(io.BytesIO(self.written(id, login).read_bytes()))

    def rows_of(self, id: int) -> dict[int, dict[str, Any]]:
        return {row["number"]: row for row in self.world.rows(ImportRow) if row["batch_id"] == id}

    def batch(self, id: int) -> dict[str, Any]:
        return self.world.row(ImportBatch, id)
