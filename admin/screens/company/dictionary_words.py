"""The tree editor of a dictionary: its words in one form, with their order, labels, aliases, colours and records."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models import Dictionary, DictionaryItem, Tone, WordMerge
from models.dictionary import usual_tone
from models.errors import Refusal
from models.listed_values import joined, parted
from resolvers.reading.clauses import value
from resolvers.records.dictionaries import offering
from resolvers.records.word_tree import SavedTree, TreeLine, counts_of, save_tree
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.scope import Scope

from ...kit import forms
from ...kit.form_values import whole_number
from ...kit.labels import choice_label, field_label
from ...kit.panel_request import PanelRequest, panel_request
from ...kit.routes import page_route
from ...kit.translation import gettext
from ...kit.tree_moves import TreeRow, moved, settled
from ...kit.view import PolicyModelView

_ = gettext
NEW = "new"
"""What the token of a new row begins with."""
MOST_ROWS = 2_000
"""Maximum number of rows of one form."""
_SHOWN = ("id", "key", "label_en", "label_zh", "aliases", "tone", "parent_id", "position", "archived_at", "version")
_KEPT = ("label_en", "label_zh", "aliases", "tone", "parent_id", "position")
"""What a row knows of its word as it was when the form was shown."""


@dataclass(frozen=True)
class EditorRow:
    """One row of the editor: what its inputs hold, and what is told beside them."""

    token: str
    depth: int
    label_en: str = ""
    label_zh: str = ""
    aliases: str = ""
    tone: str = ""
    version: str = ""
    was: str = "{}"
    key: str = ""
    archived: bool = False
    part_of: tuple[str, str] | None = None
    """The word of which it is part since a merge, and the id of the merge."""
    count: int = 0
    href: str = ""
    error: str = ""
    chip: str = "GREY"


@dataclass(frozen=True)
class _Dictionary:
    """A dictionary as it is stored: what it is called, its words in their order, counts, and merges."""

    id: int
    code: str
    name: str
    words: list[dict[str, Any]] = field(default_factory=list)
    counts: Mapping[str, int] = field(default_factory=dict)
    merges: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    """Word that is part of another one -> (that one, the merge)."""


class DictionaryWords(PolicyModelView):
    """The page of the editor, which the screen of dictionaries adds to its own."""

    @property
    def templates_used(self) -> set[str]:
        return super().templates_used | {"dictionary_words.html"}

    @page_route("/words/{id}", "view")
    async def show_words(self, request: Request) -> Response:
        ask = panel_request(request)
        found = await self._found(ask, request)
        return await self._show(ask, found, _rows_of(ask, found))

    @page_route("/words/{id}", "edit", "POST")
    async def save_words(self, request: Request) -> Response:
        """Save the form, together with the move, the new row or the archiving whose button was pressed."""
        ask, data = panel_request(request), forms.without_files(await request.form())
        if not ask.may("dictionary.edit"):
            raise HTTPException(403)
        found = await self._found(ask, request)
        rows = _sent(data, found)
        lines = [_line(row, data) for row in rows if not _is_blank(row)]
        try:
            saved: SavedTree = await ask.scope.run(save_tree, found.id, lines)
        except Refusal as refusal:
            return await self._show(ask, found, rows, refusal.say(ask.language))
        if saved.problems:
            found = await self._found(ask, request)
            rows = _with_problems(ask, found, [row for row in rows if not _is_blank(row)], saved.problems)
            return await self._show(ask, found, rows, _("Nothing was saved yet, because of what is marked below."))
        add = str(data.get("add", ""))
        if "add" in data:
            below = (
                saved.ids[[row.token for row in rows if not _is_blank(row)].index(add)] if add in _tokens(rows) else 0
            )
            return RedirectResponse(f"{self.url('words', global_id(Dictionary, found.id))}?add={below}#new", 303)
        return RedirectResponse(f"{self.url('words', global_id(Dictionary, found.id))}?saved=1", 303)

    # -- pages -------------------------------------------------------------------------------------------

    async def _found(self, ask: PanelRequest, request: Request) -> _Dictionary:
        found: _Dictionary | None = await ask.scope.read(_read, number_of(Dictionary, request.path_params["id"]))
        if found is None:
            raise HTTPException(404)
        return found

    async def _show(self, ask: PanelRequest, found: _Dictionary, rows: list[EditorRow], error: str = "") -> Response:
        query = ask.request.query_params
        below = whole_number(query.get("add", "")) if "add" in query and not error else None
        lists = self._lists(ask, found.code)
        context = {
            "id": global_id(Dictionary, found.id),
            "name": found.name,
            "rows": _with_blank(rows, below) if below is not None else rows,
            "tones": [(tone.value, choice_label(tone)) for tone in Tone],
            "may_edit": ask.may("dictionary.edit"),
            "error": error,
            "saved": "saved" in query,
            "list_url": next((f"{screen.url('list')}?f_{key}=" for screen, key in lists), ""),
            "changes": [
                (field_label(screen.model, key), f"{screen.url('change')}?field={key}&f_{key}=")
                for screen, key in lists
                if screen.may_change(ask) and ask.edits(screen.module, key)
            ],
            "blank": EditorRow("", 0),
        }
        return await self.render(ask, "dictionary_words.html", context, 422 if error else 200)

    def _lists(self, ask: PanelRequest, code: str) -> list[tuple[Any, str]]:
        """(screen, field) of every list of records that hold words of this dictionary."""
        screens = ((self.panel.view_of(model), key) for model, key in offering(ask.scope, code))
        return [(screen, key) for screen, key in screens if screen is not None and screen.is_accessible(ask.request)]


# --- steps -----------------------------------------------------------------------------------------------


def _read(scope: Scope, db: Session, id: int) -> _Dictionary | None:
    d, item = Dictionary, DictionaryItem
    named = select(d.code, d.name, d.name_zh).where(d.id == id, d.deleted_at.is_(None))
    whole = db.execute(named).first()
    if whole is None:
        return None
    columns = [value(scope.viewer, item, item, key).label(key) for key in _SHOWN]
    asked = select(*columns).where(item.dictionary_id == id, item.deleted_at.is_(None))
    words = [dict(row) for row in db.execute(asked.order_by(item.position, item.id)).mappings()]
    w = WordMerge
    merged = select(w.loser_id, w.winner_id, w.id).where(
        w.loser_id.in_([x["id"] for x in words]), w.undone_at.is_(None)
    )
    name = (whole.name_zh if scope.language.startswith("zh") else None) or whole.name
    merges = {loser: (winner, merge) for loser, winner, merge in db.execute(merged)}
    return _Dictionary(id, whole.code, name, words, counts_of(scope, db, whole.code), merges)


def _in_order(words: Sequence[dict[str, Any]]) -> list[tuple[dict[str, Any], int]]:
    """(word, its depth), each after the word above it."""
    ids, below = {word["id"] for word in words}, dict[int | None, list[dict[str, Any]]]()
    for word in words:
        below.setdefault(word["parent_id"] if word["parent_id"] in ids else None, []).append(word)
    found: list[tuple[dict[str, Any], int]] = []
    waiting = [(word, 0) for word in reversed(below.get(None, []))]
    while waiting:
        word, depth = waiting.pop()
        found.append((word, depth))
        waiting += [(x, depth + 1) for x in reversed(below.get(word["id"], []))]
    return found


def _rows_of(ask: PanelRequest, found: _Dictionary) -> list[EditorRow]:
    return [_row(ask, found, word, depth) for word, depth in _in_order(found.words)]


def _row(ask: PanelRequest, found: _Dictionary, word: Mapping[str, Any], depth: int) -> EditorRow:
    winner, merge = found.merges.get(word["id"], (0, 0))
    into = next((_label(ask, x) for x in found.words if x["id"] == winner), "")
    return EditorRow(
        global_id(DictionaryItem, word["id"]),
        depth,
        word["label_en"] or "",
        word["label_zh"] or "",
        joined(word["aliases"] or ()),
        word["tone"] or "",
        str(word["version"]),
        json.dumps({key: word[key] for key in _KEPT}, ensure_ascii=False),
        word["key"] or "",
        word["archived_at"] is not None,
        (into, global_id(WordMerge, merge)) if merge else None,
        found.counts.get(word["key"], 0),
        chip=(word["tone"] or usual_tone(found.code, word["key"] or "")),
    )


def _label(ask: PanelRequest, word: Mapping[str, Any]) -> str:
    return str((word["label_zh"] if ask.language == "zh" else None) or word["label_en"])


def _sent(data: FormData, found: _Dictionary) -> list[EditorRow]:
    """The rows as they were sent, after the move whose button was pressed."""
    known = {global_id(DictionaryItem, word["id"]): word for word in found.words}
    tokens = dict.fromkeys(str(x) for x in data.getlist("row")[:MOST_ROWS])
    places = settled([TreeRow(token, whole_number(str(data.get(f"depth.{token}", ""))) or 0) for token in tokens])
    how, _dot, which = str(data.get("move", "")).partition(".")
    rows = moved(places, which, how) if which else places
    return [_sent_row(data, found, row, known.get(row.token)) for row in rows]


def _sent_row(data: FormData, found: _Dictionary, row: TreeRow, word: Mapping[str, Any] | None) -> EditorRow:
    def text(name: str) -> str:
        return str(data.get(f"{name}.{row.token}", "")).strip()

    key = str(word["key"]) if word is not None else ""
    return EditorRow(
        row.token,
        row.depth,
        label_en=text("en"),
        label_zh=text("zh"),
        aliases=text("aliases"),
        tone=text("tone"),
        version=text("version"),
        was=text("was"),
        key=key,
        archived=word is not None and word["archived_at"] is not None,
        count=found.counts.get(key, 0),
    )


def _tokens(rows: Sequence[EditorRow]) -> set[str]:
    return {row.token for row in rows if not _is_blank(row)}


def _is_blank(row: EditorRow) -> bool:
    """Whether nothing was typed into a new row."""
    return row.token.startswith(NEW) and not (row.label_en or row.label_zh or row.aliases)


def _line(row: EditorRow, data: FormData) -> TreeLine:
    given: dict[str, Any] = {
        "label_en": row.label_en or row.label_zh,
        "label_zh": row.label_zh or None,
        "aliases": parted(row.aliases),
        "tone": row.tone if row.tone in {x.value for x in Tone} else None,
    }
    try:
        was = json.loads(row.was)
    except ValueError:
        was = {}
    was = {key: was[key] for key in _KEPT if key in was} if isinstance(was, dict) else {}
    pressed = {str(data[name]): name == "archive" for name in ("archive", "bring-back") if name in data}
    id = None if row.token.startswith(NEW) else number_of(DictionaryItem, row.token)
    return TreeLine(id, row.depth, given, was, whole_number(row.version), pressed.get(row.token))


def _with_problems(
    ask: PanelRequest, found: _Dictionary, rows: Sequence[EditorRow], problems: Mapping[int, Refusal]
) -> list[EditorRow]:
    """The rows as they were sent, with what is wrong.  One that somebody else has changed is saved as typed next time."""
    now = {row.token: row for row in _rows_of(ask, found)}
    return [_with_problem(ask, row, now.get(row.token), problems.get(number)) for number, row in enumerate(rows)]


def _with_problem(ask: PanelRequest, row: EditorRow, there: EditorRow | None, refusal: Refusal | None) -> EditorRow:
    shown = row if there is None else replace(row, part_of=there.part_of, chip=row.tone or there.chip)
    if refusal is None:
        return shown
    said = refusal.say(ask.language)
    if refusal.code() != "CONFLICT" or there is None:
        return replace(shown, error=said)
    words = [there.label_en, there.label_zh, there.aliases, choice_label(Tone(there.tone)) if there.tone else ""]
    said += " " + _("Now there: %(text)s") % {"text": " · ".join(filter(None, words))}
    return replace(shown, version=there.version, was=there.was, error=said)


def _with_blank(rows: list[EditorRow], below: int) -> list[EditorRow]:
    """The rows with a new one: below the word with this id, or at the end."""
    token = global_id(DictionaryItem, below) if below else ""
    at = next((n for n, row in enumerate(rows) if row.token == token), None)
    if at is None:
        return [*rows, EditorRow(f"{NEW}_0", 0)]
    end = next((n for n in range(at + 1, len(rows)) if rows[n].depth <= rows[at].depth), len(rows))
    return [*rows[:end], EditorRow(f"{NEW}_0", rows[at].depth + 1), *rows[end:]]
