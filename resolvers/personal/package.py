"""The file with everything that is held of a person: one JSON for programs, and a table as CSV for each kind of row."""

import csv
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from models.csv_guard import guarded


def packed(data: Mapping[str, Sequence[Mapping[str, Any]]]) -> bytes:
    """A zip of `data.json` and of one `NAME.csv` per table with rows."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("data.json", json.dumps(data, ensure_ascii=False, indent=1))
        for name, rows in data.items():
            if rows:
                package.writestr(f"{name}.csv", _table(rows))
    return file.getvalue()


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO()
    text.write("\ufeff")  # by which Excel knows UTF-8
    out = csv.writer(text)
    out.writerow(columns)
    for row in rows:
        out.writerow([guarded("" if row.get(key) is None else str(row[key])) for key in columns])
    return text.getvalue()
