"""Refusals about stages and pipelines."""

from .refusal import Refusal


class StageNotInPipeline(Refusal):
    sentence = "The pipeline {pipeline} has no stage {stage}. Choose {stages}."
    zh = "流程“{pipeline_zh}”没有阶段“{stage_zh}”，可选：{stages_zh}。"


class StepNotAllowed(Refusal):
    sentence = "From {old} it goes on to {stages}, not to {stage}."
    zh = "“{old_zh}”之后只能进入{stages_zh}，不能进入“{stage_zh}”。"


class FieldsMissing(Refusal):
    sentence = "The stage {stage} asks for: {fields}."
    zh = "阶段“{stage_zh}”须填写：{fields_zh}。"


class NoSuchStage(Refusal):
    sentence = "The pipeline {pipeline} has no stage for what is {kind}. An administrator can add one."
    zh = "流程“{pipeline_zh}”没有“{kind_zh}”阶段，请联系管理员添加。"


class NotOver(Refusal):
    sentence = "{what} is only for opportunities that are {kind}."
    zh = "只有{kind_zh}的商机才能填写{what_zh}。"
