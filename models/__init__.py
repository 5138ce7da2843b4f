"""Tables, the rules about one row or pure numbers, the refusals those rules raise, and the operation log.

Imports nothing of ours.  A new plain entity is a file here and its name in this list; everything else is derived.
"""

from .audit.entries import AuditEntry as AuditEntry
from .audit.entries import AuditSeal as AuditSeal
from .base import Base as Base
from .base import Entity as Entity
from .base import Part as Part
from .base import utcnow as utcnow
from .contact import Contact as Contact
from .contact import ContactPoint as ContactPoint
from .credentials import ApiToken as ApiToken
from .credentials import Credential as Credential
from .credentials import SignInAttempt as SignInAttempt
from .credentials import SignInSession as SignInSession
from .customer import Customer as Customer
from .dictionary import Dictionary as Dictionary
from .dictionary import DictionaryItem as DictionaryItem
from .events import Event as Event
from .events import IdempotencyKey as IdempotencyKey
from .follow_up import FollowUp as FollowUp
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
from .policy import PolicyDraft as PolicyDraft
from .policy import PolicyLine as PolicyLine
from .policy import PolicyRevision as PolicyRevision
from .pool import ClaimRule as ClaimRule
from .pool import OwnerLoad as OwnerLoad
from .pool import Pool as Pool
from .pool import PoolMember as PoolMember
from .pool import QuotaCounter as QuotaCounter
from .search import SearchDoc as SearchDoc
from .share import Share as Share

ENTITIES: list[type[Entity]] = [
    Customer,
    Contact,
    Opportunity,
    FollowUp,
    Pool,
    PoolMember,
    ClaimRule,
    User,
    Department,
    Role,
    UserRole,
    Dictionary,
    DictionaryItem,
    NumberRule,
    Organisation,
]
"""What people create, edit, delete and restore; API, panel, rights and log are derived from these."""

PROTECTED: list[type[Base]] = [*ENTITIES, ContactPoint, OwnershipPeriod, AuditEntry]
"""What is read under policy and nowhere else: every table with a module of its own or of its whole."""
