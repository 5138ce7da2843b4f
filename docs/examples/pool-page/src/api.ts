// The API: requests, sign-in with the session cookie, and what is told of a pool while one looks at it.
import { createClient } from "graphql-ws";

declare const MILLPOND: string; // where Millpond is, filled in by the build

export interface Problem { code: string; message: string }
export interface Customer { id: string; number: string | null; name: string | null; regionLabel: string | null }
export interface Pool { id: string; name: string | null }
interface Change { customerId: string; left: boolean; customer: Customer | null }

/** A request without an answer: the network, or one that is wrong itself. What the rules refuse is a Problem. */
export class Failed extends Error {
  constructor(message: string, readonly code: string) {
    super(message);
  }
}

/** The data of a query or mutation. The browser sends the cookie, and its Accept-Language. */
async function ask<Data>(query: string, variables: object = {}): Promise<Data> {
  const answer = await fetch(`${MILLPOND}/graphql`, {
    method: "POST",
    credentials: "include",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await answer.json();
  if (errors) throw new Failed(errors[0].message, errors[0].extensions.code);
  return data;
}

/** Signs in, and turns the token into the cookie, which no script can read. Returns what was refused. */
export async function signIn(login: string, password: string): Promise<Problem[]> {
  const { signIn } = await ask<{ signIn: { token: string | null; problems: Problem[] } }>(
    `mutation ($login: String!, $password: String!) {
      signIn(input: { login: $login, password: $password }) { token problems { code message } }
    }`,
    { login, password },
  );
  if (signIn.token) {
    const headers = { authorization: `Bearer ${signIn.token}` };
    const answer = await fetch(`${MILLPOND}/session`, { method: "POST", credentials: "include", headers });
    if (!answer.ok) throw new Failed(answer.statusText, "SESSION");
  }
  return signIn.problems;
}

export async function signOut(): Promise<void> {
  await ask("mutation { signOut { problems { code } } }");
}

/** The pools that I see, and the language of my account. Null when nobody is signed in. */
export async function start(): Promise<{ language: string; pools: Pool[] } | null> {
  try {
    const { me, pools } = await ask<{ me: { user: { language: string | null } | null }; pools: { nodes: Pool[] } | null }>(
      "{ me { user { language } } pools(first: 100, orderBy: [{ field: NAME }]) { nodes { id name } } }",
    );
    return { language: me.user?.language ?? "", pools: pools?.nodes ?? [] };
  } catch (error) {
    if (error instanceof Failed && error.code === "UNAUTHENTICATED") return null;
    throw error;
  }
}

const CUSTOMER = "id number name regionLabel";

/** The customers of a pool, the first hundred. */
export async function customersOf(pool: string): Promise<Customer[]> {
  const { customers } = await ask<{ customers: { nodes: Customer[] } | null }>(
    `query ($pool: ID!) {
      customers(first: 100, filter: { poolId: { eq: $pool } }, orderBy: [{ field: NAME }]) { nodes { ${CUSTOMER} } }
    }`,
    { pool },
  );
  return customers?.nodes ?? [];
}

/** Claims a customer. The key makes a second click, or a request sent again, the same claim. */
export async function claim(id: string): Promise<Problem[]> {
  const { claimCustomers } = await ask<{ claimCustomers: { problems: Problem[] } }>(
    `mutation ($id: ID!, $key: String!) {
      claimCustomers(input: { ids: [$id], idempotencyKey: $key }) { problems { code message } }
    }`,
    { id, key: crypto.randomUUID() },
  );
  return claimCustomers.problems;
}

/**
 * Tells of customers that come into a pool, change there or leave it. `load` is called with each new connection,
 * because nothing is told of the time without one. Returns what ends it.
 */
export function watch(pool: string, load: () => void, tell: (change: Change) => void, end: (error: unknown) => void) {
  const client = createClient({
    url: `${MILLPOND.replace(/^http/, "ws")}/graphql`,
    retryAttempts: Infinity,
    shouldRetry: () => true,
    on: { connected: load },
  });
  const query = `subscription ($pool: ID!) {
    poolChanged(poolId: $pool) { changes { customerId left customer { ${CUSTOMER} } } }
  }`;
  client.subscribe<{ poolChanged: { changes: Change[] } }>(
    { query, variables: { pool } },
    { next: ({ data }) => data?.poolChanged.changes.forEach(tell), error: end, complete: () => {} },
  );
  return () => void client.dispose();
}
