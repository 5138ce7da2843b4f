"""Kinds of notices: what users are told, in both languages, and how they are told unless they choose otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .base import Base
from .declaration import Misdeclared
from .names import Names
from .notice import MailChoice
from .notice_sentence import FACT
from .notice_sentence import Sentence as Sentence
from .people import User
from .pool import Pool

GIVEN = frozenset({"by", "record"})
"""Facts of every notice: the name of who did it, and how the record is called."""

PLANS = Names("Plans", "Plans", zh="跟进计划")
OWNERSHIP = Names("Ownership", "Ownership", zh="客户归属")
LOCKS = Names("Locks", "Locks", zh="客户锁定")
POOLS = Names("Pools", "Pools", zh="公海管理")
ACCOUNT = Names("Your account", "Your account", zh="我的账户")
WORK = Names("Work with others", "Work with others", zh="协作")


@dataclass(frozen=True, eq=False)
class NoticeKind:
    """One kind of notice.  Raises Misdeclared for sentences that name different facts in the two languages."""

    key: str
    group: Names
    label: Names
    """What users choose by in their preferences."""
    title: Sentence
    text: Sentence
    mail: MailChoice = MailChoice.NONE
    refers: Mapping[str, type[Base]] = field(default_factory=dict)
    """Fact -> the kind of record whose id it is; the reader gets its name, as far as they may see it."""
    once: tuple[str, ...] | None = None
    """Facts by which a receiver is told once only about one record."""
    own: bool = False
    """Whether users are told about what they did themselves."""

    def __post_init__(self) -> None:
        for sentence in (self.title, self.text):
            if set(FACT.findall(sentence.en)) != set(FACT.findall(sentence.zh)):
                raise Misdeclared(f"models/notice_kinds.py: {self.key} names other facts in Chinese than in English.")

    @property
    def facts(self) -> frozenset[str]:
        """The facts that `notify` has to be given."""
        return (self.title.facts | self.text.facts) - GIVEN


def _kind(
    key: str,
    group: Names,
    label: tuple[str, str],
    title: tuple[str, str],
    text: tuple[str, str],
    **more: object,
) -> NoticeKind:
    english, chinese = label
    names = Names(english, english, zh=chinese)
    return NoticeKind(key, group, names, Sentence(*title), Sentence(*text), **more)  # type: ignore[arg-type]  # named ones


_DECLARED = (
    _kind(
        "plan_due",
        PLANS,
        ("A plan is due", "计划到期提醒"),
        ("Follow up with {record}", "请跟进 {record}"),
        ("Planned for {due}.", "计划时间：{due}。"),
        once=("due",),
    ),
    _kind(
        "plan_overdue",
        PLANS,
        ("A plan is overdue", "计划已逾期"),
        ("The plan for {record} is overdue", "{record} 的跟进计划已逾期"),
        ("It was planned for {due}.", "原计划时间：{due}。"),
        mail=MailChoice.DAILY,
        once=("due",),
    ),
    _kind(
        "release_coming",
        OWNERSHIP,
        ("A customer of yours is about to return to a pool", "客户即将回收至公海"),
        ("{record} is about to be released from you", "{record} 即将被回收"),
        ("It returns to a pool on {due}, unless you follow up before.", "如未及时跟进，将于 {due} 回收至公海。"),
        mail=MailChoice.DAILY,
    ),
    _kind(
        "released",
        OWNERSHIP,
        ("A customer was released from you", "客户被回收至公海"),
        ("{record} was released from you", "{record} 已从您名下回收"),
        ("Released by {by}, into {pool}.", "由 {by} 回收至 {pool}。"),
        mail=MailChoice.DAILY,
        refers={"pool": Pool},
    ),
    _kind(
        "assigned",
        OWNERSHIP,
        ("A customer was assigned to you", "客户分配给您"),
        ("{record} was assigned to you", "{record} 已分配给您"),
        ("Assigned by {by}.", "由 {by} 分配。"),
        mail=MailChoice.AT_ONCE,
    ),
    _kind(
        "to_approve",
        OWNERSHIP,
        ("A new customer waits for approval", "新客户待审批"),
        ("{record} waits for approval", "{record} 待审批"),
        ("Submitted by {by}.", "由 {by} 提交。"),
    ),
    _kind(
        "approved",
        OWNERSHIP,
        ("A customer of yours was approved", "客户审批通过"),
        ("{record} was approved", "{record} 已审批通过"),
        ("Approved by {by}.", "审批人：{by}。"),
        mail=MailChoice.AT_ONCE,
    ),
    _kind(
        "rejected",
        OWNERSHIP,
        ("A customer of yours was rejected", "客户审批被驳回"),
        ("{record} was rejected", "{record} 已被驳回"),
        ("Rejected by {by}: {reason}. Correct it, and submit it again.", "由 {by} 驳回：{reason}。请修改后重新提交。"),
        mail=MailChoice.AT_ONCE,
    ),
    _kind(
        "transferred_to_you",
        OWNERSHIP,
        ("A customer was transferred to you", "客户转移给您"),
        ("{record} was transferred to you", "{record} 已转移给您"),
        ("By {by}, from {former}.", "由 {by} 操作，原负责人：{former}。"),
        mail=MailChoice.AT_ONCE,
        refers={"former": User},
    ),
    _kind(
        "transferred_from_you",
        OWNERSHIP,
        ("A customer was transferred from you", "客户从您名下转出"),
        ("{record} was transferred from you", "{record} 已从您名下转出"),
        ("By {by}, to {to}.", "由 {by} 操作，新负责人：{to}。"),
        mail=MailChoice.AT_ONCE,
        refers={"to": User},
    ),
    _kind(
        "locked",
        LOCKS,
        ("A customer of yours was locked", "您的客户被锁定"),
        ("{record} was locked", "{record} 已被锁定"),
        ("Locked by {by}.", "由 {by} 锁定。"),
    ),
    _kind(
        "unlocked",
        LOCKS,
        ("A customer of yours was unlocked", "您的客户被解锁"),
        ("{record} was unlocked", "{record} 已被解锁"),
        ("Unlocked by {by}.", "由 {by} 解锁。"),
        mail=MailChoice.AT_ONCE,
    ),
    _kind(
        "lock_expired",
        LOCKS,
        ("A lock of yours has ended", "锁定已到期"),
        ("The lock of {record} has ended", "{record} 的锁定已到期"),
        ("It ended on {ended}.", "到期时间：{ended}。"),
        once=("ended",),
    ),
    _kind(
        "not_assigned",
        POOLS,
        ("A customer could not be assigned", "客户未能自动分配"),
        ("{record} could not be assigned", "{record} 未能自动分配"),
        (
            "No user of {pool} fits and has room. It stays in the pool.",
            "{pool} 中没有符合条件且有容量的人员，客户留在公海。",
        ),
        mail=MailChoice.DAILY,
        refers={"pool": Pool},
    ),
    _kind(
        "retention_acted",
        POOLS,
        ("Customers have left a pool after its longest stay", "公海客户超期处理"),
        ("Customers that have left {pool}: {count}", "{pool} 有 {count} 个客户已超期处理"),
        ("They had stayed in the pool for as long as it keeps them.", "这些客户在公海的停留时间已达上限。"),
        mail=MailChoice.DAILY,
        refers={"pool": Pool},
    ),
    _kind(
        "retention_due",
        POOLS,
        ("Customers have stayed in a pool for too long", "公海客户停留超期"),
        ("Customers of {pool} past its longest stay: {count}", "{pool} 有 {count} 个客户停留超期"),
        ("Assign them, or decide what becomes of them.", "请分配这些客户，或决定如何处理。"),
        mail=MailChoice.DAILY,
        refers={"pool": Pool},
    ),
    _kind(
        "retention_coming",
        POOLS,
        ("Customers are about to leave a pool", "公海客户即将到期"),
        ("Customers of {pool} near the end of their stay: {count}", "{pool} 有 {count} 个客户即将到期"),
        ("They leave it within {days} days, unless they are assigned before.", "如未分配，将在 {days} 天内到期处理。"),
        mail=MailChoice.DAILY,
        refers={"pool": Pool},
    ),
    _kind(
        "calendar_unknown",
        POOLS,
        ("The holidays of a year are unknown", "节假日数据缺失"),
        ("The holidays of {year} are unknown", "{year} 年的节假日数据缺失"),
        (
            "Rules count Monday to Friday as business days until they are entered.",
            "在补充之前，规则按周一至周五计算工作日。",
        ),
        mail=MailChoice.DAILY,
        once=("year",),
    ),
    _kind(
        "job_ended",
        WORK,
        ("A background job of yours has ended", "后台任务已结束"),
        ("{job} has ended", "{job} 已结束"),
        ("Done: {done}. Refused: {failed}.", "完成：{done}，被拒绝：{failed}。"),
        own=True,
    ),
    _kind(
        "job_failed",
        WORK,
        ("A background job of yours has failed", "后台任务失败"),
        ("{job} has failed", "{job} 失败"),
        ("Done before: {done}. Refused: {failed}.", "失败前已完成：{done}，被拒绝：{failed}。"),
        mail=MailChoice.AT_ONCE,
        own=True,
    ),
    _kind(
        "bulk_ended",
        WORK,
        ("A bulk change of yours has ended", "批量修改已完成"),
        ("A bulk change has ended", "批量修改已完成"),
        (
            "Changed: {changed}. Already as wanted: {same}. Refused: {refused}.",
            "已修改：{changed}，无需修改：{same}，被拒绝：{refused}。",
        ),
        own=True,
    ),
    _kind(
        "undo_ended",
        WORK,
        ("An undoing of yours has ended", "撤销已完成"),
        ("An undoing has ended", "撤销已完成"),
        (
            "Undone: {undone}. Kept, because changed since: {kept}. Could not be undone: {refused}.",
            "已撤销：{undone}，之后有改动而保留：{kept}，未能撤销：{refused}。",
        ),
        own=True,
    ),
    _kind(
        "commented",
        WORK,
        ("Your follow-up got a comment", "跟进记录收到评论"),
        ("{by} commented on your follow-up", "{by} 评论了您的跟进记录"),
        ("It is about {record}.", "相关客户：{record}。"),
    ),
    _kind(
        "custom_field",
        WORK,
        ("A field was added to records", "记录新增字段"),
        ("{records} have the field “{field}”", "{records}新增字段“{field}”"),
        ("{help}", "{help}"),
    ),
    _kind(
        "shared",
        WORK,
        ("A customer was shared with you", "客户共享给您"),
        ("{record} was shared with you", "{record} 已共享给您"),
        ("Shared by {by}.", "由 {by} 共享。"),
    ),
    _kind(
        "seen_as",
        ACCOUNT,
        ("Another user viewed the panel as you", "有人以您的身份查看"),
        ("{by} viewed the panel as you", "{by} 以您的身份查看了系统"),
        ("They saw what you see and could change nothing.", "对方看到您能看到的内容，但不能做任何修改。"),
        mail=MailChoice.AT_ONCE,
    ),
)

NOTICE_KINDS: dict[str, NoticeKind] = {kind.key: kind for kind in _DECLARED}
"""Every kind by its key, in the order of the preferences."""
