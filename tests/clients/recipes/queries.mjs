export const POOL = `
  query Pool($filter: CustomerFilter, $first: Int, $after: String, $last: Int, $before: String) {
    customers(filter: $filter, orderBy: [{ field: NAME }], first: $first, after: $after, last: $last, before: $before) {
      edges { cursor node { id name version } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
`;
export const CLAIM = `
  mutation Claim($ids: [ID!]!) {
    claimCustomers(input: { ids: $ids }) {
      customers { id version owner { id name } }
      problems { code message recordId }
    }
  }
`;
export const RENAME = `
  mutation Rename($id: ID!, $version: Int!, $name: String!) {
    updateCustomer(input: { id: $id, version: $version, name: $name }) {
      customer { id name version }
      problems { code message path }
    }
  }
`;
export const CUSTOMER = `
  query Customer($id: ID!) {
    node(id: $id) { ... on Customer { id name version owner { id name } } }
  }
`;
