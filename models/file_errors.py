"""Refusals of files that users keep with records."""

from .refusal import Refusal


class FileOtherKind(Refusal):
    sentence = "“{name}” is not what its name says: the content is {found}. Nothing was added. Save it under the right name and choose it again."
    zh = "“{name}”的内容与文件名不符：实际为{found}。未添加任何文件。请用正确的扩展名保存后重新选择。"


class FileNotAllowed(Refusal):
    sentence = (
        "“{name}” cannot be kept: files of this kind may be dangerous or are not taken here. Allowed are: {allowed}."
    )
    zh = "不能保存“{name}”：此类文件可能有风险或不在允许范围内。允许的类型：{allowed}。"


class FileTooLarge(Refusal):
    sentence = "“{name}” is larger than {limit} MiB. Make it smaller, or keep a link to it instead."
    zh = "“{name}”超过 {limit} MiB。请压缩后重新选择，或仅保存链接。"


class TooManyFiles(Refusal):
    sentence = "A record keeps at most {limit} files. Remove some first."
    zh = "每条记录最多保存 {limit} 个附件。请先移除一些。"


class FileGone(Refusal):
    sentence = "The content of “{name}” is missing on the server. Tell an administrator; it may be in a backup."
    zh = "服务器上缺少“{name}”的内容。请联系管理员，备份中可能保留有该文件。"


class NoPicture(Refusal):
    sentence = "“{name}” is no picture that can be shown here. Download it instead."
    zh = "“{name}”不是可直接显示的图片，请下载查看。"
