import { cacheExchange, Client, fetchExchange } from "@urql/core";
import { CLAIM, CUSTOMER, POOL, RENAME } from "./queries.mjs";

export function open(url, token) {
  const client = new Client({
    url,
    exchanges: [cacheExchange, fetchExchange],
    fetchOptions: { headers: { authorization: `Bearer ${token}` } },
  });
  const answered = async (source) => {
    const { data, error } = await source.toPromise();
    if (error) throw error; // what was wrong with the request; what the rules refuse is in `problems`
    return data;
  };
  return {
    pool: async (filter, size) => {
      const rows = [];
      let ends;
      const load = async (variables) => {
        const { edges, pageInfo } = (await answered(client.query(POOL, { filter, ...variables }))).customers;
        const nodes = edges.map(({ node }) => node);
        if (variables.last) rows.unshift(...nodes);
        else rows.push(...nodes);
        ends = pageInfo;
      };
      await load(size);
      return {
        rows: () => rows,
        ends: () => ends,
        next: (first) => load({ first, after: ends.endCursor }),
        previous: (last) => load({ last, before: ends.startCursor }),
      };
    },
    claim: async (id) => (await answered(client.mutation(CLAIM, { ids: [id] }))).claimCustomers,
    rename: async (variables) => (await answered(client.mutation(RENAME, variables))).updateCustomer,
    customer: async (id) => (await answered(client.query(CUSTOMER, { id }, { requestPolicy: "network-only" }))).node,
  };
}
