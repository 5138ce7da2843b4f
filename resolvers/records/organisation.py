"""Settings of the organisation: valid values of time zone, currency and language, and the time zone in statements."""

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session

from models import Organisation
from models.amounts import currencies
from models.database.bypass import Because
from models.database.prepared import Prepared

from ..runtime.inputs import badly_formed, check_language
from ..runtime.lifecycle import Rules
from ..runtime.scope import Scope


class OrganisationRules(Rules[Organisation]):
    """Time zone, currency and language exist."""

    def check(self, scope: Scope, db: Session, row: Organisation, values: dict[str, Any]) -> None:
        if "time_zone" in values and values["time_zone"] not in time_zones():
            raise badly_formed(
                "time_zone",
                "must be a time zone like Asia/Shanghai",
                "必须是时区名称，例如 Asia/Shanghai",
                "Asia/Shanghai",
            )
        if "language" in values:
            check_language(values["language"])
        if "currency" in values:
            row.currency = values["currency"] = currency_of(values["currency"])


def currency_of(code: str) -> str:
    """The code of a currency in use (ISO 4217), in capitals.  Raises Validation."""
    if code.upper() not in currencies():
        raise badly_formed("currency", "must be the code of a currency, like CNY", "必须是货币代码，例如 CNY", "CNY")
    return code.upper()


@cache
def time_zones() -> set[str]:
    """The names of all time zones."""
    return available_timezones()


ZONE = func.coalesce(select(Organisation.__table__.c.time_zone).limit(1).scalar_subquery(), "UTC")
"""SQL expression of the organisation's time zone, in which days and weeks begin."""
_ZONE = Prepared(select(ZONE), because=Because.APPLIES_TO_ALL)


def zone_of(db: Session | Connection) -> str:
    """The name of the organisation's time zone, `UTC` without one."""
    return str(_ZONE.rows(db)[0][0])
