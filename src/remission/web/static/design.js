// The form of a design: what is typed is kept at once, infusions are moved by mouse and keys, keys run and cancel.
// Without this file every box has a button that does the same.
(() => {
  "use strict";
  const desk = () => document.querySelector("[data-desk]");
  if (!desk()) return;
  let sending = Promise.resolve(), typed = new Map();

  const parts = ["sentence", "whose", "timeline", "steps", "runbar", "file", "results"];

  // Parts of the page that an answer has are put in place; what somebody types meanwhile stays.
  function put(page) {
    const active = document.activeElement, id = active?.id, at = active?.selectionStart, fresh = page.querySelector("[data-desk]");
    if (!fresh) { location.reload(); return; }
    const open = new Set([...document.querySelectorAll("details[open]")].map((one) => one.id));
    for (const name of parts) {
      const old = document.getElementById(name), next = page.getElementById(name);
      if (!old || !next) { if (old || next) { desk().replaceWith(document.importNode(fresh, true)); begin(); } if (old || next) break; continue; }
      if (old.innerHTML === next.innerHTML) continue;
      // A file that was chosen and not yet sent cannot be put back.
      if ([...old.querySelectorAll("input[type=file]")].some((one) => one.files.length)) continue;
      const made = document.importNode(next, true);
      for (const one of made.querySelectorAll("details")) if (open.has(one.id)) one.open = true;
      old.replaceWith(made);
    }
    const next = fresh.querySelector("[name=revision]");
    for (const old of next ? document.querySelectorAll("[data-desk] [name=revision]") : []) old.value = next.value;
    for (const [name, [value, checked]] of typed) {
      const box = document.getElementById(name);
      if (!box) continue;
      if (box.value !== value) box.value = value;
      if (box.checked !== undefined) box.checked = checked;
    }
    if (id && document.activeElement?.id !== id) {
      const box = document.getElementById(id);
      box?.focus({ preventScroll: true });
      try { if (at !== null && at !== undefined) box?.setSelectionRange(at, at); } catch { /* a box without a place */ }
    }
    begin();
  }

  // One after the other: the second must know the revision that the first made.
  function send(form, how) {
    sending = sending.then(async () => {
      const data = new URLSearchParams(new FormData(form));
      for (const [name, value] of Object.entries(how)) data.set(name, value);
      // Only what is in this message is on its way; what another form holds, or is typed from now on, stays.
      for (const name of [...typed.keys()]) if (form.contains(document.getElementById(name))) typed.delete(name);
      const answer = await fetch(form.getAttribute("action"), { method: "POST", body: data });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (answer.status === 409 || answer.status >= 500 || answer.status === 403) { document.documentElement.replaceWith(document.importNode(page.documentElement, true)); return; }
      if (answer.redirected) history.replaceState(null, "", answer.url);
      put(page);
    }).catch(() => { const said = document.getElementById("said"); if (said) said.textContent = "The server does not answer: nothing of this page is lost, and it is sent again with the next change."; });
    return sending;
  }

  document.addEventListener("input", (event) => { const box = event.target; if (box.closest("[data-desk]") && box.id && box.type !== "file") for (const one of box.type === "radio" ? document.getElementsByName(box.name) : [box]) typed.set(one.id, [one.value, one.checked]); });
  document.addEventListener("change", (event) => {
    const form = event.target.closest("#fields");
    if (form) send(form, { do: "save" });
  });
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("#fields"), button = event.submitter;
    if (!form) return;
    const what = button?.value || "save";
    if (what === "simulate") return;
    event.preventDefault();
    send(form, { do: what });
  });

  // ------------------------------------------------------------------------------------------------------ the timeline

  const box = (path, name) => document.querySelector(`[name="p:${path}.${name}"]`);

  function move(mark, by) {
    const path = mark.dataset.path, day = box(path, "day"), mode = box(path, "gap.mode");
    if (!by || !(day || mode)) return;
    if (day) day.value = Math.max(0, Number(day.value) + by);
    else {
      const to = Math.max(1, Number(mode.value) + by), low = box(path, "gap.low"), high = box(path, "gap.high");
      mode.value = to;
      if (low && Number(low.value) > to) low.value = to;
      if (high && Number(high.value) < to) high.value = to;
    }
    send(document.getElementById("fields"), { do: "save" }).then(() => document.querySelector(`.inf[data-path="${CSS.escape(path)}"][tabindex]`)?.focus({ preventScroll: true }));
  }

  function begin() {
    const keys = document.getElementById("keys");
    if (keys) keys.hidden = false;
    for (const svg of document.querySelectorAll("svg.schedule")) {
      svg.setAttribute("role", "group");
      const isShown = getComputedStyle(svg).display !== "none";
      for (const mark of svg.querySelectorAll(".inf")) {
        if (!isShown) { mark.removeAttribute("tabindex"); continue; }
        mark.setAttribute("tabindex", "0");
        mark.setAttribute("role", "slider");
        mark.setAttribute("aria-label", mark.dataset.label);
        mark.setAttribute("aria-valuemin", "0");
        mark.setAttribute("aria-valuemax", "1826");
        mark.setAttribute("aria-valuenow", mark.dataset.day);
        mark.setAttribute("aria-valuetext", `day ${mark.dataset.day}`);
      }
    }
  }

  document.addEventListener("keydown", (event) => {
    const mark = event.target.closest?.(".inf");
    if (!mark || event.ctrlKey || event.metaKey || event.altKey) return;
    const path = mark.dataset.path, list = path.replace(/\[\d+\]$/, ""), form = document.getElementById("fields");
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") { event.preventDefault(); move(mark, event.key === "ArrowLeft" ? -1 : 1); }
    else if (event.key === "+") { event.preventDefault(); send(form, { do: `add:${list}` }); }
    else if (event.key === "Delete") { event.preventDefault(); send(form, { do: `remove:${path}` }); }
    else if (event.key === "Enter") {
      event.preventDefault();
      const first = box(path, "dose");
      if (first) { const step = first.closest("details"); if (step) step.open = true; first.focus(); }
    }
  });

  let held = null;
  document.addEventListener("pointerdown", (event) => {
    const mark = event.target.closest?.(".inf");
    if (!mark) return;
    mark.focus();
    held = { mark, from: event.clientX, svg: mark.ownerSVGElement, at: mark.getAttribute("transform") };
    mark.setPointerCapture?.(event.pointerId);
  });
  const days = (event) => Math.round((event.clientX - held.from) * held.svg.viewBox.baseVal.width / held.svg.getBoundingClientRect().width / Number(held.svg.dataset.px));
  document.addEventListener("pointermove", (event) => {
    if (!held) return;
    const x = Number(held.svg.dataset.x0) + Math.max(0, Number(held.mark.dataset.day) + days(event)) * Number(held.svg.dataset.px);
    held.mark.setAttribute("transform", held.at.replace(/\([\d.]+/, `(${x.toFixed(1)}`));
  });
  document.addEventListener("pointerup", (event) => { if (held) { const { mark } = held, by = days(event); held = null; move(mark, by); } });

  // ------------------------------------------------------------------------------------------------------------- keys

  document.addEventListener("keydown", (event) => {
    if (event.target.matches("input, textarea, select, .inf") || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = document.querySelectorAll("details.step")[Number(event.key) - 1];
    if (/^[1-9]$/.test(event.key) && step) { step.open = true; step.querySelector("summary").focus(); }
    else if (event.key === "r") document.getElementById("run")?.click();
    else if (event.key === "c") document.querySelector("[data-act=cancel]")?.click();
  });
  begin();
})();
