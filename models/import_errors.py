"""Refusals about imports as a whole, and about the files that they begin with."""

from .refusal import Refusal


class ImportEnded(Refusal):
    sentence = "This import has been carried out or has ended, so that cannot be changed any more."
    zh = "此导入已执行或已结束，无法再更改。"


class NotChecked(Refusal):
    sentence = "The rows of this import are not checked yet, so there is no result to write down."
    zh = "此导入的数据尚未检查，暂无结果可导出。"


class ResultNotReady(Refusal):
    sentence = "The result workbook of this import is not ready. Ask for it on the page of the import, and wait until it is there."
    zh = "此导入的结果表尚未生成。请在导入页面生成，完成后再下载。"


class ResultGone(Refusal):
    sentence = "The result workbook of this import is no longer kept. Ask for it anew on the page of the import."
    zh = "此导入的结果表已不再保存，请在导入页面重新生成。"


class OtherWorkbook(Refusal):
    """`why` is a clause in both languages."""

    sentence = "This is not the corrected file of this import: {why}. Nothing was changed."
    zh = "这不是此导入的修正文件：{why}。未作任何更改。"


class NothingCorrected(Refusal):
    sentence = "The file says the same as this import, so there is nothing to take over. Correct it, save it and choose it again."
    zh = "该文件与此导入的内容相同，没有可更新的内容。请修改并保存后重新选择。"


class RowsWritten(Refusal):
    """`count` of the rows had become records before."""

    sentence = "What has been imported already stays as it is (rows: {count}). Change the records instead."
    zh = "已导入的内容保持不变（{count} 行），请直接修改对应记录。"


class StillReturning(Refusal):
    sentence = "The corrected file is still being read. Wait until its rows are checked."
    zh = "修正后的文件仍在读取中，请等待检查完成。"


class NoRoomForFile(Refusal):
    sentence = "The server has no room for this file at the moment. Tell an administrator, and try again later."
    zh = "服务器磁盘空间不足，暂时无法接收此文件。请联系管理员后重试。"


class TooManyUploads(Refusal):
    sentence = "You have sent {limit} files that no import has used yet. Import one of them, or wait: each is deleted after a day."
    zh = "您有 {limit} 个已上传的文件尚未用于导入。请先导入其中一个，或等待系统在一天后自动删除。"


class UploadsAtOnce(Refusal):
    sentence = "{limit} of your files are arriving already. Wait until one of them is here, and send this one again."
    zh = "您有 {limit} 个文件正在上传。请等其中一个完成后，再重新上传此文件。"


class ImportRowsGone(Refusal):
    """`days`: how long rows are kept."""

    sentence = "The rows of this import were deleted {days} days after its end, so it can no longer be undone, go on or be written down."
    zh = "此导入结束已超过 {days} 天，明细已删除，无法再撤销、继续或生成结果表。"


class SameAsRow(Refusal):
    """`row`: the number of the row before it.  `what`, `what_zh`: what both have in common."""

    sentence = "This is the same as row {row} ({what}). Change one of the two, or leave this row out."
    zh = "与第 {row} 行重复（{what}），请修改其中一行，或跳过此行。"


class MayBeSame(Refusal):
    """A warning.  `label`: the record, as the caller may know it.  `where`, `where_zh`: where it is."""

    sentence = "This may be {label}, which is there already ({where}). Look at it before you import this row."
    zh = "可能与 {label} 重复（{where}），请核对后再导入。"
