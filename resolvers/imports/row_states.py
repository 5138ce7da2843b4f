"""What people are told has become of a row of an import: the same words in the panel, in workbooks and in the terminal."""

from collections.abc import Mapping

from models.choice_names import Said
from models.import_batch import RowState

STATE_WORDS: Mapping[RowState, Said] = {
    RowState.STAGED: ("Not checked yet", "尚未检查"),
    RowState.GOOD: ("Good", "正确"),
    RowState.BAD: ("Wrong", "有误"),
    RowState.SKIPPED: ("Left out", "不导入"),
    RowState.CREATED: ("Newly created", "已新建"),
    RowState.UPDATED: ("Updated", "已修改"),
    RowState.SAME: ("Unchanged", "内容相同"),
    RowState.FAILED: ("Not imported", "导入失败"),
    RowState.UNDONE: ("Taken back", "已撤销"),
    RowState.KEPT: ("Kept, changed since", "已保留（导入后有改动）"),
}
"""State -> English and Chinese."""
