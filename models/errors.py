"""Refusals: the only exceptions that a rule raises on purpose.

Each is a fact about the business, never about HTTP, GraphQL or a form.  The class name in UPPER_SNAKE is
the public `ProblemCode`; `sentence` and `zh` are what a sales person reads.
"""

from typing import Any

from .actions import right_in_words
from .cell_errors import CellHoldsError as CellHoldsError
from .cell_errors import DigitsLost as DigitsLost
from .cell_errors import FormulaNotCalculated as FormulaNotCalculated
from .cell_errors import NoDate as NoDate
from .cell_errors import NoNumber as NoNumber
from .cell_errors import NotYesOrNo as NotYesOrNo
from .cell_errors import OtherDateOrder as OtherDateOrder
from .export_errors import ExportEnded as ExportEnded
from .export_errors import ExportExpired as ExportExpired
from .export_errors import ExportGone as ExportGone
from .export_errors import NotExported as NotExported
from .export_errors import NothingToExport as NothingToExport
from .export_errors import TooManyRecords as TooManyRecords
from .file_errors import FileGone as FileGone
from .file_errors import FileNotAllowed as FileNotAllowed
from .file_errors import FileOtherKind as FileOtherKind
from .file_errors import FileTooLarge as FileTooLarge
from .file_errors import NoPicture as NoPicture
from .file_errors import TooManyFiles as TooManyFiles
from .follow_up_errors import CopyDoesNotCount as CopyDoesNotCount
from .follow_up_errors import EarlierDoesNotCount as EarlierDoesNotCount
from .follow_up_errors import FutureDoesNotCount as FutureDoesNotCount
from .follow_up_errors import KindDoesNotCount as KindDoesNotCount
from .follow_up_errors import TooShortToCount as TooShortToCount
from .import_errors import ImportEnded as ImportEnded
from .import_errors import ImportRowsGone as ImportRowsGone
from .import_errors import MayBeSame as MayBeSame
from .import_errors import NoRoomForFile as NoRoomForFile
from .import_errors import NotChecked as NotChecked
from .import_errors import NothingCorrected as NothingCorrected
from .import_errors import OtherWorkbook as OtherWorkbook
from .import_errors import ResultGone as ResultGone
from .import_errors import ResultNotReady as ResultNotReady
from .import_errors import RowsWritten as RowsWritten
from .import_errors import SameAsRow as SameAsRow
from .import_errors import StillReturning as StillReturning
from .import_errors import TooManyUploads as TooManyUploads
from .import_errors import UploadsAtOnce as UploadsAtOnce
from .input_errors import Format as Format
from .input_errors import NotInList as NotInList
from .input_errors import OutOfRange as OutOfRange
from .input_errors import Required as Required
from .input_errors import TooLong as TooLong
from .input_errors import TooMany as TooMany
from .input_errors import TooShort as TooShort
from .input_errors import Validation as Validation
from .job_errors import JobBroke as JobBroke
from .job_errors import JobEnded as JobEnded
from .job_errors import JobNotCancelled as JobNotCancelled
from .job_errors import JobNotFailed as JobNotFailed
from .job_errors import JobOwnerLeft as JobOwnerLeft
from .job_errors import JobWorkerLost as JobWorkerLost
from .live_errors import ChangesExpired as ChangesExpired
from .live_errors import FellBehind as FellBehind
from .live_errors import TooManyListeners as TooManyListeners
from .names import RECORD, Names
from .plan_errors import PlanEnded as PlanEnded
from .policy_errors import AdministratorsBound as AdministratorsBound
from .policy_errors import BeyondCeiling as BeyondCeiling
from .policy_errors import GrantsToSelf as GrantsToSelf
from .policy_errors import InvalidPolicyText as InvalidPolicyText
from .policy_errors import LastAdministrator as LastAdministrator
from .policy_errors import NeedsSecond as NeedsSecond
from .policy_errors import RoleToSelf as RoleToSelf
from .pool_errors import AlreadyClaimed as AlreadyClaimed
from .pool_errors import AlreadyInPool as AlreadyInPool
from .pool_errors import Archived as Archived
from .pool_errors import CapacityReached as CapacityReached
from .pool_errors import ConditionNotMet as ConditionNotMet
from .pool_errors import Cooldown as Cooldown
from .pool_errors import InThatPool as InThatPool
from .pool_errors import NobodyFits as NobodyFits
from .pool_errors import NotApproved as NotApproved
from .pool_errors import NotInPool as NotInPool
from .pool_errors import NotPending as NotPending
from .pool_errors import NotRejected as NotRejected
from .pool_errors import OwnApproval as OwnApproval
from .pool_errors import Protected as Protected
from .pool_errors import QuotaReached as QuotaReached
from .pool_errors import ViewLimitReached as ViewLimitReached
from .refusal import AboutAKind as _AboutAKind
from .refusal import Refusal as Refusal
from .release_errors import ExtensionsUsed as ExtensionsUsed
from .release_errors import NoReleaseDate as NoReleaseDate
from .release_errors import NotRehearsed as NotRehearsed
from .share_errors import ShareFirst as ShareFirst
from .sheet_errors import CellTooLong as CellTooLong
from .sheet_errors import NoHeaderRow as NoHeaderRow
from .sheet_errors import NoSheet as NoSheet
from .sheet_errors import NotText as NotText
from .sheet_errors import QuoteNotClosed as QuoteNotClosed
from .sheet_errors import SheetDamaged as SheetDamaged
from .sheet_errors import SheetEmpty as SheetEmpty
from .sheet_errors import SheetHasPassword as SheetHasPassword
from .sheet_errors import SheetTooHeavy as SheetTooHeavy
from .sheet_errors import SheetTooLarge as SheetTooLarge
from .sheet_errors import SheetUnknown as SheetUnknown
from .sheet_errors import SheetUnpacksTooLarge as SheetUnpacksTooLarge
from .sheet_errors import SheetUnusual as SheetUnusual
from .sheet_errors import TooManyCells as TooManyCells
from .sheet_errors import TooManyColumns as TooManyColumns
from .sheet_errors import TooManyRows as TooManyRows
from .sheet_errors import TooMuchText as TooMuchText
from .sheet_errors import WrongEncoding as WrongEncoding
from .sign_in_errors import NotSignedIn as NotSignedIn
from .sign_in_errors import PasswordMustChange as PasswordMustChange
from .sign_in_errors import SignInRefused as SignInRefused
from .sign_in_errors import TooManyAttempts as TooManyAttempts
from .stage_errors import FieldsMissing as FieldsMissing
from .stage_errors import NoSuchStage as NoSuchStage
from .stage_errors import NotOver as NotOver
from .stage_errors import StageNotInPipeline as StageNotInPipeline
from .stage_errors import StepNotAllowed as StepNotAllowed


class NotFound(_AboutAKind):
    sentence = "There is no such {what}, or you may not see it."
    zh = "该{what}不存在，或您无权查看。"
    denies = True

    def __init__(self, *, what: Names = RECORD, **more: Any) -> None:
        super().__init__(what=what, **more)


class Forbidden(Refusal):
    """`action` is `module.action`, or `module.field` for a field that may not be set; `called`: the name of a custom one."""

    sentence = "Your roles do not allow: {right}. Ask an administrator for this right."
    zh = "您的角色没有此权限：{right}。请联系管理员开通。"
    denies = True

    def more_words(self) -> dict[str, str]:
        called = self.params.get("called")
        names = (str(called), str(self.params["called_zh"])) if called else None
        english, chinese = right_in_words(self.params["action"], names)
        return {"right": english, "right_zh": chinese}


class Locked(Refusal):
    sentence = "{label} is locked by its owner. Ask the owner, or somebody who may unlock it."
    zh = "{label} 已被负责人锁定。请联系负责人或有解锁权限的人。"
    denies = True


class Conflict(Refusal):
    """`current` and `given`: what the fields in dispute hold now and were to hold; `version`: the one to save with."""

    sentence = "{label} was changed by somebody else meanwhile. Look at the current values and save again."
    zh = "{label} 已被他人修改。请查看当前内容后重新保存。"

    def __init__(self, *, label: str = "This record", label_zh: str = "", **more: Any) -> None:
        super().__init__(label=label, label_zh=label_zh or ("该记录" if label == "This record" else label), **more)


class Duplicate(Refusal):
    sentence = "{value} is taken already. Choose another."
    zh = "{value} 已被占用，请另选。"


class DuplicateFound(Refusal):
    """`label` is the first of `count` records, as the caller may know it; `record_id` is its id if they may see it."""

    sentence = "{label} is there already. Open it, or say why this is another one."
    zh = "{label} 已存在。请打开该记录，或说明为何不是同一条。"


class DuplicateRefused(Refusal):
    """As DuplicateFound, where the rules accept no reason."""

    sentence = "{label} is there already, and a second one is not allowed."
    zh = "{label} 已存在，不允许重复。"


class NumberAhead(Refusal):
    """The record was created all the same: what was declined is that its number moves the sequence."""

    sentence = (
        "{value} is far ahead, so it was reserved, but the sequence goes on with {next}. Check it for a typing error."
    )
    zh = "{value} 远超当前流水号，已保留该编号，但流水号仍从 {next} 继续。请检查是否输入有误。"


class TakenMeanwhile(Duplicate):
    sentence = "{value} was given to another record meanwhile. Rename or delete that one, then restore {label}."
    zh = "{value} 已被其他记录占用。请先修改或删除该记录，再恢复 {label}。"


class NotLocked(Refusal):
    sentence = "{label} is not locked."
    zh = "{label} 未被锁定。"


class LockWouldEnd(Refusal):
    sentence = "{label} is locked. Its lock ends when it leaves its owner: confirm that."
    zh = "{label} 已锁定，离开负责人后锁定将解除，请确认。"


class NotDeleted(Refusal):
    sentence = "{label} is not in the recycle bin."
    zh = "{label} 不在回收站中。"


class InBin(Refusal):
    sentence = "{label} is in the recycle bin. Restore it first."
    zh = "{label} 在回收站中，请先恢复。"


class Merged(Refusal):
    """Without the numbers for a caller who may not see them.  `winner_id` is the record to work with instead."""

    sentence = "{label} was merged into {winner}. Work with {winner} instead."
    zh = "{label} 已合并到 {winner}，请使用 {winner}。"
    without_numbers = "This record was merged into another one. Work with that one instead.", "该记录已合并到其他记录。"
    short = "{label} was merged into {winner}.", "{label} 已合并到 {winner}。"

    @property
    def is_named(self) -> bool:
        return bool(self.params.get("label") and self.params.get("winner"))

    def say(self, language: str = "en") -> str:
        return super().say(language) if self.is_named else self.without_numbers[language.startswith("zh")]

    def say_shortly(self, language: str = "en") -> str:
        """What became of it, on the page of the record that stayed."""
        english, chinese = (
            self.short if self.is_named else ("Another record was merged into this one.", "另一条记录已合并到此。")
        )
        return (chinese if language.startswith("zh") else english).format_map(self.params)


class RuleMissing(Refusal):
    sentence = "{reason}"
    zh = "{reason_zh}"


class InUse(_AboutAKind):
    sentence = "{label} is still used (by {what}: {count}). Move or delete those first."
    zh = "{label} 仍被使用（{what}：{count} 条）。请先转移或删除这些记录。"


class NotEligible(Refusal):
    sentence = "{name} cannot receive this customer: {reason}."
    zh = "{name} 无法接收该客户：{reason_zh}。"


class OnlyLooking(Refusal):
    sentence = "You see Millpond as {name} does. Nothing can be changed so; stop looking first."
    zh = "您正在以 {name} 的身份查看，不能作任何修改。请先退出查看。"


class KeyReused(Refusal):
    sentence = "This idempotency key was used for another request. Use a new key."
    zh = "该幂等键已用于其他请求，请使用新的键。"


class Busy(Refusal):
    sentence = "Others are changing the same at the moment, so nothing was changed. Try again."
    zh = "其他人正在修改相同的内容，本次未作任何修改，请稍后重试。"


class BatchUndone(Refusal):
    sentence = "Nothing was changed, because another record of this batch was refused."
    zh = "同批中有记录被拒绝，本批未作任何修改。"


def _in_this_file() -> list[type[Refusal]]:
    kinds = [kind for name, kind in globals().items() if isinstance(kind, type) and not name.startswith("_")]
    return [kind for kind in kinds if issubclass(kind, Refusal) and kind is not Refusal]


REFUSALS: dict[str, type[Refusal]] = {kind.code(): kind for kind in _in_this_file()}
"""Every refusal by its public code, in the order of this page."""
