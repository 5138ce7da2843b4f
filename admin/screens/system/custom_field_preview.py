"""A custom field as people will meet it, while its form is filled in: input, hint and a value on a page, in both languages."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from markupsafe import Markup
from starlette.datastructures import FormData

from models import Customer
from models.custom_field import CHOICES, Custom, CustomKind
from models.dictionary import usual_tone
from resolvers.records.dictionaries import Word

from ...kit import forms
from ...kit.fields import Field, Kind, of_custom
from ...kit.formatting import text
from ...kit.panel_request import PanelRequest
from ...kit.translation import LANGUAGES

_MOST = 60
"""Maximum number of options that a preview shows."""


@dataclass(frozen=True)
class Preview:
    """The field in one language: the language, its form of one input, and a value of it on a page."""

    language: str
    field: Field
    form: Any
    sample: Markup


async def preview(ask: PanelRequest, form: FormData) -> list[Preview]:
    """The field that the form describes so far, once in each language."""
    given = {
        name: str(form.get(name, "")).strip()[:2000]
        for name in ("label_en", "label_zh", "help_en", "help_zh", "dictionary")
    }
    said = str(form.get("kind") or form.get("was_kind") or "")
    kind = CustomKind(said) if said in tuple(CustomKind) else CustomKind.TEXT
    options = forms.options_in(form)
    if kind in CHOICES and given["dictionary"]:
        await ask.load_words({given["dictionary"]})
    return [
        _preview(ask, kind, given, options, language, is_required=form.get("is_required") == "y")
        for language in sorted(LANGUAGES, key=lambda x: x != ask.language)
    ]


def _preview(
    ask: PanelRequest,
    kind: CustomKind,
    given: Mapping[str, str],
    options: list[dict[str, Any]],
    language: str,
    *,
    is_required: bool,
) -> Preview:
    code = f"#preview-{language}"
    named = (given["label_zh"], given["label_en"])
    label = next((x for x in (named if language == "zh" else reversed(named)) if x), "…")
    help = (given["help_zh"] if language == "zh" else "") or given["help_en"] or given["help_zh"]
    ask.words[code] = _words(ask, given["dictionary"], options, language)
    custom = Custom(
        0, "customer", f"preview_{language}", kind, label, is_required=is_required, dictionary=code, target="customer"
    )
    field = replace(of_custom(Customer, custom), name=label, help=help)
    form = forms.form_class(ask, [field], {field.key: []} if field.kind is Kind.RECORD else None)()
    return Preview(LANGUAGES[language], field, form, _sample(ask, field, custom))


def _words(ask: PanelRequest, dictionary: str, options: list[dict[str, Any]], language: str) -> dict[str, Word]:
    if options:
        said = [
            ((x["label_zh"] if language == "zh" else x["label_en"]) or x["label_en"] or x["label_zh"], x)
            for x in options
        ]
        return {
            f"{n}": Word(f"{n}", label, x["is_archived"], usual_tone(dictionary, ""))
            for n, (label, x) in enumerate(said[:_MOST])
        }
    return dict(list(ask.words.get(dictionary, {}).items())[:_MOST])


def _sample(ask: PanelRequest, field: Field, custom: Custom) -> Markup:
    """A value as a page shows it."""
    words = (
        [word for word in ask.words[field.dictionary].values() if not word.is_archived]
        if custom.kind in CHOICES and field.dictionary
        else []
    )
    samples: dict[Kind, Any] = {
        Kind.DECIMAL: Decimal("1234.5"),
        Kind.MONEY: Decimal("1234.50"),
        Kind.DATE: ask.local(ask.scope.now()).date(),
        Kind.TIME: ask.scope.now(),
        Kind.YES_NO: True,
        Kind.WORDS: words[0].key if words else None,
        Kind.WORD_LIST: [word.key for word in words[:2]],
    }
    reached = {"phone": "021-5555 1234", "email": "li@example.com", "link": "https://example.com"}
    value = samples.get(field.kind, reached.get(field.reach, "…"))
    return text(ask, field, value) if value else Markup("–")
