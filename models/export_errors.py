"""Refusals about exports: too many rows, nothing chosen, and files that are not there."""

from .refusal import Refusal


class TooManyRecords(Refusal):
    sentence = "An export holds at most {limit} rows here, and this list has more. Narrow it, or ask an administrator."
    zh = "单次导出最多 {limit} 行，当前列表超出此数量。请缩小范围或联系管理员。"


class NothingToExport(Refusal):
    sentence = "There is nothing to export: no record was chosen, or none of them may be exported by you."
    zh = "没有可导出的数据：未选择记录，或您无权导出所选记录。"


class NotExported(Refusal):
    sentence = "This file is not finished, so it cannot be downloaded yet."
    zh = "文件尚未生成，暂时无法下载。"


class ExportEnded(Refusal):
    sentence = "This export has ended already, so there is nothing to cancel."
    zh = "此导出已结束，无需取消。"


class ExportExpired(Refusal):
    sentence = "This file was kept until {until} and is deleted now. Export the list again."
    zh = "文件保存至 {until}，现已删除，请重新导出。"


class ExportGone(Refusal):
    sentence = "The file of this export is no longer on the server. Export the list again."
    zh = "服务器上已没有此导出的文件，请重新导出。"
