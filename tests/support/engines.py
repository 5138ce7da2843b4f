"""Which tests hardly depend on the database: they run on SQLite in every run, on PostgreSQL in the long one."""

from pathlib import Path

import pytest

at_length_on_postgresql = pytest.mark.parametrize(
    "url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)], indirect=True
)

_FOLDER = Path(__file__).parent.parent
_AT_LENGTH = tuple(
    f"{_FOLDER}/{name}"
    for name in (
        "access/",
        "cli/",
        "exports/test_command.py",
        "exports/test_panel.py",
        "graphql/test_bad_input.py",
        "graphql/test_fuzz.py",
        "graphql/test_plans.py",
        "graphql/test_policy.py",
        "graphql/test_prepared_answers.py",
        "graphql/test_read_corpus.py",
        "imports/test_batches.py",
        "imports/test_command.py",
        "imports/test_correcting.py",
        "imports/test_ended_imports.py",
        "imports/test_looking.py",
        "imports/test_mapping.py",
        "imports/test_matching.py",
        "imports/test_panel.py",
        "imports/test_results.py",
        "imports/test_returning.py",
        "imports/test_targets.py",
        "imports/test_templates.py",
        "imports/test_uploads.py",
        "panel/",
        "people/",
        "policies/test_starter_policy.py",
        "reading/test_two_readers.py",
        "records/test_edit_conflicts",
        "setup/test_new_migration.py",
    )
)
"""Folders and files that carry the mark as a whole."""


def is_at_length_on_postgresql(file: Path) -> bool:
    return str(file).startswith(_AT_LENGTH)
