"""What a user is told once about an import as a whole: columns without effect, dates read by guess, what was left out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Text, cast, func, or_, select
from sqlalchemy.orm import Session

from models import ImportBatch, ImportRow
from models.choice_names import Said
from models.import_batch import ImportMode
from models.names import MONTHS
from models.sheet_cells import LOST

from ..runtime.scope import Scope
from .batches import came_before, choices_of
from .date_columns import ORDER_NAMES, DateOrder, Order, date_of
from .mapping import fields_of
from .targets import target_of

MOST_NAMED = 5
"""Maximum number of sheets, columns or earlier imports that one sentence names."""
_ROWS: Any = ImportRow.__table__
MOST_LOOKED_AT = 20_000
"""Maximum number of rows among which lost digits are looked for."""


@dataclass(frozen=True)
class Reread:
    """The column at this place may be read in another order of dates; `day` is then what its example means."""

    place: int
    order: Order
    day: date


@dataclass(frozen=True)
class Notice:
    """`said`: English and Chinese.  `earlier_id`: the import that it is about.  `reread`: what would change its cause."""

    said: Said
    earlier_id: int | None = None
    reread: Reread | None = None


def notices(scope: Scope, db: Session, batch: ImportBatch) -> list[Notice]:
    """The most important first; empty where there is nothing to tell.  Up to four queries."""
    return [
        *_earlier(scope, db, batch),
        *map(Notice, _ignored(scope, db, batch)),
        *_undecided(batch),
        *map(Notice, _lost(db, batch)),
        *map(Notice, _left_out(batch)),
    ]


# --- what came before ------------------------------------------------------------------------------------


def _earlier(scope: Scope, db: Session, batch: ImportBatch) -> Iterator[Notice]:
    zone = ZoneInfo(scope.person.zone or "UTC")
    for earlier in came_before(scope, db, batch)[:MOST_NAMED]:
        day, rows = _day(earlier.at.astimezone(zone).date()), earlier.rows
        said = (
            f"This very file came in before, on {day} with {_counted(rows, 'row')}.",
            f"此文件已于 {day} 导入过（{rows} 行）。",
        )
        yield Notice(said, earlier_id=earlier.id)


# --- columns ---------------------------------------------------------------------------------------------


def _ignored(scope: Scope, db: Session, batch: ImportBatch) -> Iterator[Said]:
    """Columns that an update does not set: owner, pool, what only a new record is given."""
    if batch.mode is ImportMode.INSERT:
        return
    fields, key = {x.key: x for x in fields_of(scope, db, target_of(batch.target))}, {*(batch.options.get("key") or ())}
    mapped = [(int(place), fields[name]) for place, name in (batch.mapping or {}).items() if name in fields]
    named = [_heading(batch, place) for place, x in mapped if x.is_new_only and not key & {x.key, x.input}]
    if named:
        yield (
            f"Existing records keep what they have in {_listed(named, ', ')}: only new ones are given that.",
            f"已有记录不更新以下列：{_listed(named, '、')}，仅用于新建记录。",
        )


def _undecided(batch: ImportBatch) -> Iterator[Notice]:
    for place, example in (batch.options.get("undecided") or {}).items():
        order = Order((batch.options.get("dates") or {}).get(place, Order.DAY_FIRST))
        other = Order.MONTH_FIRST if order is Order.DAY_FIRST else Order.DAY_FIRST
        read, instead = (date_of(example, DateOrder(each)) for each in (order, other))
        if read is None or instead is None:
            continue
        heading, (english, chinese) = _heading(batch, int(place)), ORDER_NAMES[order]
        said = (
            (
                f"The dates in {heading} can be read in two ways: {example} is read as {_in_english(read)} ({english})."
                " Choose the other order if that is wrong."
            ),
            f"{heading}列的日期有两种读法：{example} 现按“{chinese}”读作 {_day(read)}，如不正确请更改顺序。",
        )
        day = instead.date() if isinstance(instead, datetime) else instead
        yield Notice(said, reread=Reread(int(place), other, day))


def _lost(db: Session, batch: ImportBatch) -> Iterator[Said]:
    r = _ROWS.c
    places = [int(place) for place in batch.mapping or ()]
    if not places:
        return
    is_lost = or_(*(cast(r.cells.op("->>")(place), Text).startswith(f'["{LOST}"') for place in places))
    first = r.number <= MOST_LOOKED_AT
    rows = db.execute(select(func.count()).where(r.batch_id == batch.id, first, is_lost)).scalar_one()
    if rows:
        least, least_zh = ("At least ", "至少") if batch.rows > MOST_LOOKED_AT else ("", "")
        yield (
            (
                f"{least}{_counted(rows, 'row')} of the sheet {'has' if rows == 1 else 'have'} a number of more than 15 digits, whose last"
                " digits the file does not hold. Format such columns as text, and enter the numbers again."
            ),
            f"{least_zh}有 {rows} 行含有超过 15 位的数字，文件中已丢失末尾几位。请将该列设为文本格式后重新填写。",
        )


# --- what was left out -----------------------------------------------------------------------------------


def _left_out(batch: ImportBatch) -> Iterator[Said]:
    seen, choices = batch.overview or {}, choices_of(batch)
    if (hidden := seen.get("hidden_rows", 0)) and not choices.hidden_rows:
        yield (
            f"{_counted(hidden, 'hidden row')} {_was(hidden)} left out.",
            f"已略过 {hidden} 个隐藏或被筛选掉的行。",
        )
    if (merged := seen.get("merged") or ()) and not choices.fill_merged:
        yield (
            f"Of merged cells only the first holds the value: {_listed(merged, ', ')}.",
            f"合并单元格仅首个单元格有值：{_listed(merged, '、')}。",
        )
    others = [sheet for sheet in seen.get("sheets", ()) if sheet["name"] != seen.get("sheet") and sheet["rows"]]
    for is_hidden, english, chinese in ((False, "sheet", "工作表"), (True, "hidden sheet", "隐藏工作表")):
        names = [sheet["name"] for sheet in others if sheet["hidden"] is is_hidden]
        if names:
            yield (
                f"{_counted(len(names), english)} {_was(len(names))} not read: {_listed(names, ', ')}.",
                f"未读取的{chinese}：{_listed(names, '、')}。",
            )
    mapped = {int(place) for place in batch.mapping or ()}
    columns = [f"“{x['name']}”" for x in seen.get("columns", ()) if x["index"] not in mapped and x["filled"]]
    if columns:
        yield (
            f"{_counted(len(columns), 'column')} {_was(len(columns))} left out: {_listed(columns, ', ')}.",
            f"已略过 {len(columns)} 列：{_listed(columns, '、')}。",
        )
    if blank := seen.get("blank_rows", 0):
        yield f"{_counted(blank, 'blank row')} {_was(blank)} skipped.", f"已跳过 {blank} 个空行。"


# --- words -----------------------------------------------------------------------------------------------


def _heading(batch: ImportBatch, place: int) -> str:
    columns: Sequence[Any] = (batch.overview or {}).get("columns", ())
    return next((f"“{column['name']}”" for column in columns if column["index"] == place), "“”")


def _listed(names: Sequence[str], between: str) -> str:
    return between.join(names[:MOST_NAMED]) + ("…" if len(names) > MOST_NAMED else "")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def _day(day: date) -> str:
    return f"{day.year}/{day.month}/{day.day}"


def _in_english(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
