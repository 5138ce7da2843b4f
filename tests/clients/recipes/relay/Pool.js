// What relay-compiler reads. With babel-plugin-relay the same literals stand in your components.
import { graphql } from "relay-runtime";

graphql`
  query PoolQuery($filter: CustomerFilter, $first: Int, $after: String, $last: Int, $before: String) {
    customers(filter: $filter, orderBy: [{ field: NAME }], first: $first, after: $after, last: $last, before: $before)
      @connection(key: "Pool_customers", filters: ["filter"]) {
      edges { node { id ...PoolCustomer @relay(mask: false) } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
`;
graphql`
  fragment PoolCustomer on Customer {
    name
    version
    owner { id name }
  }
`;
graphql`
  mutation PoolClaimMutation($ids: [ID!]!) {
    claimCustomers(input: { ids: $ids }) {
      customers { id ...PoolCustomer @relay(mask: false) }
      problems { code message recordId }
    }
  }
`;
graphql`
  mutation PoolRenameMutation($id: ID!, $version: Int!, $name: String!) {
    updateCustomer(input: { id: $id, version: $version, name: $name }) {
      customer { id ...PoolCustomer @relay(mask: false) }
      problems { code message path }
    }
  }
`;
graphql`
  fragment PoolCustomerCard on Customer @refetchable(queryName: "PoolCustomerQuery") {
    ...PoolCustomer @relay(mask: false)
  }
`;
