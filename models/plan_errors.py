"""Refusals about plans."""

from .refusal import Refusal


class PlanEnded(Refusal):
    sentence = "This plan has ended already. Make a new one instead."
    zh = "该计划已结束，请新建计划。"
