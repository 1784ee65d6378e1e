// While somebody types: curves of a typical person for one regimen or two, from the server's own numbers and the closed form of kinetics.js.
// Nothing is sent: the page without scripts does all the rest. An entry that cannot be read shows nothing.
(() => {
  "use strict";
  const form = document.getElementById("form"), out = document.getElementById("preview");
  if (!form || !out || typeof kinetics === "undefined") return;
  document.getElementById("summary")?.focus();
  // Empty fields would make an address that nobody can read; what must be given is sent, so that its absence is named.
  const needed = ["weight", "age", "dose"];
  form.addEventListener("submit", () => {
    for (const one of form.elements) if (one.name && !one.value && !needed.includes(one.name)) one.disabled = true;
  });
  window.addEventListener("pageshow", () => { for (const one of form.elements) one.disabled = false; });

  // What was typed lives with this entry of the tab's history: Back and Reload bring it back, no server sees it.
  const entries = () => [...form.elements].filter((one) => one.name && one.type !== "hidden");
  const keep = () => history.replaceState({ planner: entries().map((one) => (
    one.type === "checkbox" ? one.checked : one.value)) }, "");
  form.addEventListener("input", keep);
  form.addEventListener("change", keep);
  const kept = history.state?.planner;
  if (Array.isArray(kept) && kept.length === entries().length) {
    entries().forEach((one, i) => { if (one.type === "checkbox") one.checked = kept[i]; else one.value = kept[i]; });
    for (const part of form.querySelectorAll("details")) {
      if ([...part.querySelectorAll("input, select, textarea")].some((one) => (one.type === "checkbox" ? one.checked : one.value))) part.open = true;
    }
  }

  // A decimal comma is read where it can be nothing else; both signs for micro are one. The rest is left to the server.
  const number = /^\s*(\d+\.?\d*|\.\d+)\s*([a-z/]*)\s*$/i;
  const read = (text, units) => {
    const plain = (text ?? "").replace(/[\u00b5\u03bc]/g, "u").replace(/^(\s*\d+),(\d{1,2}|\d{4,})(?!\d)/, "$1.$2");
    const found = number.exec(plain);
    return found && found[2].toLowerCase() in units ? Number(found[1]) * units[found[2].toLowerCase()] : NaN;
  };
  const units_min = { "": 1, min: 1, mins: 1, minutes: 1, minute: 1, h: 60, hr: 60, hour: 60, hours: 60 };
  const per_kg_mg = { "mg/kg": 1, "ug/kg": 0.001, "mcg/kg": 0.001 }, per_h = { h: 1, hr: 1, hour: 1, min: 60 };

  // 0.5mg/kg/40min and 0.5 mg/kg over 40 min carry their length; 0.75 mg/kg/h is a rate and needs one.
  function dose(text, weight_kg, typed_min) {
    const parts = /^(.*?[a-z])\s*(?:\/|over|in)\s*(\d+[.,]?\d*\s*[a-z]+)\s*$/i.exec(text);
    const own_min = parts ? read(parts[2], units_min) : NaN;
    const length_min = parts && Number.isNaN(typed_min) ? own_min : typed_min;
    if (parts && own_min !== length_min) return { dose_mg: NaN, length_min };
    const amount = parts ? parts[1] : text;
    const rate = /^(.*\/kg|.*mg)\s*\/\s*(h|hr|hour|min)\s*$/i.exec(amount);
    const plain = rate ? rate[1] : amount;
    const per_kg = read(plain, per_kg_mg);
    const whole_mg = Number.isNaN(per_kg) ? read(plain, { mg: 1 }) : per_kg * weight_kg;
    return { dose_mg: rate ? whole_mg * per_h[rate[2].toLowerCase()] * length_min / 60 : whole_mg, length_min };
  }

  const all = (name) => [...form.elements].filter((one) => one.name === name).map((one) => one.value);

  function infusions(weight_kg) {
    const minutes = all("minutes"), starts = all("start"), rows = [];
    let clock = 0;
    all("dose").forEach((text, row) => {
      if (!text.trim()) return;
      const { dose_mg, length_min } = dose(text, weight_kg, read(minutes[row], units_min));
      const start = starts[row]?.trim() ? read(starts[row], units_min) : clock;
      rows.push({ dose_mg, start_h: start / 60, duration_h: length_min / 60 });
      clock = start + length_min;
    });
    return rows;
  }

  // A published regimen by its name, or steps joined by +, each with its length.
  function written(text, weight_kg) {
    const plain = text.trim(), preset = [...form.elements.preset.options].find((one) => one.value && one.value === plain.toLowerCase());
    if (preset && preset.dataset.way !== "iv") return [];
    const steps = preset ? preset.dataset.dose.split("|").map((one, i) => `${one} over ${preset.dataset.minutes.split("|")[i]} min`) : plain.split("+");
    let clock = 0;
    return plain ? steps.map((step) => {
      const { dose_mg, length_min } = dose(step.trim(), weight_kg, NaN), start = clock;
      clock += length_min;
      return { dose_mg, start_h: start / 60, duration_h: length_min / 60 };
    }) : [];
  }

  const isPlain = (rows, weight_kg) => rows.length > 0 && rows.every((one) => (
    one.dose_mg > 0 && one.dose_mg <= 5 * weight_kg && one.duration_h > 0 && one.duration_h <= 24 && one.start_h >= 0 && one.start_h <= 24));
  const highest = (values) => values.reduce((most, one) => Math.max(most, one), 0);
  const endOf = (rows) => highest(rows.map((one) => one.start_h + one.duration_h));

  // The four curves of a regimen on a grid of minutes; effects above what was studied are left out, never drawn.
  function curvesOf(model, person, rows, t_h) {
    const found = kinetics.concentrations(person, rows, t_h);
    const s_site = found.s_ket.effect, site = found.ket.effect;
    return {
      plasma: [...found.ket.arterial], site: [...site],
      high: [...s_site].map((one) => (one > model.studied.s_ket_ng_per_ml ? NaN : kinetics.drugHigh(one, model.drug_high))),
      pressure: [...site].map((one) => (one > model.studied.ket_ng_per_ml ? NaN : kinetics.pressureRise(one, model.systolic))),
    };
  }

  const PANELS = [
    ["plasma", "Ketamine in arterial plasma", "ng/mL"], ["site", "Ketamine at the effect site", "ng/mL"],
    ["high", "Drug high", "of 100"], ["pressure", "Systolic rise", "mmHg"],
  ];
  const NS = "http://www.w3.org/2000/svg", curves = document.getElementById("curves"), live = document.getElementById("live");
  const minute = document.getElementById("minute"), bandsText = live.dataset.bands;
  const bands = bandsText ? JSON.parse(bandsText) : null;
  let drawn = null;

  function element(name, attributes, text) {
    const made = document.createElementNS(NS, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  const whole = (value) => value.toFixed(0).replace(/^-0$/, "0").replace("-", "\u2212");

  function niceStep(most, count) {
    const rough = most / count, power = 10 ** Math.floor(Math.log10(rough));
    return [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough);
  }

  // Drawn in the pixels of its place, so that letters stay 12 pixels at any width.
  function panel(box, [id, title, unit]) {
    const width = Math.max(220, box.clientWidth), height = 190, left = 44, right = width - 10, top = 12, bottom = height - 30;
    const { t_h, sets } = drawn, last = t_h[t_h.length - 1], band = bands?.panels[id];
    const values = sets.flatMap(({ found }) => found[id].filter(Number.isFinite)).concat(band ? band.high : []);
    const step = niceStep(Math.max(highest(values), 1e-6) * 1.05, 4), most = step * Math.ceil(highest(values) * 1.05 / step) || step;
    const x = (t) => left + (right - left) * Math.min(t, last) / last, y = (v) => bottom - (bottom - top) * Math.min(v, most) / most;
    const path = (times, list) => list.map((v, i) => (Number.isFinite(v) && times[i] <= last ? `${i && Number.isFinite(list[i - 1]) ? "L" : "M"}${x(times[i]).toFixed(1)} ${y(v).toFixed(1)}` : "")).join("");
    const svg = element("svg", { viewBox: `0 0 ${width} ${height}`, class: "curve", role: "img", "aria-label": `${title}, ${unit}, over minutes; values below` });
    for (let v = 0; v <= most * 1.001; v += step) {
      svg.append(element("path", { class: "grid", d: `M${left} ${y(v)}H${right}` }), element("text", { x: left - 6, y: y(v) + 4, "text-anchor": "end" }, `${+v.toPrecision(3)}`));
    }
    const tick = niceStep(last * 60, width < 340 ? 3 : 5);
    for (let t = 0; t <= last * 60 + 1e-9; t += tick) svg.append(element("text", { x: x(t / 60), y: bottom + 17, "text-anchor": "middle" }, `${t}`));
    for (const one of sets[0].rows) svg.append(element("rect", { class: "given", x: x(one.start_h), y: top, width: Math.max(1, x(one.start_h + one.duration_h) - x(one.start_h)), height: bottom - top }));
    if (band) {
      const keep = bands.t_h.map((t, i) => [t, i]).filter(([t]) => t <= last);
      svg.append(element("path", { class: "band", d: `M${keep.map(([t, i]) => `${x(t).toFixed(1)} ${y(band.high[i]).toFixed(1)}`).join("L")}L${keep.reverse().map(([t, i]) => `${x(t).toFixed(1)} ${y(band.low[i]).toFixed(1)}`).join("L")}Z` }));
    }
    sets.forEach(({ found }, i) => svg.append(element("path", { class: i ? "line b" : "line a", d: path(t_h, found[id]) })));
    svg.append(element("path", { class: "now", d: `M${left} ${top}V${bottom}` }));
    svg.addEventListener("pointermove", (event) => {
      const place = (event.clientX - svg.getBoundingClientRect().left) * width / svg.getBoundingClientRect().width;
      minute.dataset.set = "yes";
      minute.value = Math.round(Math.min(Math.max((place - left) / (right - left), 0), 1) * last * 60);
      values_at();
    });
    const figure = document.createElement("div"), head = document.createElement("h3"), out = document.createElement("p");
    head.textContent = `${title}, ${unit}`;
    out.className = "reading";
    figure.append(head, svg, out);
    return { figure, svg, out, id, unit, x, top, bottom };
  }

  function values_at() {
    if (!drawn?.panels) return;
    const t = Number(minute.value) / 60;
    document.getElementById("minute-out").value = minute.value;
    const near = (times) => times.reduce((best, one, i) => (Math.abs(one - t) < Math.abs(times[best] - t) ? i : best), 0);
    for (const { svg, out, id, unit, x, top, bottom } of drawn.panels) {
      svg.querySelector(".now").setAttribute("d", `M${x(t).toFixed(1)} ${top}V${bottom}`);
      const words = drawn.sets.map(({ found }, i) => {
        const value = found[id][near(drawn.t_h)];
        return `${"AB"[i]} ${Number.isFinite(value) ? whole(value) : "beyond what was studied"}`;
      });
      const band = bands?.panels[id], at = band ? near(bands.t_h) : 0;
      if (band) words.push(`people of A ${whole(band.low[at])} to ${whole(band.high[at])}`);
      out.textContent = `${words.join("; ")} ${unit}`;
    }
  }

  function show(model) {
    const weight_kg = read(form.elements.weight.value, { "": 1, kg: 1, lb: 0.45359237 });
    const rows = infusions(weight_kg);
    // The numbers are those of racemic ketamine into a vein under the usual model: of nothing else.
    const isOther = ["preset", "drug", "model", "weights"].some((name) => form.elements[name].value) || !["", "iv"].includes(form.elements.route.value);
    live.hidden = !isPlain(rows, weight_kg) || isOther || !(weight_kg >= 30 && weight_kg <= 250);
    document.getElementById("band-key").hidden = !bands;
    if (live.hidden) { drawn = null; return; }
    const other = written(form.elements.compare[0]?.value ?? form.elements.compare.value, weight_kg);
    const sides = [rows, ...(isPlain(other, weight_kg) ? [other] : [])];
    // A minute's grid for the effect site, and the ends of infusions, where plasma peaks.
    const ends = sides.flat().map((one) => one.start_h + one.duration_h), last = Math.max(highest(ends) + 1, 2);
    const t_h = [...new Set([...Array.from({ length: Math.ceil(last * 60) + 1 }, (_, i) => i / 60), ...ends])].sort((a, b) => a - b);
    const person = kinetics.typicalPerson(model.typical, weight_kg);
    drawn = { t_h, sets: sides.map((one) => ({ rows: one, found: curvesOf(model, person, one, t_h) })) };
    const words = drawn.sets.map(({ rows: given, found }, i) => {
      const total = given.reduce((sum, one) => sum + one.dose_mg, 0);
      const most = (name, unit) => (found[name].every(Number.isFinite) ? `${highest(found[name]).toFixed(0)} ${unit}` : "not shown above what was studied");
      return `${"AB"[i]}: ${total.toFixed(1)} mg, ${(total / weight_kg).toFixed(2)} mg/kg; highest ${most("plasma", "ng/mL")} in arterial plasma, ` +
        `${most("site", "ng/mL")} at the effect site, drug high ${most("high", "of 100")}, systolic rise ${most("pressure", "mmHg")}.`;
    });
    out.textContent = `${words.join(" ")} One curve each: people differ.`;
    minute.max = Math.floor(t_h[t_h.length - 1] * 60);
    if (!minute.dataset.set) minute.value = Math.round(endOf(rows) * 60);
    curves.replaceChildren(...PANELS.map(() => document.createElement("div")));
    drawn.panels = PANELS.map((one, i) => {
      const made = panel(curves.children[i], one);
      curves.children[i].append(made.figure);
      return made;
    });
    values_at();
  }

  // A published regimen fills the fields, so that it can be changed; its name stays beside them.
  form.elements.preset.addEventListener("change", () => {
    const chosen = form.elements.preset.selectedOptions[0], rows = chosen.dataset.dose?.split("|") ?? [];
    if (!form.elements.preset.value || rows.length > 3 || chosen.dataset.way !== "iv") return;
    const fill = (name, list) => [...form.elements].filter((one) => one.name === name).forEach((one, i) => { one.value = list[i] ?? ""; });
    fill("dose", rows);
    fill("minutes", chosen.dataset.minutes.split("|"));
    fill("start", []);
    form.elements.route.value = "";
    const about = [...form.elements.substance.options].find((one) => one.value && one.value === chosen.dataset.about);
    if (about && !form.elements.substance.value) form.elements.substance.value = about.value;
    document.getElementById("filled").textContent = `Filled from: ${chosen.textContent}. Change what you like.`;
    form.elements.preset.value = "";
    form.dispatchEvent(new Event("input"));
  });
  minute.addEventListener("input", () => { minute.dataset.set = "yes"; values_at(); });
  if (form.hasAttribute("data-copy")) {
    form.addEventListener("submit", (event) => event.preventDefault());
    form.querySelector(".go button").hidden = true;
  }

  fetch(form.dataset.preview).then((answer) => (answer.ok ? answer.json() : Promise.reject())).then((model) => {
    const update = () => { try { show(model); } catch (error) { if (!(error instanceof RangeError)) throw error; live.hidden = true; } };
    let waiting = 0;
    form.addEventListener("input", update);
    window.addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(update, 120); });
    update();
  }).catch(() => { live.hidden = true; });
})();
