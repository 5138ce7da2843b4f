"""Matches of a duplicate check as the panel shows them: what is alike, where the record is, and the next step as a button."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData

from models import Base, Contact, Customer
from resolvers.duplicates.check import Match, NextStep, Place
from resolvers.runtime.ids import global_id, number_of

from ...kit.labels import choice_label
from ...kit.panel_request import PanelRequest
from ...kit.translation import gettext, listed

_ = gettext
MODELS: Mapping[str, type[Customer] | type[Contact]] = {model.module: model for model in (Customer, Contact)}


@dataclass(frozen=True)
class Step:
    """A button: what may be done with a record.  `icon`, `label` and address; `has_dialog`: whether it asks first."""

    icon: str
    label: str
    href: str
    has_dialog: bool = True


@dataclass(frozen=True)
class MatchLine:
    """One match, in words."""

    is_certain: bool
    name: str
    number: str
    href: str | None
    common: str
    place: str
    step: Step | None
    advice: str
    """Whom to ask, where there is no button."""


def match_lines(panel: Any, ask: PanelRequest, model: type[Base], matches: Iterable[Match]) -> list[MatchLine]:
    return [_line(panel, ask, model, match) for match in matches]


def given_in(data: FormData | Mapping[str, Any]) -> dict[str, Any]:
    """What a posted form of a customer or a contact says of it, as `check` takes it."""
    texts = FormData(data)
    points = list(zip(texts.getlist("points-kind"), texts.getlist("points-value"), strict=False))
    phones = [texts.get("phone"), texts.get("contact_phone"), *(value for kind, value in points if kind == "PHONE")]
    emails = [texts.get("email"), texts.get("contact_email"), *(value for kind, value in points if kind == "EMAIL")]
    return {
        "name": str(texts.get("name", "")),
        "phone": [str(text) for text in phones if text],
        "email": [str(text) for text in emails if text],
        "registration_number": str(texts.get("registration_number", "")),
        "customer_id": number_of(Customer, str(texts.get("customer_id", ""))),
    }


# --- steps -----------------------------------------------------------------------------------------------


def _line(panel: Any, ask: PanelRequest, model: type[Base], match: Match) -> MatchLine:
    step = _step(panel, ask, model, match)
    return MatchLine(
        is_certain=match.verdict.is_certain,
        name=match.name,
        number=match.number,
        href=panel.address(ask, model, match.id) if match.id else None,
        common=listed(_in_list(choice_label(evidence), n) for n, evidence in enumerate(match.evidence)),
        place=_place(match),
        step=step,
        advice="" if step else _advice(match),
    )


def _in_list(label: str, place: int) -> str:
    return label[:1].lower() + label[1:] if place else label


def _place(match: Match) -> str:
    if match.place is Place.OWNED:
        return _("Owner: %(name)s") % {"name": match.owner} if match.owner else ""
    return choice_label(match.place)


def _step(panel: Any, ask: PanelRequest, model: type[Base], match: Match) -> Step | None:
    if not match.id:
        return None
    id = global_id(model, match.id)
    if match.next_step is NextStep.CLAIM:
        return _command(panel, model, "claim", id, "detail", binned=False)
    if match.next_step is NextStep.RESTORE:
        return _command(panel, model, "restore", id, "list", binned=True)
    href = panel.address(ask, model, match.id)
    return Step("arrow-right", _("Open"), href, has_dialog=False) if href else None


def _command(panel: Any, model: type[Base], name: str, id: str, origin: str, *, binned: bool) -> Step | None:
    for view in panel.views:
        if getattr(view, "model", None) is model and bool(view.binned) is binned:
            for each in view.commands:
                if each.name == name:
                    return Step(each.icon, str(each.label), f"{view.url('ask', name)}?from={origin}&ids={id}")
    return None


def _advice(match: Match) -> str:
    if match.next_step is NextStep.ASK_OWNER and match.owner:
        return _("Ask %(name)s: you cannot see it.") % {"name": match.owner}
    if match.place is Place.BIN:
        return _("Ask an administrator to restore it.")
    return _("Ask an administrator: you cannot see it.")
