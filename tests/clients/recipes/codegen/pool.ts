import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { graphql } from "./generated";

export const POOL = graphql(`
  query Pool($filter: CustomerFilter, $first: Int, $after: String) {
    customers(filter: $filter, orderBy: [{ field: NAME }], first: $first, after: $after) {
      nodes { id name version approval pooledAt owner { name } can(action: CLAIM) }
      pageInfo { hasNextPage endCursor }
    }
  }
`);
export const CLAIM = graphql(`
  mutation Claim($ids: [ID!]!) {
    claimCustomers(input: { ids: $ids }) { ids problems { code message path params } }
  }
`);

declare function ask<Data, Variables>(query: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Data>;

export async function claimFirst(): Promise<string> {
  const { customers } = await ask(POOL, { filter: { poolId: { isNull: false } }, first: 1 });
  const customer = customers?.nodes[0];
  if (!customer?.can) return "nothing to claim";
  const { claimCustomers } = await ask(CLAIM, { ids: [customer.id] });
  const [problem] = claimCustomers.problems;
  if (problem?.code === "QUOTA_REACHED" || problem?.code === "NOT_IN_POOL") return problem.message;
  return `${customer.name ?? ""} since ${customer.pooledAt?.slice(0, 10) ?? ""}`;
}
