"""Refusals of claiming and assigning by the conditions and rules of a pool, and about what lies in one."""

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


class ViewLimitReached(Refusal):
    sentence = "You have opened {used} of {limit} customers of this pool today. You may open others from {resets_at}."
    zh = "您今日已查看该公海的 {used} 个客户（上限 {limit}），{resets_at} 起可查看其他客户。"


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
