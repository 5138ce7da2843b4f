"""Refusals about the policy: texts that are none, and rights that callers may not hand out or take away."""

from typing import Any

from .refusal import Refusal


class InvalidPolicyText(Refusal):
    """`problems` are sentences that begin with the line."""

    sentence = "The policy cannot be used: {first}"
    zh = "策略无法使用：{first}"

    def __init__(self, *, problems: list[str], **more: Any) -> None:
        super().__init__(problems=problems, first=problems[0], field="text", **more)


class _AboutARight(Refusal):
    """A refusal whose params hold the codes of a right and of roles; its sentence says them in words."""

    def more_words(self) -> dict[str, str]:
        return {
            key: self.params.get(f"{key}_en", self.params.get(key, "")) for key in ("who", "action", "object", "when")
        }


class BeyondCeiling(_AboutARight):
    """Users would get more than the caller may grant; the case in which they would is named."""

    sentence = "{who} would be allowed to {action}: {object}, {when}. You may not hand that out."
    zh = "{who} 将获得对{object}的“{action}”权限（{when}），超出您可授予的范围。"
    denies = True


class RoleToSelf(Refusal):
    sentence = "Nobody gives roles to themselves. Ask another person who may give roles."
    zh = "不能给自己分配角色，请由其他有权分配角色的人操作。"
    denies = True


class GrantsToSelf(_AboutARight):
    """Callers would give themselves a right that they do not have."""

    sentence = (
        "You would be allowed to {action}: {object}, {when}. Nobody gives that to themselves: ask another person."
    )
    zh = "您将获得对{object}的“{action}”权限（{when}）。不能给自己授权，请由他人操作。"
    denies = True


class AdministratorsBound(_AboutARight):
    """Administrators would lose what they need to set everything right again."""

    sentence = "Administrators ({who}) could no longer decide about {action}: {object}, {when}. That stays with them."
    zh = "管理员（{who}）将无法再决定对{object}的“{action}”权限（{when}）。此权限必须保留。"
    denies = True


class LastAdministrator(Refusal):
    sentence = "Nobody would be left who can sign in, take people in, give roles and change the policy."
    zh = "此操作后将没有任何可登录的人员能够管理人员、角色和策略。"


class NeedsSecond(Refusal):
    sentence = "It lets somebody {what}: a second person has to {how}."
    zh = "此改动放开了权限（{what}），须由另一人{how}。"
