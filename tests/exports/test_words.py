"""Words in files are those of the panel, in both languages."""

import pytest
from sqlalchemy import Enum

from admin.kit import labels, translation
from admin.kit.fields import Kind, field_of, shown_keys
from models import ENTITIES
from models.base import columns
from models.choice_names import choice_said, field_said, in_language
from models.names import OF_MODULE
from resolvers.exports.kinds import columns_of, exportable
from resolvers.records.numbering import NUMBERED


@pytest.mark.parametrize("language", ["en", "zh"])
def test_fields_and_choices_are_called_as_in_the_panel(language: str) -> None:
    translation.speak(language)
    try:
        for model in ENTITIES:
            for key in shown_keys(model):
                assert in_language(field_said(model, key), language) == field_of(model, key).label, (model, key)
            for column in columns(model):
                if isinstance(column.type, Enum) and column.type.enum_class:
                    for member in column.type.enum_class:
                        assert in_language(choice_said(member), language) == labels.choice_label(member), member
        for module in NUMBERED:
            names = OF_MODULE[module]
            assert (names.zh if language == "zh" else names.one) == labels.choice_label(module)
    finally:
        translation.speak("en")


def test_a_file_can_have_every_column_that_a_list_can_show() -> None:
    for model in exportable():
        if model not in ENTITIES:
            continue
        shown = {key for key in shown_keys(model) if field_of(model, key).kind not in (Kind.POINTS, Kind.CONDITION)}
        missing = shown - set(columns_of(model)) - {"grantee_id"}
        assert not missing, (model.__name__, missing)
