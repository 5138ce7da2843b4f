"""Refusals about imports as a whole."""

from .refusal import Refusal


class ImportEnded(Refusal):
    sentence = "This import has been carried out or has ended, so that cannot be changed any more."
    zh = "此导入已执行或已结束，无法再更改。"


class SameAsRow(Refusal):
    """`row`: the number of the row before it.  `what`, `what_zh`: what both have in common."""

    sentence = "This is the same as row {row} ({what}). Change one of the two, or leave this row out."
    zh = "与第 {row} 行重复（{what}），请修改其中一行，或跳过此行。"
