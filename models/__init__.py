"""Tables, the rules about one row or pure numbers, the refusals those rules raise, and the operation log.

Imports no other package of the application.  An entity is found by its file here; API, panel, rights and log derive from it.
"""

from importlib import import_module
from pkgutil import walk_packages

from .attachment import Attachment as Attachment
from .audit import recording as recording  # first: it makes columns keep their former values
from .audit.entries import AuditEntry as AuditEntry
from .audit.entries import AuditSeal as AuditSeal
from .base import Base as Base
from .base import Entity as Entity
from .base import Part as Part
from .base import utcnow as utcnow
from .bulk_change import BulkChange as BulkChange
from .bulk_change import BulkItem as BulkItem
from .calendar_day import CalendarDay as CalendarDay
from .claim_condition import ClaimCondition as ClaimCondition
from .comment import Comment as Comment
from .contact import Contact as Contact
from .contact import ContactPoint as ContactPoint
from .credentials import ApiToken as ApiToken
from .credentials import Credential as Credential
from .credentials import SignInAttempt as SignInAttempt
from .credentials import SignInSession as SignInSession
from .custom_field import CustomField as CustomField
from .custom_field import FieldBook as FieldBook
from .customer import Approval as Approval
from .customer import Customer as Customer
from .declaration import protected_tables
from .dictionary import Dictionary as Dictionary
from .dictionary import DictionaryItem as DictionaryItem
from .dictionary import Tone as Tone
from .duplicate_key import DuplicateKey as DuplicateKey
from .duplicate_rule import DuplicateRule as DuplicateRule
from .events import ADD_EVENT as ADD_EVENT
from .events import Event as Event
from .events import IdempotencyKey as IdempotencyKey
from .export import Export as Export
from .export import ExportProfile as ExportProfile
from .follow_up import FollowUp as FollowUp
from .former_name import FormerName as FormerName
from .import_batch import ImportBatch as ImportBatch
from .import_batch import ImportKey as ImportKey
from .import_batch import ImportMapping as ImportMapping
from .import_batch import ImportRow as ImportRow
from .job import Job as Job
from .merge_record import MergeRecord as MergeRecord
from .not_duplicate import NotDuplicate as NotDuplicate
from .notice import Notice as Notice
from .notice import NoticePreference as NoticePreference
from .numbering import NumberCounter as NumberCounter
from .numbering import NumberRule as NumberRule
from .numbering import Tombstone as Tombstone
from .opportunity import Opportunity as Opportunity
from .organisation import Organisation as Organisation
from .ownership import OwnershipPeriod as OwnershipPeriod
from .people import Department as Department
from .people import Role as Role
from .people import User as User
from .people import UserRole as UserRole
from .pipeline import CustomerStage as CustomerStage
from .pipeline import Pipeline as Pipeline
from .pipeline import PipelineStage as PipelineStage
from .plan import Plan as Plan
from .policy import PolicyDraft as PolicyDraft
from .policy import PolicyLine as PolicyLine
from .policy import PolicyRevision as PolicyRevision
from .policy import PolicyWord as PolicyWord
from .pool import ClaimRule as ClaimRule
from .pool import OwnerLoad as OwnerLoad
from .pool import Pool as Pool
from .pool import PoolMember as PoolMember
from .pool import QuotaCounter as QuotaCounter
from .pool_assignment import AssignmentDecision as AssignmentDecision
from .pool_assignment import AssignmentRule as AssignmentRule
from .pool_assignment import AssignmentShare as AssignmentShare
from .pool_assignment import AssignmentState as AssignmentState
from .preferences import PanelPreference as PanelPreference
from .release_rule import ReleaseBook as ReleaseBook
from .release_rule import ReleaseReminder as ReleaseReminder
from .release_rule import ReleaseRule as ReleaseRule
from .retention import PoolView as PoolView
from .retention import RetentionState as RetentionState
from .saved_view import SavedView as SavedView
from .saved_view import SavedViewShare as SavedViewShare
from .search import SearchDoc as SearchDoc
from .sensitive_read import SensitiveRead as SensitiveRead
from .share import Share as Share
from .share import ShareRequest as ShareRequest
from .stage_period import CustomerStagePeriod as CustomerStagePeriod
from .stage_period import OpportunityStagePeriod as OpportunityStagePeriod
from .upload import Upload as Upload
from .word_merge import WordMerge as WordMerge
from .word_merge import WordMove as WordMove

for _file in walk_packages(__path__, f"{__name__}."):
    import_module(_file.name)

_ORDER: tuple[type[Entity], ...] = (
    Customer,
    Contact,
    Opportunity,
    FollowUp,
    Plan,
    Pool,
    PoolMember,
    ClaimRule,
    ReleaseRule,
    ClaimCondition,
    AssignmentRule,
    AssignmentShare,
    User,
    Department,
    Role,
    UserRole,
    Dictionary,
    DictionaryItem,
    Pipeline,
    PipelineStage,
    CustomerStage,
    NumberRule,
    CustomField,
    Organisation,
    CalendarDay,
)
"""The order of these kinds in API and panel.  Others follow by their file and their place in it."""

ENTITIES: list[type[Entity]] = sorted(
    (model for model in protected_tables() if issubclass(model, Entity)),
    key=lambda model: (0, _ORDER.index(model), "") if model in _ORDER else (1, 0, model.__module__),
)
"""What people create, edit, delete and restore: every entity of every file here."""

PROTECTED: list[type[Base]] = [*ENTITIES, ContactPoint, Comment, OwnershipPeriod, AuditEntry]
"""What is read under policy and nowhere else: every table with ids of its own, in the order of the policy table."""
PROTECTED += sorted(set(protected_tables()) - set(PROTECTED), key=lambda model: (model.__module__, model.__name__))
