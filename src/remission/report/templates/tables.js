// A table that is wider than a phone, a tablet or a narrow column: its rows become short lists under their heads. Without this file it scrolls.
(() => {
  "use strict";
  const narrow = matchMedia("(max-width: 60rem)"), words = (cell) => cell.textContent.replace(/\s+/g, " ").trim();

  function fit(region) {
    const table = region.querySelector(":scope > table");
    if (!table || table.tHead?.rows.length !== 1) return;
    table.classList.remove("stacked");
    // What is folded away has no width yet: it is asked again when it opens.
    if (!(narrow.matches || region.clientWidth < 480) || region.scrollWidth <= region.clientWidth + 1) return;
    const heads = [...table.tHead.rows[0].cells].map(words);
    for (const row of table.querySelectorAll("tbody tr")) {
      let at = 0;
      for (const cell of row.cells) {
        if (cell.rowSpan > 1) return;
        if (at && cell.colSpan === 1 && heads[at]) cell.dataset.label = `${heads[at]}: `;
        at += cell.colSpan;
      }
    }
    table.classList.add("stacked");
  }

  const all = () => document.querySelectorAll(".scroll").forEach(fit);
  all();
  narrow.addEventListener("change", all);
  document.addEventListener("toggle", all, true);
  document.body.addEventListener("htmx:afterSettle", all);
})();
