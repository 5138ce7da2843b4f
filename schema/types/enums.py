"""The enums of closed lists, as annotations of types and arguments."""

from typing import Any

from ..closed_lists import Density, EntityName, Language, NotificationKind
from .make import enum_of

DensityType: Any = enum_of(Density)
EntityNameType: Any = enum_of(EntityName)
LanguageType: Any = enum_of(Language)
NotificationKindType: Any = enum_of(NotificationKind)
