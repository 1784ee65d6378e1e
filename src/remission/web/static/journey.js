// What is chosen or typed here stays in this page: no storage, no request. Without this file every step is shown.
(() => {
  "use strict";
  const goals = document.querySelector(".goals");
  const steps = [...document.querySelectorAll("[data-step]")];
  const thread = [...document.querySelectorAll(".thread a")];

  function showGoal() {
    const chosen = goals.querySelector("input:checked");
    for (const text of goals.querySelectorAll(".goal-text")) text.hidden = !chosen || text.dataset.goal !== chosen.value;
  }
  goals.addEventListener("change", showGoal);
  showGoal();

  // One step at a time; the part of the address after # says which, so that Back goes a step back.
  function target() {
    try { return document.getElementById(decodeURIComponent(window.location.hash.slice(1))); } catch { return null; }
  }
  function show(isMoved) {
    const at = target();
    const now = at?.closest("[data-step]") || steps[0];
    for (const step of steps) step.classList.toggle("now", step === now);
    for (const link of thread) {
      if (link.hash === `#${now.id}`) link.setAttribute("aria-current", "step"); else link.removeAttribute("aria-current");
    }
    const link = thread.find((one) => one.hash === `#${now.id}`);
    if (link && link.parentElement.parentElement.scrollWidth > link.parentElement.parentElement.clientWidth) {
      link.parentElement.parentElement.scrollLeft = link.parentElement.offsetLeft - 16;
    }
    if (!isMoved) return;
    const heading = at && at !== now ? at : now.querySelector("h2");
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
    heading.scrollIntoView();
  }
  document.body.classList.add("stepped");
  window.addEventListener("hashchange", () => show(true));
  show(target() !== null);

  // What use costs: price times how many times days a week.
  const form = document.getElementById("use");
  const fields = [...form.querySelectorAll("input")];
  const money = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 0 });
  function read(field) {
    const text = field.value.trim();
    const value = /^\d{1,9}(?:[.,]\d{0,4})?$/.test(text) ? Number(text.replace(",", ".")) : NaN;
    const most = Number(field.dataset.most);
    const isBad = text !== "" && !(value <= most);
    document.getElementById(`${field.id}-fault`).textContent = isBad
      ? form.dataset.bad.replace("{most}", form.dataset.most.replace("{n}", money.format(most))) : "";
    if (isBad) field.setAttribute("aria-invalid", "true"); else field.removeAttribute("aria-invalid");
    return text === "" || isBad ? null : value;
  }
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    const values = fields.map(read);
    const week = values.includes(null) ? null : values.reduce((product, value) => product * value, 1);
    document.getElementById("use-says").textContent = week === null ? "" : form.dataset.says
      .replace("{week}", money.format(week)).replace("{month}", money.format(week * 52 / 12)).replace("{year}", money.format(week * 52));
  });
  form.hidden = false;
  document.querySelector(".on-paper").hidden = true;

  const print = document.getElementById("print");
  print.hidden = false;
  print.addEventListener("click", () => window.print());
})();
