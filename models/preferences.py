"""How a user has arranged the panel: columns, page size, density."""

from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base


class PanelPreference(Base):
    """The choices of one user, the same in every browser.  What they mean is read in `admin/kit/preferences.py`."""

    __tablename__ = "panel_preference"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("app_user.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    settings: Mapped[dict[str, Any]]
