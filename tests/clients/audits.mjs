// The audits of GraphQL over HTTP by graphql-http, as JSON: node audits.mjs URL TOKEN
import { auditServer } from "graphql-http";

const [url, token] = process.argv.slice(2);
const fetchFn = (address, { headers, ...more } = {}) =>
  fetch(address, { ...more, headers: { ...headers, authorization: `Bearer ${token}` } });
const results = await auditServer({ url, fetchFn });
const told = results.map(({ id, name, status, reason }) => ({ id, name, status, reason: reason ?? null }));
console.log(JSON.stringify(told));
