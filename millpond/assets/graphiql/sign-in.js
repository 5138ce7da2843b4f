"use strict";

// Signs in through the API like any program, then asks for the session cookie and comes back to this page.
(() => {
  const form = document.getElementById("sign-in");
  const problem = document.getElementById("problem");
  const query = `mutation ($input: SignInInput!) { signIn(input: $input) { token problems { message } } }`;

  async function post(address, headers, body) {
    const answer = await fetch(address, { method: "POST", headers, body });
    return answer.status === 204 ? {} : answer.json();
  }

  function sentence({ errors, data }) {
    return errors?.[0]?.message ?? data?.signIn?.problems?.[0]?.message;
  }

  async function signIn() {
    const input = Object.fromEntries(new FormData(form));
    const entered = await post(
      window.location.pathname,
      { "Content-Type": "application/json" },
      JSON.stringify({ query, variables: { input } }),
    );
    const token = entered.data?.signIn?.token;
    if (!token) return sentence(entered) ?? "The server did not understand. Try again.";
    return sentence(await post("/session", { Authorization: `Bearer ${token}` }));
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.textContent = "";
    try {
      problem.textContent = (await signIn()) ?? "";
    } catch {
      problem.textContent = "The server cannot be reached.";
    }
    if (!problem.textContent) window.location.reload();
  });
})();
