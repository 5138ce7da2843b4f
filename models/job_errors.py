"""Refusals about background jobs: why one failed, and why it cannot be cancelled, resumed or tried again."""

from .refusal import Refusal


class JobOwnerLeft(Refusal):
    sentence = "The user who started this job has left, so nothing more was done."
    zh = "启动此任务的用户已离职，任务已停止，未再执行任何操作。"


class JobWorkerLost(Refusal):
    sentence = (
        "The process that ran this job ended each time without a word. The log of the server says why; then try again."
    )
    zh = "执行此任务的进程多次意外中断。请查看服务器日志，排除原因后重试。"


class JobBroke(Refusal):
    sentence = "Something unexpected went wrong each time. The log of the server says what; then try again."
    zh = "任务多次遇到意外错误。请查看服务器日志，排除原因后重试。"


class JobEnded(Refusal):
    sentence = "This job has ended already, so there is nothing to cancel."
    zh = "此任务已结束，无需取消。"


class JobNotCancelled(Refusal):
    sentence = "Only a job that was cancelled can be resumed."
    zh = "只有已取消的任务才能继续。"


class JobNotFailed(Refusal):
    sentence = "Only a job that failed can be tried again."
    zh = "只有失败的任务才能重试。"
