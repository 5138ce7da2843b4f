"use strict";

// Starts GraphiQL on this address. The session cookie says who is asking; a token may be tried in the headers pane.
(() => {
  const root = document.getElementById("graphiql");
  const greeting = `# Signed in as ${root.dataset.person}.
# You see what your roles let you see.
# Ctrl-Space completes, Ctrl-Enter runs.

{
  me {
    user { id login name roles }
  }
}
`;
  const fetcher = GraphiQL.createFetcher({ url: window.location.pathname });
  ReactDOM.createRoot(root).render(
    React.createElement(GraphiQL, { fetcher, defaultQuery: greeting, shouldPersistHeaders: false }),
  );
})();
