"""Refusals about shares."""

from .input_errors import Validation
from .refusal import Refusal


class ShareFirst(Validation):
    """`customer_id`: the customer, which a front end can offer to share; the caller sees it."""

    sentence = "{name} cannot see this customer. Share the customer first."
    zh = "{name} 无权查看该客户，请先共享客户。"

    def __init__(self, name: str, customer_id: str, *, field: str | None = None) -> None:
        Refusal.__init__(self, field=field, name=name, customer_id=customer_id)
