"""Which test files run on one worker as a whole, because their tests share something expensive.

xdist has a mark for groups.  It writes the group into a field of an item that pytest 9.2 no longer reads, and then
distributes the tests as if there were none: every worker would start a browser and fill a demo of its own.
"""

from typing import Any

from xdist.scheduler import LoadScopeScheduling

TOGETHER = {
    "browser": (
        "clients/test_other_origin.py",
        "clients/test_pool_page.py",
        "panel/test_accessibility.py",
        "panel/test_board_story.py",
        "panel/test_bulk_story.py",
        "panel/test_choosers.py",
        "panel/test_dictionary_story.py",
        "panel/test_duplicate_story.py",
        "panel/test_export_story.py",
        "panel/test_field_story.py",
        "panel/test_fact_story.py",
        "panel/test_import_story.py",
        "panel/test_kept_text.py",
        "panel/test_live_story.py",
        "panel/test_merge_story.py",
        "panel/test_palette_story.py",
        "panel/test_policy_story.py",
        "panel/test_release_story.py",
        "panel/test_report_story.py",
        "panel/test_share_story.py",
        "panel/test_stories.py",
        "panel/test_trail.py",
        "panel/test_view_story.py",
    ),
    "clients": (
        "clients/test_audits.py",
        "clients/test_clients.py",
        "clients/test_hostile_requests.py",
        "clients/test_python_client.py",
    ),
    "demo": ("cli/test_demo.py",),
    "new schema files": ("graphql/test_schema.py",),
    "new files": ("project/test_registration.py",),
}
"""Group -> its files below `tests`."""
_GROUP_OF = {f"tests/{file}": group for group, files in TOGETHER.items() for file in files}


class Together(LoadScopeScheduling):
    """Distributes single tests, and the groups each as one."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def group_of(nodeid: str) -> str:
    """The group of a test, the test itself if it belongs to none."""
    return _GROUP_OF.get(nodeid.partition("::")[0], nodeid)


def scheduler(config: Any, log: Any) -> Together | None:
    """The scheduler for `--dist loadgroup`; None for any other way to distribute."""
    return Together(config, log) if config.getoption("dist") == "loadgroup" else None
