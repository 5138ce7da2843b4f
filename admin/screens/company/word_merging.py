"""Merging two words of a dictionary: the page that asks which one stays, what was done, and its undoing."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models import Dictionary, DictionaryItem, WordMerge
from models.errors import Refusal
from resolvers.merging.word_merge import merge_words
from resolvers.merging.word_unmerge import PastWordMerge, past_word_merge, unmerge_words
from resolvers.reading.clauses import value
from resolvers.runtime.batch import Outcome
from resolvers.runtime.ids import global_id, number_of
from resolvers.runtime.scope import Scope

from ...kit import forms
from ...kit.once import act_once
from ...kit.panel_request import PanelRequest, panel_request
from ...kit.routes import page_route
from .dictionary_words import DictionaryWords


class WordMerging(DictionaryWords):
    """The pages of a merge of words, which the screen of dictionaries adds to its own."""

    @property
    def templates_used(self) -> set[str]:
        return super().templates_used | {"merge_words.html", "merged_words.html"}

    @page_route("/merge-words/{id}", "edit")
    async def show_merge(self, request: Request) -> Response:
        return await self._show_merge(_editor(request), number_of(DictionaryItem, request.path_params["id"]))

    @page_route("/merge-words/{id}", "edit", "POST")
    async def run_merge(self, request: Request) -> Response:
        """Merge the word into the chosen one; a refusal shows the page again, with what was chosen."""
        ask, data = _editor(request), forms.without_files(await request.form())
        loser, chosen = number_of(DictionaryItem, request.path_params["id"]), str(data.get("winner", ""))
        winner, reason = number_of(DictionaryItem, chosen), str(data.get("reason", "")) or None

        def call(scope: Scope) -> Outcome:
            return Outcome([merge_words(scope, winner, loser, reason)])

        try:
            outcome = await act_once(ask, data, "dictionary.merge_words", {"id": loser}, call, None)
        except Refusal as refusal:
            return await self._show_merge(ask, loser, chosen, reason or "", refusal)
        return RedirectResponse(self.url("merged-words", global_id(WordMerge, outcome.ids[0])), 303)

    @page_route("/merged-words/{id}", "edit")
    async def show_merged(self, request: Request) -> Response:
        """What a merge of words, or its undoing, has done."""
        return await self._show_merged(_editor(request), number_of(WordMerge, request.path_params["id"]))

    @page_route("/merged-words/{id}", "edit", "POST")
    async def undo_merge(self, request: Request) -> Response:
        ask, data = _editor(request), forms.without_files(await request.form())
        id = number_of(WordMerge, request.path_params["id"])

        def call(scope: Scope) -> Outcome:
            return Outcome([unmerge_words(scope, id)])

        try:
            await act_once(ask, data, "dictionary.unmerge_words", {"id": id}, call, None)
        except Refusal as refusal:
            return await self._show_merged(ask, id, refusal)
        return RedirectResponse(self.url("merged-words", global_id(WordMerge, id)), 303)

    # -- pages -------------------------------------------------------------------------------------------

    async def _show_merge(
        self, ask: PanelRequest, loser: int, chosen: str = "", reason: str = "", refusal: Refusal | None = None
    ) -> Response:
        found = await ask.scope.read(_choices, loser)
        if found is None:
            raise HTTPException(404)
        dictionary, names = found
        context: dict[str, Any] = {
            "id": global_id(DictionaryItem, loser),
            "words_url": self.url("words", global_id(Dictionary, dictionary)),
            "name": names.pop(loser),
            "choices": [(global_id(DictionaryItem, id), name) for id, name in names.items()],
            "chosen": chosen,
            "reason": reason,
            "error": refusal.say(ask.language) if refusal else "",
        }
        return await self.render(ask, "merge_words.html", context, 422 if refusal else 200)

    async def _show_merged(self, ask: PanelRequest, id: int, refusal: Refusal | None = None) -> Response:
        found: PastWordMerge | None = await ask.scope.read(past_word_merge, id)
        there = await ask.scope.read(_choices, found.winner_id, (found.loser_id,)) if found else None
        if found is None or there is None:
            raise HTTPException(404)
        dictionary, names = there
        context = {
            "merge": found,
            "id": global_id(WordMerge, id),
            "words_url": self.url("words", global_id(Dictionary, dictionary)),
            "winner": names.get(found.winner_id, ""),
            "loser": names.get(found.loser_id, ""),
            "kept": [note.say(ask.language) for note in found.kept],
            "error": refusal.say(ask.language) if refusal else "",
        }
        return await self.render(ask, "merged_words.html", context, 422 if refusal else 200)


def _editor(request: Request) -> PanelRequest:
    """The request of a user who may change dictionaries.  Raises HTTPException 403."""
    ask = panel_request(request)
    if not ask.may("dictionary.edit"):
        raise HTTPException(403)
    return ask


def _choices(scope: Scope, db: Session, id: int, besides: tuple[int, ...] = ()) -> tuple[int, dict[int, str]] | None:
    """(dictionary, word -> label of this word, of those `besides`, and of all that are offered); None out of sight."""
    item: Any = DictionaryItem
    whole = select(item.dictionary_id).where(item.id == id, item.deleted_at.is_(None))
    dictionary = db.execute(whole).scalar()
    if dictionary is None:
        return None
    labels = [value(scope.viewer, item, item, key) for key in ("label_en", "label_zh")]
    asked = select(item.id, *labels).where(item.dictionary_id == dictionary, item.deleted_at.is_(None))
    asked = asked.where(item.archived_at.is_(None) | item.id.in_((id, *besides))).order_by(item.position, item.id)
    is_chinese = scope.language.startswith("zh")
    return dictionary, {id: (zh or en) if is_chinese else en for id, en, zh in db.execute(asked)}
