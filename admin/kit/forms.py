"""Forms: inputs derived from fields, what was typed as values, and only what somebody has really changed."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from starlette.datastructures import FormData
from wtforms import (
    BooleanField,
    DateField,
    DateTimeLocalField,
    DecimalField,
    Form,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms import Field as Input
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from models import Base
from models.audit.entries import plain
from models.contact import PointKind
from models.errors import Refusal
from resolvers.runtime.ids import camel, global_id, number_of
from resolvers.runtime.inputs import YEARS

from .fields import Field, Kind
from .labels import choice_label
from .panel_request import PanelRequest
from .translation import gettext as _

WAS = "_was"
"""The hidden input with what the form held when it was shown."""
_LARGEST = 2**31 - 1
_AMOUNT = Decimal(10) ** 14


class PanelForm(Form):  # type: ignore[misc]  # WTForms has no types
    """A form whose own sentences are in the language of the request."""

    class Meta:
        locales: ClassVar[list[str]] = ["en"]


class PointsInput(Input):  # type: ignore[misc]  # as above
    """The phones and addresses of a contact: pairs of `points-kind` and `points-value`, in order."""

    kinds = tuple(PointKind)

    def process(self, formdata: Any, data: Any = None, extra_filters: Any = None) -> None:
        self.process_errors: Sequence[str] = []
        self.data = data or []
        if formdata is not None:
            kinds, values = formdata.getlist(f"{self.name}-kind"), formdata.getlist(f"{self.name}-value")
            pairs = zip(kinds, values, strict=False)
            self.data = [{"kind": kind, "value": value.strip()} for kind, value in pairs if value.strip()]


def form_class(
    ask: PanelRequest, fields: Iterable[Field], options: Mapping[str, list[tuple[str, str]]] | None = None
) -> type[PanelForm]:
    """A form with these fields.  `options` are the choices of RECORD fields that are offered as a plain list."""
    inputs = {each.key: _input(ask, each, (options or {}).get(each.key)) for each in fields}
    meta = type("Meta", (), {"locales": ["zh"] if ask.language == "zh" else ["en"]})
    return type("AForm", (PanelForm,), {"Meta": meta, **inputs})


def _input(ask: PanelRequest, each: Field, options: list[tuple[str, str]] | None) -> Any:
    how: dict[str, Any] = {"label": each.label, "description": str(each.help), "validators": _validators(each)}
    match each.kind:
        case Kind.YES_NO:
            return BooleanField(each.label, description=str(each.help))
        case Kind.CHOICE:
            return SelectField(**how, choices=_with_none([(x, choice_label(x)) for x in each.choices]))
        case Kind.WORDS:
            return SelectField(**how, choices=_with_none(_words(ask, each)), validate_choice=False)
        case Kind.RECORD:
            mark = {} if options is None else {"data-plain": "1"}  # a list to choose from, not a search
            return SelectField(**how, choices=_with_none(options or []), validate_choice=False, render_kw=mark)
        case Kind.POINTS:
            return PointsInput(each.label)
    if each.kind in _TYPED:
        made, more = _TYPED[each.kind]
        return made(**how, **more)
    kind = {"phone": "tel", "email": "email"}.get(each.key.removeprefix("contact_"), "text")
    return StringField(**how, render_kw={"type": kind})


_TYPED: dict[Kind, tuple[Any, dict[str, Any]]] = {
    Kind.LONG: (TextAreaField, {"render_kw": {"rows": 3}}),
    Kind.LINES: (TextAreaField, {"render_kw": {"rows": 3}}),
    Kind.WHOLE: (IntegerField, {}),
    Kind.MONEY: (DecimalField, {"places": 2, "render_kw": {"step": "0.01", "type": "number"}}),
    Kind.DATE: (DateField, {}),
    Kind.TIME: (DateTimeLocalField, {"format": ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]}),
}
"""Kinds whose input is what it is, whatever it holds."""


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
    """Refuse a number that no column holds, whatever its length."""
    most = _LARGEST if isinstance(field, IntegerField) else _AMOUNT
    if field.data is None:
        return
    if isinstance(field.data, Decimal) and field.data.is_nan():
        raise ValidationError(field.gettext("Not a valid decimal value."))
    if not -most < field.data < most:
        raise ValidationError(_("This number is too large."))


def _in_calendar(_form: Form, field: Input) -> None:
    if field.data is not None and field.data.year not in YEARS:
        raise ValidationError(_("This date is out of range."))


def _with_none(choices: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [("", ""), *choices]


def _words(ask: PanelRequest, each: Field) -> list[tuple[str, str]]:
    """Every word that is not archived; what the record holds already it may keep, see `fill`."""
    words = ask.words.get(each.dictionary or "", {})
    return [(word.key, word.label) for word in words.values() if not word.is_archived]


# --- from values to inputs and back ----------------------------------------------------------------------


def typed(ask: PanelRequest, each: Field, value: Any) -> Any:
    """A value of a record as an input holds it."""
    match each.kind:
        case Kind.TIME if value is not None:
            return ask.local(value).replace(second=0, microsecond=0, tzinfo=None)
        case Kind.RECORD if value is not None and each.target is not None:
            return global_id(each.target, value)
        case Kind.LINES:
            return "\n".join(value or ())
        case Kind.YES_NO:
            return bool(value)
        case Kind.POINTS:
            return [{"kind": str(x["kind"]), "value": x["value"]} for x in value or ()]
        case Kind.TEXT | Kind.LONG | Kind.WORDS | Kind.CHOICE:
            return value or ""
    return value


def value_of(ask: PanelRequest, each: Field, typed: Any) -> Any:
    """What an input holds as a use case takes it; None for nothing."""
    match each.kind:
        case Kind.TIME if isinstance(typed, datetime):
            return ask.moment(typed)
        case Kind.RECORD:
            target: type[Base] | None = each.target
            return number_of(target, typed) if typed and target is not None else None
        case Kind.LINES:
            return [line.strip() for line in (typed or "").splitlines() if line.strip()]
        case Kind.YES_NO | Kind.POINTS:
            return typed
    return None if typed == "" else typed


def values_of(ask: PanelRequest, fields: Iterable[Field], form: Form) -> dict[str, Any]:
    return {each.key: value_of(ask, each, form[each.key].data) for each in fields}


def written(fields: Iterable[Field], shown: Mapping[str, Any]) -> str:
    """What a form holds when it is shown, for the hidden input that comes back with it."""
    return json.dumps({each.key: _comparable(shown.get(each.key)) for each in fields}, ensure_ascii=False)


def changed(fields: Iterable[Field], form: Form, was: str) -> list[Field]:
    """The fields that hold something else than when the form was shown."""
    try:
        before = dict(json.loads(was))
    except (ValueError, TypeError, RecursionError):
        before = {}
    return [each for each in fields if before.get(each.key, ...) != _comparable(form[each.key].data)]


def _comparable(typed: Any) -> Any:
    """A value so that what nobody touched compares equal: browsers end lines in their own way."""
    if isinstance(typed, str):
        return typed.replace("\r\n", "\n").strip()
    if isinstance(typed, datetime):
        return typed.isoformat(timespec="minutes")
    return "" if typed is None else plain(typed)


def blame(form: Form, refusal: Refusal, language: str) -> str | None:
    """Put a refusal beside the field that it is about; give it back where the form has no such field."""
    for name in form._fields:  # WTForms has no public way to the names
        if refusal.field in (name, camel(name), camel(name.removesuffix("_id"))):
            label = form[name].label.text
            said = refusal.say(language).replace(camel(name), label, 1)
            form[name].errors = [*form[name].errors, said]
            return None
    return refusal.say(language)


def posted(data: FormData) -> FormData:
    """A form without files: the panel takes none yet."""
    return FormData([(key, value) for key, value in data.multi_items() if isinstance(value, str)])


def require_any(form: Form) -> str:
    """The sentence above a form with mistakes."""
    count = sum(1 for each in form if each.errors)
    return _("Please look at the marked fields: %(count)s.") % {"count": count} if count else ""
