"""Sweep of the panel: every route, with every login, against the policy and the use cases.

Doors, records and rights are read from the route table, the models and the policy.  What none of these can tell stands
in `tables.py`: the form that creates a record of a new kind, the rows of a new tab, the use case behind a new command.
A new screen, command or field is added there and nowhere else; `test_tables.py` names each missing line.

The browsers of the sweep inspect every answer: no error page, no code in the markup, no canary of a hidden record.
"""

import pytest

pytest.register_assert_rewrite(f"{__name__}.dry_run", f"{__name__}.redirects")
