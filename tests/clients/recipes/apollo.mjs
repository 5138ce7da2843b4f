import { ApolloClient, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { relayStylePagination } from "@apollo/client/utilities";
import { firstValueFrom, skipWhile } from "rxjs";
import { CLAIM, CUSTOMER, POOL, RENAME } from "./queries.mjs";

export function open(uri, token) {
  const client = new ApolloClient({
    link: new HttpLink({ uri, headers: { authorization: `Bearer ${token}` } }),
    cache: new InMemoryCache({
      // One list per filter and order, which `fetchMore` makes longer at either end.
      typePolicies: { Query: { fields: { customers: relayStylePagination(["filter", "orderBy", "search", "bin"]) } } },
    }),
  });
  return {
    pool: async (filter, size) => {
      const list = client.watchQuery({ query: gql(POOL), variables: { filter, ...size } });
      let shown; // what a component would render
      list.subscribe(({ data }) => (shown = data?.customers));
      await firstValueFrom(list.pipe(skipWhile(({ loading }) => loading)));
      return {
        rows: () => shown.edges.map(({ node }) => node),
        ends: () => shown.pageInfo,
        next: (first) => list.fetchMore({ variables: { first, after: shown.pageInfo.endCursor } }),
        previous: (last) => list.fetchMore({ variables: { last, before: shown.pageInfo.startCursor } }),
      };
    },
    claim: async (id) => (await client.mutate({ mutation: gql(CLAIM), variables: { ids: [id] } })).data.claimCustomers,
    rename: async (variables) => (await client.mutate({ mutation: gql(RENAME), variables })).data.updateCustomer,
    customer: async (id) =>
      (await client.query({ query: gql(CUSTOMER), variables: { id }, fetchPolicy: "network-only" })).data.node,
  };
}
