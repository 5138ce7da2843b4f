"""What a template tells about its columns: the rule of each field and an example, in both languages."""

from models import Customer, User
from models.choice_names import Said

from .fields import FieldKind, ImportField

_SHOWN = 12
"""Words of a list that a rule names."""
_BY_KIND: dict[FieldKind, Said] = {
    FieldKind.PHONE: ("A phone number. The cell is text, so zeros at the beginning stay", "电话号码。单元格为文本格式，开头的 0 会保留"),
    FieldKind.EMAIL: ("An e-mail address", "电子邮箱地址"),
    FieldKind.NUMBER: ("A whole number", "整数"),
    FieldKind.AMOUNT: ("An amount, as a number without a currency", "金额，只填数字，不带币种"),
    FieldKind.DATE: ("A date: year, month, day", "日期：年、月、日"),
    FieldKind.YES_NO: ("Yes or no", "是或否"),
}  # fmt: skip


def rule_of(field: ImportField, words: tuple[str, ...], zone: str) -> Said:
    """What a cell of this field may hold, as sentences.  `words`: the words of its list, in the language of the reader."""
    english, chinese = _holds(field, words, zone)
    more: list[Said] = [(english, chinese)]
    if field.has_several:
        more.append(("Several values stand apart by semicolons", "多个值用分号隔开"))
    if not field.is_written:
        more.append(("It only finds the record that a row changes", "仅用于查找要更新的记录"))
    elif field.is_new_only:
        more.append(("It is set for new records only", "仅在新建时生效"))
    return "".join(f"{each}. " for each, _ in more).strip(), "".join(f"{each}。" for _, each in more)


def note_of(field: ImportField, rule: str, example: str) -> Said:
    """The comment of a heading: whether the field is required, its rule, and an example."""
    return (
        f"{'Required.' if field.is_required else 'Optional.'}\n{rule}\nExample: {example}",
        f"{'必填' if field.is_required else '选填'}。\n{rule}\n示例：{example}",
    )


def _holds(field: ImportField, words: tuple[str, ...], zone: str) -> Said:
    if field.kind is FieldKind.TIME:
        return f"A date with a time, in the time zone {zone}", f"日期和时间，时区为 {zone}"
    if field.dictionary or field.kind is FieldKind.CHOICE:
        return _one_of(words)
    if field.reference is not None:
        return _names(field)
    if (known := _BY_KIND.get(field.kind)) is not None:
        return known
    return (
        (f"Text of up to {field.length:,} characters", f"文本，最多 {field.length} 个字符")
        if field.length
        else ("Text", "文本")
    )


def _one_of(words: tuple[str, ...]) -> Said:
    shown = words[:_SHOWN]
    if len(words) > _SHOWN:
        return f"A word of the list: {', '.join(shown)} and others", f"列表中的词条：{'、'.join(shown)}等"
    return f"A word of the list: {', '.join(shown)}", f"列表中的词条：{'、'.join(shown)}"


def _names(field: ImportField) -> Said:
    model = field.reference
    assert model is not None, "only fields of references name records"
    if model is User:
        return "The name, the login or the e-mail address of a person", "人员的姓名、登录名或邮箱"
    if model is Customer:
        if "name" not in field.by:
            return "The number of the customer", "客户编号"
        return "The name or the number of the customer", "客户名称或客户编号"
    return f"The name of a record ({model.names.noun})", f"{model.names.zh}的名称"
