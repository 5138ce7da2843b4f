"""Refusals about imports as a whole."""

from .refusal import Refusal


class ImportEnded(Refusal):
    sentence = "This import has been carried out or has ended, so that cannot be changed any more."
    zh = "此导入已执行或已结束，无法再更改。"
