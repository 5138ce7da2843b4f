// Files of a record: several are chosen or dropped at once, and sent one after another with their progress.

const MIB = 1 << 20;

export function watchFiles(form) {
  if (form.isWatched) return;
  form.isWatched = true;
  const input = $("input[type=file]", form);
  const list = $("[data-sending]", form);
  input.multiple = true;
  $("button", form).hidden = true;
  input.addEventListener("change", () => send(form, list, [...input.files]));
  const carries = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
  const box = form.closest(".related") || form;
  const mark = (isOver) => $(".drop-file", form).classList.toggle("is-over", isOver);
  box.addEventListener("dragover", (event) => { if (carries(event)) { event.preventDefault(); mark(true); } });
  box.addEventListener("dragleave", (event) => { if (!box.contains(event.relatedTarget)) mark(false); });
  box.addEventListener("drop", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    mark(false);
    send(form, list, [...event.dataTransfer.files]);
  });
}

async function send(form, list, files) {
  let isWell = true;
  for (const file of files) {
    const line = document.createElement("li");
    const bar = document.createElement("progress");
    const said = document.createElement("span");
    said.setAttribute("role", "status");
    bar.max = 1;
    bar.value = 0;
    line.append(file.name, " ", bar, " ", said);
    list.append(line);
    const trouble = file.size > Number(form.dataset.largest) * MIB ? form.dataset.tooLarge : await post(form, file, bar);
    if (trouble) {
      isWell = false;
      bar.remove();
      said.className = "said-bad";
      said.textContent = trouble;
    }
  }
  if (isWell) location.assign(`${location.pathname}?tab=files#related`);
}

// What was refused, as a sentence; "" where the file was taken.
function post(form, file, bar) {
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    const body = new FormData();
    body.append("file", file);
    request.open("POST", form.action);
    request.upload.addEventListener("progress", (event) => { if (event.lengthComputable) bar.value = event.loaded / event.total; });
    request.addEventListener("load", () => {
      if (request.status < 400) return done("");
      const page = new DOMParser().parseFromString(request.responseText, "text/html");
      return done(page.querySelector(".alert-danger")?.textContent.trim() || form.dataset.failed);
    });
    request.addEventListener("error", () => done(form.dataset.failed));
    request.send(body);
  });
}
