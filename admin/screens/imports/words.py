"""What the steps and states of imports and of their rows are called."""

from collections.abc import Sequence

from markupsafe import Markup

from models import Tone
from models.choice_names import in_language
from models.import_batch import ImportMode, ImportState, Overwrite, RowState
from resolvers.imports.advance import Outlook
from resolvers.imports.row_states import STATE_WORDS
from resolvers.imports.targets import Target

from ...kit.formatting import badge, number
from ...kit.panel_request import PanelRequest
from ...kit.translation import Label, gettext, language, ngettext

_ = gettext
STATES: dict[ImportState, tuple[Label, Tone]] = {
    ImportState.UPLOADED: (Label("Is being read"), Tone.BLUE),
    ImportState.READ: (Label("Columns to match"), Tone.AMBER),
    ImportState.MAPPED: (Label("Is being checked"), Tone.BLUE),
    ImportState.CHECKED: (Label("To confirm"), Tone.AMBER),
    ImportState.APPLYING: (Label("Is being imported"), Tone.BLUE),
    ImportState.DONE: (Label("Finished"), Tone.GREEN),
    ImportState.PARTLY: (Label("Imported in part"), Tone.AMBER),
    ImportState.CANCELLED: (Label("Given up"), Tone.GREY),
    ImportState.UNDOING: (Label("Is being undone"), Tone.BLUE),
    ImportState.UNDONE: (Label("Undone"), Tone.VIOLET),
    ImportState.FAILED: (Label("Cannot be read"), Tone.RED),
}
ROW_TONES: dict[RowState, Tone] = {
    RowState.STAGED: Tone.GREY,
    RowState.GOOD: Tone.GREEN,
    RowState.BAD: Tone.RED,
    RowState.SKIPPED: Tone.GREY,
    RowState.CREATED: Tone.GREEN,
    RowState.UPDATED: Tone.BLUE,
    RowState.SAME: Tone.GREY,
    RowState.FAILED: Tone.RED,
    RowState.UNDONE: Tone.VIOLET,
    RowState.KEPT: Tone.AMBER,
}
NOT_UNDONE = Label("Could not be undone")
"""A row that is still written after an undoing."""
MODES: dict[ImportMode, Label] = {
    ImportMode.INSERT: Label("Every row is a new record"),
    ImportMode.UPDATE: Label("Every row changes a record that is there"),
    ImportMode.UPSERT: Label("Rows change the record that is there, or become a new one"),
}
OVERWRITES: dict[Overwrite, Label] = {
    Overwrite.ALWAYS: Label("always overwritten"),
    Overwrite.IF_EMPTY: Label("filled in only where it is empty"),
    Overwrite.NEVER: Label("never changed"),
}
STEPS: dict[str, Label] = {
    "upload": Label("Upload"),
    "match": Label("Match columns"),
    "check": Label("Check"),
    "confirm": Label("Confirm"),
    "progress": Label("Import"),
    "summary": Label("Summary"),
}
STEP_OF: dict[ImportState, str] = {
    ImportState.UPLOADED: "upload",
    ImportState.FAILED: "upload",
    ImportState.READ: "match",
    ImportState.MAPPED: "check",
    ImportState.CHECKED: "check",
    ImportState.APPLYING: "progress",
}
"""State -> the step that its page shows; any other state shows the summary."""
RUNNING: dict[ImportState, Label] = {
    ImportState.UPLOADED: Label("The file is being read"),
    ImportState.MAPPED: Label("The rows are being checked"),
    ImportState.APPLYING: Label("The rows are being imported"),
    ImportState.UNDOING: Label("The import is being undone"),
}
"""State -> what a job does meanwhile."""
RETURNING = Label("The corrected workbook is being read")


def state_badge(state: ImportState) -> Markup:
    label, tone = STATES[state]
    return badge(str(label), tone)


def row_badge(state: RowState) -> Markup:
    return badge(row_state(state), ROW_TONES[state])


def row_state(state: RowState) -> str:
    """What has become of a row."""
    return in_language(STATE_WORDS[state], language())


def kinds(target: Target, count: int = 2) -> str:
    """What a number of these records are called inside a sentence."""
    names = target.names
    if _is_chinese():
        return names.zh
    return names.noun if count == 1 else names.nouns


def heading(target: Target) -> str:
    """What a target is called as a heading: what its sheets bring in."""
    return (target.names.zh_many or target.names.zh) if _is_chinese() else target.names.many


def consequences(ask: PanelRequest, target: Target, found: Outlook) -> Sequence[str]:
    """What a confirmation does, a sentence for each thing."""
    said = []
    for count, one, many in (
        (found.created, _("%(count)s %(kinds)s is created."), _("%(count)s %(kinds)s are created.")),
        (found.changed, _("%(count)s %(kinds)s is changed."), _("%(count)s %(kinds)s are changed.")),
    ):
        if count:
            said.append((one if count == 1 else many) % {"count": number(ask, count), "kinds": kinds(target, count)})
    for count, words in (
        (found.behind, ngettext("%(num)s row stays behind.", "%(num)s rows stay behind.", found.behind)),
        (found.skipped, ngettext("%(num)s row is left out.", "%(num)s rows are left out.", found.skipped)),
    ):
        if count:
            said.append(words % {"num": number(ask, count)})
    return said


def time_left(seconds: int) -> str:
    """About how long a job still takes."""
    if seconds < 60:
        return _("less than a minute left")
    minutes = round(seconds / 60)
    if minutes < 60:
        return ngettext("about %(num)s minute left", "about %(num)s minutes left", minutes) % {"num": minutes}
    hours = round(minutes / 60)
    return ngettext("about %(num)s hour left", "about %(num)s hours left", hours) % {"num": hours}


def _is_chinese() -> bool:
    return language() == "zh"
