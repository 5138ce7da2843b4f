"""Notices about shares: to those who get a customer shown, and to owners who are asked for one."""

from .notice import MailChoice
from .notice_kind import WORK, kind

SHARE_KINDS = (
    kind(
        "shared",
        WORK,
        ("A customer was shared with you", "客户共享给您"),
        ("{record} was shared with you", "{record} 已共享给您"),
        ("Shared by {by}. Level: {level}. Until: {until}.", "由 {by} 共享。级别：{level}，截止：{until}。"),
    ),
    kind(
        "share_changed",
        WORK,
        ("A share with you was changed", "共享给您的内容已更改"),
        ("The share of {record} was changed", "{record} 的共享已更改"),
        ("Changed by {by}. Level: {level}. Until: {until}.", "由 {by} 更改。级别：{level}，截止：{until}。"),
    ),
    kind(
        "share_ending",
        WORK,
        ("A share with you is about to end", "共享即将到期"),
        ("The share of {record} is about to end", "{record} 的共享即将到期"),
        ("It ends on {ends}. Days left: {days}.", "到期时间：{ends}，剩余天数：{days}。"),
        mail=MailChoice.DAILY,
        once=("ends", "days"),
    ),
    kind(
        "share_ended",
        WORK,
        ("A share has ended", "共享已到期"),
        ("The share of {record} has ended", "{record} 的共享已到期"),
        ("It ended on {ends}.", "到期时间：{ends}。"),
        once=("ends",),
    ),
    kind(
        "share_revoked",
        WORK,
        ("A share with you was revoked", "共享已被撤销"),
        ("The share of {record} was revoked", "{record} 的共享已被撤销"),
        ("Revoked by {by}.", "由 {by} 撤销。"),
    ),
    kind(
        "share_asked",
        WORK,
        ("A user asks for a share of a customer of yours", "有人申请共享您的客户"),
        ("{by} asks for a share of {record}", "{by} 申请共享 {record}"),
        (
            "Level: {level}. Reason: {reason}. Answer under Shared customers.",
            "级别：{level}，原因：{reason}。请在“共享客户”中处理。",
        ),
        mail=MailChoice.AT_ONCE,
    ),
    kind(
        "share_declined",
        WORK,
        ("Your request for a share was declined", "共享申请被拒绝"),
        ("The share of {record} was declined", "{record} 的共享申请被拒绝"),
        ("Declined by {by}: {reason}.", "由 {by} 拒绝：{reason}。"),
        mail=MailChoice.AT_ONCE,
    ),
)
