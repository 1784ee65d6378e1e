// The field of days, read by pointer and keys. The page has drawn every field already and is whole without this file;
// other scripts redraw one with DayField.draw(svg, rows). A row is a text of f (without use), u (use) and n (not known),
// one letter a day; DayField.open makes it from runs ("f12u3" as in the JSON of a page). Nothing is stored or sent.
globalThis.DayField = (() => {
  const open = (runs) => runs.replace(/([fun])(\d+)/g, (_, letter, count) => letter.repeat(Number(count)));
  const count = (row, letter) => row.split(letter).length - 1;
  // Most days without use first, then fewest with use: as the program sorts them.
  const sorted = (rows) => [...rows].sort((a, b) => count(b, "f") - count(a, "f") || count(a, "u") - count(b, "u"));

  function path(rows, letters) {
    let text = "";
    rows.forEach((row, y) => { for (const run of row.matchAll(letters)) text += `M${run.index} ${y}.5h${run[0].length}`; });
    return text || "M0 0";
  }

  function draw(svg, rows) {
    svg.setAttribute("viewBox", `0 0 ${rows[0].length} ${rows.length}`);
    svg.querySelector(".ff").setAttribute("d", path(rows, /[fu]+/g));
    svg.querySelector("defs path").setAttribute("d", path(rows, /u+/g));
    svg.querySelector(".fn")?.setAttribute("d", path(rows, /n+/g));
    svg.dayRows = rows;
  }

  // The rows of a drawing, from its paths: the days stand in the page once.
  function rowsOf(svg) {
    if (svg.dayRows) return svg.dayRows;
    const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
    const rows = Array.from({ length: height }, () => new Array(width).fill("n"));
    for (const [name, letter] of [[".ff", "f"], ["defs path", "u"]]) {
      let x = 0, y = 0;
      for (const [, kind, a, b] of svg.querySelector(name).getAttribute("d").matchAll(/([Mmh])(\d+)(?: ?(\d*\.?\d+))?/g)) {
        if (kind === "M") { x = Number(a); y = Math.floor(Number(b)); }
        else { if (kind === "h") rows[y].fill(letter, x, x + Number(a)); x += Number(a); }
      }
    }
    svg.dayRows = rows.map((row) => row.join(""));
    return svg.dayRows;
  }

  const words = (box) => JSON.parse(box.dataset.say);
  const dayName = (box, column) => { const say = words(box); return say.labels[column] || `${say.day} ${Number(box.dataset.first) + column}`; };

  // The day that stands above every field of a box.
  function show(box, column) {
    const say = words(box);
    box.dataset.on = column;
    for (const group of box.querySelectorAll(".fod-group")) {
      const rows = rowsOf(group.querySelector(".fod")), blank = rows.filter((row) => row[column] === "n").length;
      const free = group.querySelector(".fod-count b");
      if (!free) continue;
      group.querySelector(".fcur").setAttribute("d", `M${column}.5 0V${rows.length}`);
      free.textContent = rows.filter((row) => row[column] === "f").length;
      group.querySelector(".fod-of").textContent = say[blank ? "count_unknown" : "count"]
        .replace("{people}", say.of.replace("{people}", rows.length)).replace("{day}", dayName(box, column)).replace("{unknown}", blank);
    }
  }

  function read(box, svg, row, column) {
    const say = words(box), rows = rowsOf(svg), people = JSON.parse(svg.parentNode.dataset.people || "[]");
    const who = rows.length > 1 ? `${people[row] || `${say.person} ${row + 1}`}, ` : "";
    box.querySelector(".fod-read").textContent = `${who}${dayName(box, column)}: ${say.states["fun".indexOf(rows[row][column])]}.`;
    svg.querySelector(".frow").setAttribute("d", `M0 ${row}H${rows[0].length}M0 ${row + 1}H${rows[0].length}`);
    svg.querySelector(".fcur").setAttribute("d", `M${column}.5 0V${rows.length}`);
  }

  function listen(box, svg) {
    let row = null, column = Number(box.dataset.on);
    const at = (share, size) => Math.max(0, Math.min(size - 1, Math.floor(share * size)));
    const rest = () => {
      row = null; svg.querySelector(".frow").setAttribute("d", "M0 0");
      if (svg.parentNode.querySelector(".fod-count")) svg.querySelector(".fcur").setAttribute("d", `M${box.dataset.on}.5 0V${rowsOf(svg).length}`);
    };
    const name = svg.querySelector("title");
    if (name) { svg.setAttribute("aria-label", name.textContent); svg.removeAttribute("aria-labelledby"); name.remove(); }  // no tooltip over the days
    svg.setAttribute("tabindex", "0");
    svg.classList.add("fod-live");
    svg.addEventListener("pointermove", (event) => {
      const rows = rowsOf(svg), frame = svg.getBoundingClientRect();
      column = at((event.clientX - frame.left) / frame.width, rows[0].length);
      row = at((event.clientY - frame.top) / frame.height, rows.length);
      read(box, svg, row, column);
    });
    svg.addEventListener("pointerleave", () => { if (document.activeElement !== svg) rest(); });
    svg.addEventListener("blur", rest);
    svg.addEventListener("keydown", (event) => {
      const step = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1], PageDown: [0, 10], PageUp: [0, -10], Home: [-1e6, 0], End: [1e6, 0] }[event.key];
      if (!step || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      const rows = rowsOf(svg);
      if (row === null) row = 0;
      else {
        column = Math.max(0, Math.min(rows[0].length - 1, column + step[0]));
        row = Math.max(0, Math.min(rows.length - 1, row + step[1]));
      }
      read(box, svg, row, column);
    });
  }

  function start(box) {
    box.querySelector(".fod-read").hidden = false;
    for (const svg of box.querySelectorAll(".fod")) listen(box, svg);
  }

  for (const box of document.querySelectorAll("[data-fod]")) start(box);
  return { open, count, sorted, draw, rowsOf, show, start };
})();
