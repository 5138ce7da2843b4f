"""The compiled query of locked customers that the caller may unlock, whether or not they see them."""

from collections.abc import Mapping, Sequence
from typing import Any

from graphql import FieldNode

from models import Customer
from resolvers.reading.clauses import in_bin

from ..plan.compile import Compiler
from ..plan.dialect import Value
from ..plan.shape import KINDS
from ..roots import compiled_query
from ..types import derive


def _compile(compiler: Compiler, nodes: Sequence[FieldNode], _arguments: Mapping[str, Any]) -> Value:
    return compiler.list("Query", KINDS["LockedCustomer"], nodes, lambda c: in_bin(Customer, c, wanted=False))


compiled_query(
    "lockedCustomers",
    "customer.unlock",
    {**derive.PAGED, "return": "Optional[LockedCustomerConnection]"},
    "The locked customers that you may unlock, seen or not.",
    _compile,
)
