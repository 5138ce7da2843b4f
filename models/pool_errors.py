"""Refusals of claiming and assigning, and of moves into pools and out of them."""

from .refusal import Refusal


class ConditionNotMet(Refusal):
    """`conditions` are the names of those that stand against it; `reserved`: whether they keep it for other users."""

    sentence = "{name} cannot have this customer, because {why}: {conditions}."
    zh = "{name} 无法获得该客户，{why}：{conditions}。"

    def more_words(self) -> dict[str, str]:
        if self.params.get("reserved"):
            return {"why": "it is reserved", "why_zh": "该客户已保留"}
        return {"why": "it meets none of the pool's conditions", "why_zh": "不符合公海的任何条件"}


class NobodyFits(Refusal):
    sentence = "None of the {count} members of the pool can take {label} now, so it stays in the pool."
    zh = "公海的 {count} 名成员目前均无法接收 {label}，客户留在公海。"


class Archived(Refusal):
    sentence = "{pool} is an archive, from which nobody claims. Ask its administrator to assign the customer."
    zh = "{pool} 是归档公海，不能领取。请联系公海管理员分配。"


class NotApproved(Refusal):
    sentence = "{label} has to be approved first."
    zh = "{label} 须先通过审批。"


class NotPending(Refusal):
    sentence = "{label} does not wait for approval."
    zh = "{label} 不在待审批状态。"


class NotRejected(Refusal):
    sentence = "{label} was not rejected."
    zh = "{label} 未被驳回。"


class OwnApproval(Refusal):
    sentence = "{label} was entered or submitted by yourself, so somebody else has to decide."
    zh = "{label} 由您本人录入或提交，须由他人审批。"


class ViewLimitReached(Refusal):
    sentence = "You have opened {used} of {limit} customers of this pool today. You may open others from {resets_at}."
    zh = "您今日已查看该公海的 {used} 个客户（上限 {limit}），{resets_at} 起可查看其他客户。"


class AlreadyClaimed(Refusal):
    sentence = "This customer was claimed first by somebody else."
    zh = "该客户已被他人抢先领取。"


class QuotaReached(Refusal):
    """`period` is `day` or `week`."""

    sentence = "You have claimed {used} of {limit} customers {when}. You may claim again from {resets_at}."
    zh = "{when}领取数已达上限（{used}/{limit}），{resets_at} 起可再领取。"

    def more_words(self) -> dict[str, str]:
        return {"when": "this week", "when_zh": "本周"} if self.params["period"] == "week" else _TODAY


_TODAY = {"when": "today", "when_zh": "今日"}


class CapacityReached(Refusal):
    """Without the numbers for a caller who may not see them."""

    sentence = "{name} holds {held} customers; the limit is {limit}. Release one first."
    zh = "{name} 已持有 {held} 个客户，上限为 {limit}。请先将一个客户移入公海。"
    without_numbers = "{name} cannot take another customer now.", "{name} 目前无法再接收客户。"

    def say(self, language: str = "en") -> str:
        if self.params.get("held") is not None:
            return super().say(language)
        return self.without_numbers[language.startswith("zh")].format_map(self.params)


class Cooldown(Refusal):
    sentence = "You owned this customer until recently. You may claim it again from {passes_at}."
    zh = "您不久前曾负责该客户，{passes_at} 起才能再次领取。"


class Protected(Refusal):
    sentence = "This customer is new in the pool. It may be claimed from {passes_at}."
    zh = "该客户刚进入公海，{passes_at} 起方可领取。"


class NotInPool(Refusal):
    sentence = "{label} is not in a customer pool."
    zh = "{label} 不在公海中。"


class AlreadyInPool(Refusal):
    sentence = "{label} is in a customer pool already."
    zh = "{label} 已在公海中。"


class InThatPool(Refusal):
    """A move from a pool into the same one."""

    sentence = "{label} is in the pool {pool} already. Choose another."
    zh = "{label} 已在公海 {pool} 中，请选择其他公海。"
