import relay from "relay-runtime";
import ClaimMutation from "./relay/__generated__/PoolClaimMutation.graphql.js";
import CustomerCard from "./relay/__generated__/PoolCustomerCard.graphql.js";
import CustomerQuery from "./relay/__generated__/PoolCustomerQuery.graphql.js";
import PoolQuery from "./relay/__generated__/PoolQuery.graphql.js";
import RenameMutation from "./relay/__generated__/PoolRenameMutation.graphql.js";

const { commitMutation, createOperationDescriptor, Environment, fetchQuery } = relay;
const { getSingularSelector, Network, RecordSource, Store } = relay;

export function open(url, token) {
  const network = Network.create(async ({ text }, variables) => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
    const body = JSON.stringify({ query: text, variables });
    return (await fetch(url, { method: "POST", headers, body })).json();
  });
  const environment = new Environment({ network, store: new Store(new RecordSource()) });
  const fetched = (query, variables) =>
    fetchQuery(environment, query, variables, { fetchPolicy: "network-only" }).toPromise();
  const changed = (mutation, variables) =>
    new Promise((onCompleted, onError) => commitMutation(environment, { mutation, variables, onCompleted, onError }));
  return {
    // In React: useLazyLoadQuery and usePaginationFragment, which do the same with the same store.
    pool: async (filter, size) => {
      const operation = createOperationDescriptor(PoolQuery, { filter, ...size });
      environment.retain(operation);
      const load = (variables) => fetched(PoolQuery, { filter, ...variables });
      const shown = () => environment.lookup(operation.fragment).data.customers;
      await load(size);
      return {
        rows: () => shown().edges.map(({ node }) => node),
        ends: () => shown().pageInfo,
        next: (first) => load({ first, after: shown().pageInfo.endCursor }),
        previous: (last) => load({ last, before: shown().pageInfo.startCursor }),
      };
    },
    claim: async (id) => (await changed(ClaimMutation, { ids: [id] })).claimCustomers,
    rename: async (variables) => (await changed(RenameMutation, variables)).updateCustomer,
    customer: async (id) => {
      const { node } = await fetched(CustomerQuery, { id });
      return environment.lookup(getSingularSelector(CustomerCard, node)).data;
    },
  };
}
