from typing import Any

from gql import Client, gql
from gql.transport.httpx import HTTPXTransport

POOL = """
  query Pool($filter: CustomerFilter, $first: Int, $after: String, $last: Int, $before: String) {
    customers(filter: $filter, orderBy: [{field: NAME}], first: $first, after: $after, last: $last, before: $before) {
      nodes { id name version }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
"""
CLAIM = """
  mutation Claim($ids: [ID!]!) {
    claimCustomers(input: {ids: $ids}) {
      customers { id version owner { id name } }
      problems { code message recordId }
    }
  }
"""
RENAME = """
  mutation Rename($id: ID!, $version: Int!, $name: String!) {
    updateCustomer(input: {id: $id, version: $version, name: $name}) {
      customer { id name version }
      problems { code message path }
    }
  }
"""
CUSTOMER = """
  query Customer($id: ID!) {
    node(id: $id) { ... on Customer { id name version owner { id name } } }
  }
"""


class Millpond:
    """The API with one token."""

    def __init__(self, url: str, token: str) -> None:
        transport = HTTPXTransport(url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30)
        # The schema is fetched once, and every query is checked against it before it is sent.
        self.client = Client(transport=transport, fetch_schema_from_transport=True)

    def page(self, **variables: Any) -> dict[str, Any]:
        return self._ask(POOL, **variables)["customers"]

    def claim(self, id: str) -> dict[str, Any]:
        return self._ask(CLAIM, ids=[id])["claimCustomers"]

    def rename(self, **variables: Any) -> dict[str, Any]:
        return self._ask(RENAME, **variables)["updateCustomer"]

    def customer(self, id: str) -> dict[str, Any]:
        return self._ask(CUSTOMER, id=id)["node"]

    def _ask(self, text: str, **variables: Any) -> dict[str, Any]:
        query = gql(text)
        query.variable_values = variables
        return self.client.execute(query)
