// Every figure: values where one points, rows of its table by the arrow keys, and the picture and the table as files.
// Made here from what stands on the page; nothing is asked of the server.
(() => {
  "use strict";
  const [HINT, AS_SVG, AS_CSV] = { es: ["Señale la figura, o pulse en ella las flechas, para leer valores.", "Guardar como SVG", "Guardar la tabla como CSV"] }[document.documentElement.lang]
    || ["Point at the chart, or press the arrow keys on it, to read values.", "Save as SVG", "Save table as CSV"];
  const shown = (value) => `${+value.toPrecision(3)}`;

  function at(share, [from, to, scale]) {
    return scale === "log" ? 10 ** (Math.log10(from) + share * (Math.log10(to) - Math.log10(from))) : from + share * (to - from);
  }

  // What the axes say of a place in the picture; empty outside of them.
  function pointed(svg, event) {
    const box = svg.getBoundingClientRect(), view = svg.viewBox.baseVal;
    const x = view.x + (event.clientX - box.left) * view.width / box.width, y = view.y + (event.clientY - box.top) * view.height / box.height;
    for (const [[left, right, top, bottom], across, up] of JSON.parse(svg.dataset.axes)) {
      if (x < left || x > right || y < top || y > bottom) continue;
      const words = [`${shown(at((x - left) / (right - left), across))} ${across[3]}`];
      if (up[2] !== "names") words.push(`${shown(at((bottom - y) / (bottom - top), up))} ${up[3]}`);
      return words.join("; ");
    }
    return "";
  }

  const words = (cell) => cell.textContent.replace(/\s+/g, " ").trim();
  const csv = (table) => [...table.rows].map((row) => [...row.cells].map((cell) => {
    // A spreadsheet takes a word that begins so for a formula; a number with its sign stays one.
    const text = words(cell).replaceAll("\u2212", "-"), safe = /^(?:[=@]|[-+](?![\d.]))/.test(text) ? `'${text}` : text;
    return `"${safe.replaceAll('"', '""')}"`;
  }).join(",")).join("\r\n");

  function picture(svg) {
    const copy = svg.cloneNode(true);
    copy.setAttribute("font-family", "sans-serif");
    copy.removeAttribute("data-axes");
    copy.removeAttribute("data-frames");
    for (const one of copy.querySelectorAll(".cursors")) one.remove();
    return new XMLSerializer().serializeToString(copy);
  }

  function save(name, kind, text) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: kind }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  function equip(figure) {
    const panel = figure.querySelector(".panel"), table = figure.querySelector("details table"), svgs = [...figure.querySelectorAll("svg[data-axes]")];
    if (!panel || !table || !svgs.length || figure.querySelector(".figure-tools")) return;
    const tools = document.createElement("div"), reading = document.createElement("p"), heads = [...table.rows[0].cells].map((cell) => words(cell));
    tools.className = "figure-tools";
    reading.className = "figure-reading quiet";
    reading.setAttribute("aria-live", "polite");
    reading.textContent = HINT;
    tools.append(reading);
    const name = figure.id.replace(/^chart-/, "") || "chart";
    for (const [label, make] of [
      [AS_SVG, () => save(`${name}.svg`, "image/svg+xml", picture(svgs[0]))],
      [AS_CSV, () => save(`${name}.csv`, "text/csv", csv(table))],
    ]) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "second";
      button.textContent = label;
      button.addEventListener("click", make);
      tools.append(button);
    }
    panel.after(tools);
    for (const svg of svgs) {
      svg.addEventListener("pointermove", (event) => { reading.textContent = pointed(svg, event) || HINT; });
      svg.addEventListener("pointerleave", () => { reading.textContent = HINT; });
    }
    let row = 0;
    panel.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
      if (!step || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      row = Math.min(Math.max(row + step, 1), table.rows.length - 1);
      reading.textContent = [...table.rows[row].cells].map((cell, i) => `${heads[i]}: ${words(cell)}`).join("; ");
    });
  }

  const all = () => document.querySelectorAll("figure").forEach(equip);
  all();
  // A page that goes on by itself brings its figures later.
  document.body.addEventListener("htmx:afterSettle", all);
})();
