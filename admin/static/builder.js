// What is typed into the search builder while the next form is on its way stays: it is put into the inputs that replace
// the ones in which it was typed.
{
  const box = $("#builder");
  let typed = new Map(); // name of an input -> what was typed into it since a field or comparison was chosen

  box.addEventListener("change", ({ target }) => {
    if (target.matches("[hx-get]")) typed = new Map();
  });
  box.addEventListener("input", ({ target }) => {
    if (target.matches("input[name]")) typed.set(target.name, target.value);
  });
  // A button changes the places of rows, and sends what was typed.
  box.addEventListener("htmx:beforeRequest", ({ target }) => {
    if (!target.matches("[hx-get][name]")) typed = new Map();
  });

  let held = null;
  box.addEventListener("htmx:beforeSwap", () => {
    held = typed.has(document.activeElement?.name) ? document.activeElement.name : null;
  });
  box.addEventListener("htmx:afterSettle", () => {
    for (const [name, text] of typed) {
      const input = $(`input[name="${name}"]`, box);
      if (input && input.value !== text) input.value = text;
      if (input && name === held) {
        input.focus();
        if (input.type === "text") input.setSelectionRange(text.length, text.length);
      }
    }
    held = null;
  });
}
