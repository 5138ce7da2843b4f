"""What fields and members of choices are called in files, in English and Chinese: the same words as in the panel.

The panel takes its words from its catalogue; `tests/exports/test_words.py` holds both together.
"""

from enum import Enum

from .base import Base
from .field_names import FIELD_NAMES

Said = tuple[str, str]
"""English and Chinese."""

SYSTEM_FIELDS: dict[str, Said] = {
    "claimed_at": ("Owned since", "归属时间"),
    "created_at": ("Created", "创建时间"),
    "created_by_id": ("Created by", "创建人"),
    "deleted_at": ("Deleted", "删除时间"),
    "deleted_by_id": ("Deleted by", "删除人"),
    "lock_expires_at": ("Lock ends", "锁定到期时间"),
    "lock_reason": ("Lock reason", "锁定原因"),
    "locked": ("Locked", "已锁定"),
    "locked_at": ("Locked since", "锁定时间"),
    "locked_by_id": ("Locked by", "锁定人"),
    "merged_into_id": ("Merged into", "合并到"),
    "pooled_at": ("In the pool since", "进入公海时间"),
    "updated_at": ("Changed", "更新时间"),
    "updated_by_id": ("Changed by", "更新人"),
}
"""Fields that the system keeps -> what they are called."""
OWN_FIELDS: dict[tuple[str, str], Said] = {
    ("app_user", "name"): ("Full name", "姓名"),
    ("contact", "name"): ("Full name", "姓名"),
    ("custom_field", "for_module"): ("Field of", "所属对象"),
    ("custom_field", "key"): ("Key for programs", "程序标识"),
    ("custom_field", "label_en"): ("English name", "英文名称"),
    ("custom_field", "label_zh"): ("Chinese name", "中文名称"),
    ("customer", "stage"): ("Customer stage", "客户阶段"),
    ("department", "capacity"): ("Capacity per person", "每人库容"),
    ("department", "parent_id"): ("Belongs to", "上级部门"),
    ("dictionary_item", "parent_id"): ("Parent entry", "上级字典项"),
    ("duplicate_rule", "for_module"): ("Duplicates of", "查重对象"),
    ("organisation", "capacity"): ("Capacity per person", "每人库容"),
    ("organisation", "name"): ("Organisation's name", "组织名称"),
}
"""(table, field) -> what the field is called there."""
CHOICES: dict[str, Said] = {
    "ADMIN": ("Administrator", "管理员"),
    "AMBER": ("Amber", "橙色"),
    "APPROVED": ("Approved", "已通过"),
    "BLUE": ("Blue", "蓝色"),
    "CALL": ("Call", "电话"),
    "CANCELLED": ("Cancelled", "已取消"),
    "DENIED": ("Refused", "已拒绝"),
    "DEPARTMENT": ("Department", "部门"),
    "DONE": ("Done", "成功"),
    "EMAIL": ("E-mail", "电子邮件"),
    "GREEN": ("Green", "绿色"),
    "GREY": ("Grey", "灰色"),
    "MEETING": ("Meeting", "会议"),
    "MEMBER": ("Member", "成员"),
    "NOTE": ("Note", "记事"),
    "NO_DEAL": ("No deal", "未成交"),
    "NO_FOLLOW_UP": ("No follow-up", "未跟进"),
    "NO_OPPORTUNITY": ("No opportunity", "无商机"),
    "OK": ("Done", "成功"),
    "OPEN": ("Open", "打开"),
    "OTHER": ("Other", "其他"),
    "PENDING": ("Waits for approval", "待审批"),
    "PHONE": ("Phone", "电话"),
    "RED": ("Red", "红色"),
    "REJECTED": ("Rejected", "已驳回"),
    "RELEASED": ("Released", "移入公海"),
    "ROLE": ("Role", "角色"),
    "TEAL": ("Teal", "青色"),
    "USER": ("Person", "人员"),
    "VIEWER": ("Viewer", "只读成员"),
    "VIOLET": ("Violet", "紫色"),
    "VISIT": ("Visit", "拜访"),
    "WECHAT": ("WeChat", "微信"),
}
"""Members of choices -> what they are called, where no choice says otherwise."""
OF_CHOICE: dict[tuple[str, str], Said] = {
    ("Covers", "ASSIGN"): ("Assigning", "分配"),
    ("Covers", "BOTH"): ("Claiming and assigning", "领取和分配"),
    ("Covers", "CLAIM"): ("Claiming", "领取"),
    ("CustomKind", "DATE"): ("Date", "日期"),
    ("CustomKind", "EMAIL"): ("E-mail address", "邮箱地址"),
    ("CustomKind", "LINK"): ("Web address", "网址"),
    ("CustomKind", "LONG_TEXT"): ("Long text", "多行文本"),
    ("CustomKind", "MOMENT"): ("Date and time", "日期时间"),
    ("CustomKind", "MONEY"): ("Amount", "金额"),
    ("CustomKind", "MULTIPLE_CHOICE"): ("Multiple choice", "多选"),
    ("CustomKind", "NUMBER"): ("A number", "数字"),
    ("CustomKind", "PERSON"): ("One of your people", "人员"),
    ("CustomKind", "PHONE"): ("Phone number", "电话号码"),
    ("CustomKind", "REFERENCE"): ("Another record", "关联记录"),
    ("CustomKind", "SINGLE_CHOICE"): ("Single choice", "单选"),
    ("CustomKind", "TEXT"): ("One line of text", "单行文本"),
    ("CustomKind", "YES_NO"): ("Yes or no", "是或否"),
    ("Effect", "OPENS"): ("Opens them", "开放"),
    ("Effect", "RESERVES"): ("Reserves them", "保留"),
    ("Evidence", "DOMAIN"): ("Same e-mail domain", "邮箱域名相同"),
    ("Evidence", "EMAIL"): ("Same e-mail address", "邮箱相同"),
    ("Evidence", "NAME"): ("Same name", "名称相同"),
    ("Evidence", "NAME_ELSEWHERE"): ("Same name in another place", "名称相同，地区不同"),
    ("Evidence", "PHONE"): ("Same phone", "电话相同"),
    ("Evidence", "PHONE_AND_NAME"): ("Phone and similar name", "电话相同且名称相近"),
    ("Evidence", "REGISTRATION"): ("Same registration number", "登记号相同"),
    ("Evidence", "SIMILAR_NAME"): ("Similar name", "名称相近"),
    ("Evidence", "SOUND"): ("Name sounds the same", "名称读音相同"),
    ("Evidence", "TYPING_ERROR"): ("Name with a typing error", "名称仅差一处错字"),
    ("OnExpire", "ARCHIVE"): ("Put into an archive", "移入归档公海"),
    ("OnExpire", "AUTO_ASSIGN"): ("Assign automatically", "自动分配"),
    ("OnExpire", "MOVE_TO_POOL"): ("Move to another pool", "移至其他公海"),
    ("OnExpire", "NOTIFY"): ("Tell the administrators", "通知管理员"),
    ("OnExpire", "RECYCLE_BIN"): ("Put into the recycle bin", "移入回收站"),
    ("Strategy", "CAPACITY_LEFT"): ("Most capacity left", "剩余库容最多者"),
    ("Strategy", "LEAST_LOADED"): ("Fewest customers held", "持有客户最少者"),
    ("Strategy", "ROUND_ROBIN"): ("In turn", "轮流"),
    ("StageKind", "LOST"): ("Lost", "输单"),
    ("StageKind", "ON_HOLD"): ("On hold", "暂缓"),
    ("StageKind", "OPEN"): ("In progress", "进行中"),
    ("StageKind", "WON"): ("Won", "赢单"),
    ("Strategy", "WEIGHTED"): ("In turn, by weight", "按权重轮流"),
    ("Verdict", "CERTAIN"): ("Certain: asks for a reason", "确定重复：须填原因"),
    ("Verdict", "NOTHING"): ("Does not count", "不作判断"),
    ("Verdict", "POSSIBLE"): ("Possible: only warns", "可能重复：仅提醒"),
    ("Verdict", "REFUSED"): ("Certain: cannot be saved", "确定重复：禁止保存"),
}
"""(choice, member) -> what the member is called."""
LANGUAGE_NAMES: dict[str, Said] = {"en": ("English", "English"), "zh": ("中文", "中文")}
YES, NO = ("Yes", "是"), ("No", "否")


def field_said(model: type[Base], key: str) -> Said:
    """What a field of a kind of record is called."""
    own = OWN_FIELDS.get((model.__tablename__, key)) or SYSTEM_FIELDS.get(key) or FIELD_NAMES.get(key)
    english = key.removesuffix("_id").replace("_", " ").capitalize()
    return own or (english, english)


def choice_said(member: Enum | str) -> Said:
    """What a member of a choice is called."""
    word = str(member.value if isinstance(member, Enum) else member)
    plain = word.replace("_", " ").capitalize()
    own = OF_CHOICE.get((type(member).__name__, word)) or CHOICES.get(word) or LANGUAGE_NAMES.get(word)
    return own or (plain, plain)


def in_language(said: Said, language: str) -> str:
    return said[language.startswith("zh")]
