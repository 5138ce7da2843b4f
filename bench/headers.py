"""How well columns of sheets are matched to fields, on the labelled set, and how long a sheet takes.

    python bench/headers.py [--bad] [--repeat 20]

Prints JSON: for each way to look (the name of the field alone, then with synonyms, parts, spelling, values) and for each
half of the set the columns that got the right field, a wrong one, none though there is one, and the foreign columns that
were captured or left out; then microseconds for a sheet of 20 columns with 50 cells each, and for making the index of
headings, which a process does once for each set of fields.  `--bad` lists what was judged wrongly.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from resolvers.imports.cells import shapes_of
from resolvers.imports.heading_match import headings_of_fields
from resolvers.imports.matching import Column, propose
from resolvers.imports.meaning import Strategy
from tests.support.headings import Score, Sheet, fields_of, halves, judged, labelled, spellings

WAYS = (Strategy.LABEL, Strategy.SYNONYM, Strategy.WITHIN, Strategy.SPELLING, Strategy.CONTENT)
COLUMNS, CELLS = 20, 50


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bad", action="store_true")
    parser.add_argument("--repeat", type=int, default=20)
    options = parser.parse_args()
    found: dict[str, Any] = {"set": _counted(labelled()), "strategies": {}}
    for count in range(1, len(WAYS) + 1):
        name = "field name" if count == 1 else f"+ {WAYS[count - 1].value}"
        found["strategies"][name] = {half: _told(judged(sheets, frozenset(WAYS[:count]))) for half, sheets in halves()}
    found["microseconds"] = _times(options.repeat)
    if options.bad:
        found["bad"] = judged(labelled()).bad
    print(json.dumps(found, ensure_ascii=False, indent=2))


def _counted(sheets: Sequence[Sheet]) -> dict[str, int]:
    rights = [right for sheet in sheets for right in sheet.right]
    return {"sheets": len(sheets), "columns": len(rights), "foreign": sum(not right for right in rights)}


def _told(score: Score) -> dict[str, Any]:
    counts = score.counts
    with_field = counts["right"] + counts["wrong"] + counts["unmatched"]
    return {
        "right": counts["right"],
        "wrong": counts["wrong"],
        "unmatched": counts["unmatched"],
        "foreign captured": counts["captured"],
        "foreign left out": counts["left out"],
        "right of those with a field": round(counts["right"] / with_field, 4),
    }


def _times(repeat: int) -> dict[str, int]:
    fields, columns = fields_of("customer"), _sheet()

    def fresh() -> None:
        shapes_of.cache_clear()
        propose(fields, columns, words=spellings())

    def index() -> None:
        headings_of_fields.cache_clear()
        propose(fields, [Column("khmc")], words=spellings())

    return {
        f"a sheet of {COLUMNS} columns, cells never seen": _median(fresh, repeat),
        f"a sheet of {COLUMNS} columns, again": _median(lambda: propose(fields, columns, words=spellings()), repeat),
        "the index of headings": _median(index, repeat),
    }


def _sheet() -> list[Column]:
    """Columns of the labelled set for customers, their cells repeated to as many as are looked at."""
    columns = [x for sheet in labelled() if sheet.target == "customer" for x in sheet.columns][:COLUMNS]
    return [
        Column(x.header, [f"{cell}" for cell in (*x.cells,) * (CELLS // len(x.cells) + 1)][:CELLS]) for x in columns
    ]


def _median(work: Callable[[], object], repeat: int) -> int:
    times = []
    for _ in range(repeat):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return round(statistics.median(times) * 1e6)


if __name__ == "__main__":
    main()
