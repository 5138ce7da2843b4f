"""Forms: inputs derived from fields, their validation, and refusals beside them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from starlette.datastructures import FormData
from wtforms import (
    BooleanField,
    DateField,
    DateTimeLocalField,
    DecimalField,
    Form,
    HiddenField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms import Field as Input
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from models.amounts import amount_of
from models.contact import PointKind
from models.errors import Refusal
from models.field_names import field_in_words
from resolvers.runtime.ids import camel
from resolvers.runtime.inputs import YEARS

from .fields import Field, Kind
from .labels import choice_label
from .panel_request import PanelRequest
from .translation import gettext as _

_LARGEST = 2**31 - 1
_LARGEST_AMOUNT = Decimal(10) ** 14


class PanelForm(Form):  # type: ignore[misc]  # WTForms has no types
    """A form whose own messages are in the language of the request."""

    class Meta:
        locales: ClassVar[list[str]] = ["en"]


class MoneyInput(DecimalField):  # type: ignore[misc]  # as above
    """An amount as users write it, with or without thousands separators."""

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        if not valuelist:
            return
        self.data: Decimal | None = None
        try:
            self.data = amount_of(valuelist[0])
        except ValueError:
            raise ValueError(self.gettext("Not a valid decimal value.")) from None


class PointsInput(Input):  # type: ignore[misc]  # as above
    """The phones and addresses of a contact: pairs of the inputs `points-kind` and `points-value`, in order."""

    kinds = tuple(PointKind)

    def process(self, formdata: Any, data: Any = None, extra_filters: Any = None) -> None:
        self.process_errors: Sequence[str] = []
        self.data = data or []
        if formdata is not None:
            kinds, values = formdata.getlist(f"{self.name}-kind"), formdata.getlist(f"{self.name}-value")
            pairs = zip(kinds, values, strict=False)
            self.data = [{"kind": kind, "value": value.strip()} for kind, value in pairs if value.strip()]


class OptionsInput(Input):  # type: ignore[misc]  # as above
    """The options of a custom choice, in order: `options-en`, `-zh`, `-aliases`, `-key` and `-gone` of each row.

    A row without a name is no option.
    """

    def process(self, formdata: Any, data: Any = None, extra_filters: Any = None) -> None:
        self.process_errors: Sequence[str] = []
        self.data = data or []
        if formdata is not None:
            self.data = options_in(formdata, self.name)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The options, and empty rows for new ones."""
        blank = dict.fromkeys(("key", "label_en", "label_zh", "aliases", "is_archived"))
        return [*self.data, *([blank] * (1 if self.data else 3))]


_PARTS = ("key", "en", "zh", "aliases", "gone")


def options_in(formdata: Any, name: str = "options") -> list[dict[str, Any]]:
    """The options that a posted form holds, as the use cases take them."""
    columns = [formdata.getlist(f"{name}-{part}") for part in _PARTS]
    rows = (dict(zip(_PARTS, map(str, row), strict=True)) for row in zip(*columns, strict=False))
    return [_option(row) for row in rows if row["en"].strip() or row["zh"].strip()]


def _option(row: Mapping[str, str]) -> dict[str, Any]:
    return {
        "key": row["key"].strip() or None,
        "label_en": row["en"].strip() or None,
        "label_zh": row["zh"].strip() or None,
        "aliases": [x for text in re.split("[,，、;；]", row["aliases"]) if (x := text.strip())],
        "is_archived": row["gone"] == "1",
    }


def form_class(
    ask: PanelRequest, fields: Iterable[Field], options: Mapping[str, list[tuple[str, str]]] | None = None
) -> type[PanelForm]:
    """A form with these fields.  `options`: the choices of RECORD fields that offer a plain list, and of WORDS that offer some
    words alone."""
    inputs = {each.key: _input(ask, each, (options or {}).get(each.key)) for each in fields}
    meta = type("Meta", (), {"locales": ["zh"] if ask.language == "zh" else ["en"]})
    return type("DerivedForm", (PanelForm,), {"Meta": meta, **inputs})


def _input(ask: PanelRequest, each: Field, options: list[tuple[str, str]] | None) -> Any:
    common: dict[str, Any] = {"label": each.label, "description": str(each.help), "validators": _validators(each)}
    match each.kind:
        case Kind.YES_NO:
            return BooleanField(each.label, description=str(each.help))
        case Kind.CHOICE:
            return SelectField(**common, choices=_with_none([(x, choice_label(x)) for x in each.choices]))
        case Kind.WORDS:
            words = _words(ask, each) if options is None else options
            return SelectField(**common, choices=_with_none(words), validate_choice=False)
        case Kind.WORD_LIST:
            return SelectMultipleField(**common, choices=_words(ask, each), validate_choice=False)
        case Kind.RECORD:
            attributes = {} if options is None else {"data-plain": "1"}  # a list to choose from, not a search
            return SelectField(**common, choices=_with_none(options or []), validate_choice=False, render_kw=attributes)
        case Kind.POINTS:
            return PointsInput(each.label)
        case Kind.OPTIONS:
            return OptionsInput(each.label, description=str(each.help))
    if each.kind in _TYPED:
        input_class, more = _TYPED[each.kind]
        return input_class(**common, **more)
    kind = _TYPES.get(each.reach or each.key.removeprefix("contact_"), "text")
    return StringField(**common, render_kw={"type": kind})


_TYPES = {"phone": "tel", "email": "email", "link": "url"}
_TYPED: dict[Kind, tuple[Any, dict[str, Any]]] = {
    Kind.LONG: (TextAreaField, {"render_kw": {"rows": 3}}),
    Kind.CONDITION: (HiddenField, {}),
    Kind.LINES: (TextAreaField, {"render_kw": {"rows": 3}}),
    Kind.WHOLE: (IntegerField, {}),
    Kind.MONEY: (MoneyInput, {"places": 2, "render_kw": {"type": "text", "inputmode": "decimal"}}),
    Kind.DECIMAL: (MoneyInput, {"places": None, "render_kw": {"type": "text", "inputmode": "decimal"}}),
    Kind.DATE: (DateField, {}),
    Kind.TIME: (DateTimeLocalField, {"format": ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]}),
}
"""The inputs of kinds that need nothing but the field."""


def _validators(each: Field) -> list[Any]:
    needed: list[Any] = [InputRequired()] if each.is_required else [Optional()]
    if each.is_number:
        needed.append(_in_range)
    if each.kind is Kind.TIME:
        needed.append(_in_calendar)
    if each.kind is Kind.TEXT and each.length:
        needed.append(Length(max=each.length))
    return needed


def _in_range(_form: Form, field: Input) -> None:
    """Refuse a number that is larger than any column holds."""
    largest = _LARGEST if isinstance(field, IntegerField) else _LARGEST_AMOUNT
    if field.data is None:
        return
    if isinstance(field.data, Decimal) and field.data.is_nan():
        raise ValidationError(field.gettext("Not a valid decimal value."))
    if not -largest < field.data < largest:
        raise ValidationError(_("This number is too large."))


def _in_calendar(_form: Form, field: Input) -> None:
    if field.data is not None and field.data.year not in YEARS:
        raise ValidationError(_("This date is out of range."))


def _with_none(choices: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [("", ""), *choices]


def _words(ask: PanelRequest, each: Field) -> list[tuple[str, str]]:
    """Every word that is not archived.  An archived word that the record holds is added by `FormPage.offer_chosen`."""
    words = ask.words.get(each.dictionary or "", {})
    return [(word.key, word.label) for word in words.values() if not word.is_archived]


def place_refusal(form: Form, refusal: Refusal, language: str) -> str | None:
    """Put a refusal, and those that it carries, beside the fields that they are about.

    Returns the messages of those for which the form has no field.
    """
    unplaced = [said for each in refusal.all if (said := _place(form, each, language)) is not None]
    return " ".join(dict.fromkeys(unplaced)) or None


def place_others(form: Form, refusals: Iterable[Refusal], language: str) -> None:
    """Put what a use case refuses beside the fields that have no mistake yet; the rest may follow from those that have."""
    wrong = {name for name in form._fields if form[name].errors}
    for refusal in refusals:
        if not any(_names(refusal, name) for name in wrong):
            _place(form, refusal, language)


def _names(refusal: Refusal, name: str) -> bool:
    return refusal.field in (name, camel(name), camel(name.removesuffix("_id")))


def _place(form: Form, refusal: Refusal, language: str) -> str | None:
    for name in form._fields:  # WTForms has no public way to the names
        if _names(refusal, name):
            label = form[name].label.text
            called = field_in_words(name)[language.startswith("zh")]
            message = refusal.say(language)
            message = label + message.removeprefix(called) if message.startswith(called) else message
            form[name].errors = [*form[name].errors, message]
            return None
    return refusal.say(language)


def without_files(data: FormData) -> FormData:
    """The texts of a posted form, because no form of the panel takes files."""
    return FormData([(key, value) for key, value in data.multi_items() if isinstance(value, str)])


def mistakes_in(form: Form) -> str:
    """The sentence above a form with mistakes, "" above one without."""
    count = sum(1 for each in form if each.errors)
    return _("Please look at the marked fields: %(count)s.") % {"count": count} if count else ""
