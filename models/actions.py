"""The actions: what is done to records, as policy lines, the log, the API and the panel call it.

A new action is a line of `TABLE`.  Groups, the columns of the policy table and the words of the log derive from it;
starter lines, mutations and commands that ask for an action which is not here keep the application from starting.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .field_names import field_in_words
from .names import OF_MODULE, RECORD, in_sentence

TOUCH = "touch"
"""The group of what reads or changes content: everything that a lock closes."""
WRITE = "write"
"""The group of what changes something."""
CHANGE = (WRITE, TOUCH)
GROUP_LABELS = {
    TOUCH: ("read or change", "读取或修改"),
    WRITE: ("change", "修改"),
    "*": ("do anything with", "任意操作"),
}
"""Group -> what a sentence about a policy line says, in English and Chinese."""

KIND, MADE, OWNED = "every kind of record", "every kind that is created and deleted", "every kind with an owner"
"""What an action is done to beside single modules."""


@dataclass(frozen=True)
class Action:
    """One action; `claim` in `customer.claim`.

    `label` and `zh` are its column, its button and its right in a sentence; `done` is what the log says that a person
    did to a record, empty where nothing is logged, and `done_zh` where Chinese says it in other words than `zh`.

    `to`: the modules, or KIND, MADE, OWNED.  `groups`: those among TOUCH and WRITE.  `when`: the state that a click in
    the policy table asks for.  `is_column`: whether the policy table shows it, which it does
    once a use case asks for it; `rows` are the modules in whose rows, where no use case asks for it in the others.
    `is_right`: whether policy lines name it; what is no right is done to what is one's own, or asks for another right.
    """

    name: str
    label: str
    zh: str
    done: str
    to: tuple[str, ...]
    groups: tuple[str, ...] = ()
    done_zh: str = ""
    when: str = "any"
    is_column: bool = True
    rows: tuple[str, ...] = ()
    is_right: bool = True

    def words(self) -> dict[str, str]:
        """English -> Chinese, for a catalogue."""
        return {self.label: self.zh} | ({self.done: self.done_zh or self.zh} if self.done else {})


def _own(name: str, label: str, zh: str, done: str, *to: str, done_zh: str = "") -> Action:
    """What the log names and no policy line grants."""
    return Action(name, label, zh, done, to, done_zh=done_zh, is_column=False, is_right=False)


_SALES = ("customer",)
_IMPORTED = (*_SALES, "contact", "opportunity", "followup", "dictionary", "user")
"""What sheets bring in: `resolvers/imports`."""
TABLE: tuple[Action, ...] = (
    Action(
        "view",
        "View",
        "查看",
        "looked for",
        (KIND, "audit", "session", "policy", "job", "report"),
        (TOUCH,),
        when="!deleted",
    ),
    Action("create", "Create", "新建", "created", (MADE,), CHANGE),
    Action("edit", "Edit", "编辑", "changed", (KIND, "policy", "job"), CHANGE, done_zh="修改"),
    Action("delete", "Delete", "删除", "deleted", (MADE,), CHANGE),
    Action("restore", "Restore", "恢复", "restored", (MADE,), CHANGE, when="deleted"),
    Action("purge", "Delete for good", "永久删除", "deleted for good", (MADE,), CHANGE, when="deleted"),
    Action("export", "Export", "导出", "exported", (MADE, "audit", "report"), (TOUCH,), when="!deleted"),
    Action("import", "Import", "导入", "imported", _IMPORTED, CHANGE),
    Action(
        "transfer", "Transfer", "转移", "transferred", (OWNED,), CHANGE, rows=("customer", "contact", "opportunity")
    ),
    Action("insist", "Insist on a new owner", "指定任意负责人", "", _SALES, CHANGE),
    Action("release", "Put into the pool", "移入公海", "put into the pool", _SALES, CHANGE),
    Action("extend", "Put off the release", "延期回收", "put off the release of", _SALES, CHANGE),
    Action("claim", "Claim", "领取", "claimed", _SALES, CHANGE, when="in_pool"),
    Action("assign", "Assign", "分配", "assigned", _SALES, CHANGE, when="in_pool"),
    Action("move", "Move to another pool", "移至其他公海", "moved to another pool", _SALES, CHANGE, when="in_pool"),
    Action("lock", "Lock", "锁定", "locked", _SALES, (WRITE,)),
    Action("unlock", "Unlock", "解锁", "unlocked", _SALES, (WRITE,)),
    Action("share", "Share", "共享", "shared", _SALES, CHANGE),
    _own("ask_share", "Ask for a share", "申请共享", "asked for a share of", *_SALES),
    _own("end_share", "End the share", "结束共享", "ended a share of", *_SALES),
    Action(
        "dupcheck",
        "Look for duplicates",
        "查重",
        "saw in a duplicate check",
        _SALES,
        done_zh="查重时看到",
        is_column=False,
    ),
    Action("comment", "Comment", "评论", "commented on", ("followup",), CHANGE),
    Action("review", "Review", "审核", "", ("policy",)),
    Action("activate", "Put in force", "启用", "put in force", ("policy",), (WRITE,), done_zh="生效"),
    Action("merge", "Merge", "合并", "merged", _SALES, CHANGE),
    Action("bulk", "Change many at once", "批量修改", "", _SALES, CHANGE, is_column=False),
    Action("approve", "Approve", "审批", "approved", _SALES, CHANGE, done_zh="审批通过"),
    Action(
        "erase",
        "Erase personal data",
        "删除个人数据",
        "erased the personal data of",
        ("contact",),
        CHANGE,
        is_column=False,
    ),
    Action(
        "disclose",
        "Export personal data",
        "导出个人数据",
        "exported the personal data of",
        ("contact", "user"),
        (TOUCH,),
        is_column=False,
    ),
    Action("handover", "Hand over", "离职交接", "", _SALES, CHANGE, is_column=False),
    Action("view_as", "View as", "以其身份查看", "looked through the eyes of", ("user",), is_column=False),
    Action("share_views", "Share views", "共享视图", "shared the view", ("user",), is_column=False),
    Action("tidy", "Tidy up", "日常清理", "", ("system",), CHANGE, is_column=False),
    # What is no right of the policy.
    _own("begin", "Sign in", "登录", "", "session"),
    _own("end", "End a session", "结束会话", "ended a session of", "session"),
    _own("password", "Set the password", "设置密码", "set the password of", "session", "user"),
    _own("token", "Make a token", "生成令牌", "made a token for", "session", done_zh="创建令牌"),
    _own("preferences", "Choose preferences", "修改偏好设置", "chose the preferences of", "user"),
    _own("tell_apart", "Tell apart", "标记为不同客户", "told apart", "customer"),
    _own("reject", "Reject", "驳回", "rejected", "customer"),
    _own("submit", "Submit for approval", "提交审批", "submitted", "customer"),
    _own("open", "Open the page", "查看详情", "opened the page of", "customer"),
    _own("unmerge", "Undo a merge", "撤销合并", "undid the merge of", "customer"),
    _own("merge_words", "Merge words", "合并词条", "merged a word of", "dictionary"),
    _own("unmerge_words", "Undo a merge of words", "撤销词条合并", "undid the merge of a word of", "dictionary"),
    _own("views", "Keep views", "保存视图", "kept the view", "user"),
    _own("drop_view", "Delete a view", "删除视图", "deleted the view", "user"),
    _own("exports", "Keep exports", "管理导出", "kept the export", "user"),
    _own("imports", "Keep imports", "管理导入", "kept the import", "user"),
    _own("bulk_changes", "Keep bulk changes", "管理批量修改", "began the bulk change", "user"),
    _own("drop_export", "Delete an export", "删除导出", "deleted the export", "user"),
    _own("attach", "Add files", "添加附件", "added files to", "customer", "contact", "opportunity", "followup"),
    _own("detach", "Remove files", "移除附件", "removed files from", "customer", "contact", "opportunity", "followup"),
    _own("files", "Keep files", "管理附件", "", "user"),
    _own("download", "Download", "下载", "downloaded", "user"),
    _own("renew", "Compute release dates", "重新计算回收日期", "", "system"),
    _own("rehearse", "Rehearse", "预演", "rehearsed", "pool"),
    _own("switch", "Switch on or off", "启用或停用", "switched", "pool"),
    _own("retire", "Retire", "停用", "retired", "customfield"),
    _own("bring_back", "Bring back", "恢复使用", "brought back", "customfield"),
    _own(
        "announce", "Tell those who see it", "通知相关人员", "told people of", "customfield", done_zh="通知相关人员："
    ),
    _own("copy", "Copy", "复制", "", "role"),
    _own("repair", "Repair", "修复", "repaired", "policy"),
    _own("offer", "Offer new lines", "提供新策略行", "offered new lines for", "policy"),
    _own("accept", "Accept as it is", "按现状接受", "accepted the present state of", "audit"),
    _own("install", "Install", "初始化", "installed", "organisation"),
    _own("demo", "Invent data", "写入演示数据", "invented data for", "organisation"),
    _own("cancel", "Cancel", "取消", "cancelled", "job", "plan"),
    _own("complete", "Complete", "完成", "completed", "plan"),
    _own("reschedule", "Reschedule", "改期", "rescheduled", "plan"),
    _own("win", "Win", "赢单", "won", "opportunity", done_zh="赢得"),
    _own("lose", "Lose", "输单", "lost", "opportunity", done_zh="标记输单"),
    _own("step", "Move to another stage", "变更阶段", "moved to another stage", "opportunity"),
    _own("resume", "Resume", "继续", "resumed", "job"),
    _own("retry", "Try again", "重试", "tried again", "job"),
    _own("node", "Look up by id", "按编号查找", "", "system"),
    _own("form", "Describe a form", "描述表单", "", "system"),
)
"""Every action, in the order of the policy table's columns."""

BY_NAME: dict[str, Action] = {action.name: action for action in TABLE}


def _change(field: str, called: tuple[str, str] | None) -> tuple[str, str]:
    """What the right to change a field is called; the names of a custom field stay as they are."""
    if called is not None:
        return f"Change {called[0]}", f"修改{called[1]}"
    english, chinese = field_in_words(field)
    return f"Change {in_sentence(english)}", f"修改{chinese}"


def right_in_words(right: str, called: tuple[str, str] | None = None) -> tuple[str, str]:
    """What `customer.claim` says in a sentence, in English and Chinese: `claim (customers)`, `领取（客户）`.

    What is no action is a field: `customer.phone` is the right to change that field.  `called`: the names of a custom one.
    """
    module, _, verb = right.partition(".")
    action, names = BY_NAME.get(verb), OF_MODULE.get(module, RECORD)
    english, chinese = (action.label, action.zh) if action else _change(verb, called)
    return f"{in_sentence(english)} ({names.nouns})", f"{chinese}（{names.zh}）"


def actions_in_english(names: Iterable[str]) -> str:
    """Actions, or modules where a whole one is meant, as an English sentence lists them."""
    found = (in_sentence(BY_NAME[x].label) if x in BY_NAME else object_in_english(x) for x in names)
    return ", ".join(found)


def object_in_english(object: str) -> str:
    """What a module of policy lines is called in an English sentence: `customers`; a field: `phone of customers`."""
    module, _, field = object.partition(".")
    english = OF_MODULE[module].nouns if module in OF_MODULE else "everything"
    return f"{in_sentence(field_in_words(field)[0])} of {english}" if field else english


def actions_in_chinese(names: Iterable[str]) -> str:
    """Actions, or modules where a whole one is meant, as a Chinese sentence lists them."""
    return "、".join(BY_NAME[x].zh if x in BY_NAME else object_in_chinese(x) for x in names)


def object_in_chinese(object: str) -> str:
    """What a module of policy lines is called in a Chinese sentence: `客户`; a field: `客户的电话`."""
    module, _, field = object.partition(".")
    chinese = OF_MODULE[module].zh if module in OF_MODULE else "所有对象"
    return f"{chinese}的{field_in_words(field)[1]}" if field else chinese


_SYSTEM_ACTORS = {
    "system:pool": ("The clock of the pools", "公海定时任务"),
    "system:command-line": ("Command line", "命令行"),
    "system:demo": ("Demo data", "演示数据"),
    "system:upgrade": ("Upgrade", "版本升级"),
}


def actor_in_words(name: str, language: str) -> str:
    """The name of who did something: a user's own, and what a part of the system (`system:demo`) is called."""
    if name != "system" and not name.startswith("system:"):
        return name
    return _SYSTEM_ACTORS.get(name, ("The system", "系统"))[language.startswith("zh")]


def words() -> Iterator[tuple[str, str]]:
    """English and Chinese of every action and group, for a catalogue."""
    for action in TABLE:
        yield from action.words().items()
    yield from GROUP_LABELS.values()
