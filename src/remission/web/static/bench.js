// The workbench: parts of a page that change while a job runs are fetched again. Without this file the page reloads itself.
(() => {
  "use strict";
  const every = 700;

  async function fresh() {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok) throw new Error(answer.statusText);
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  }

  // Only what differs is put in place, so that a reader who has a button in focus keeps it.
  function renew(page) {
    for (const old of document.querySelectorAll("[data-live]")) {
      const next = page.getElementById(old.id);
      if (!next || next.innerHTML === old.innerHTML) { if (next) busy(old, next); continue; }
      const act = old.contains(document.activeElement) ? document.activeElement.dataset.act : "", id = old.contains(document.activeElement) ? document.activeElement.id : "";
      busy(old, next);
      old.replaceChildren(...document.importNode(next, true).childNodes);
      if (id) document.getElementById(id)?.focus({ preventScroll: true });
      else if (act) old.querySelector(`[data-act="${act}"]`)?.focus({ preventScroll: true });
    }
  }
  const busy = (old, next) => old.toggleAttribute("data-busy", next.hasAttribute("data-busy"));

  // The first band comes within a second or two: looked for more often at first.
  let wait = 250;
  async function look() {
    if (document.querySelector("[data-live][data-busy]") && !document.hidden) {
      try { renew(await fresh()); wait = Math.min(every, wait + 50); } catch { wait = Math.min(10000, wait * 2); }
    }
    setTimeout(look, wait);
  }
  setTimeout(look, wait);
  window.Bench = { renew };
})();
