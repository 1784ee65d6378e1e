// While somebody types: the typical person's peaks, from the server's own numbers and the closed form of kinetics.js.
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
    const minutes = all("minutes"), starts = all("start");
    const rows = [];
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

  function show(model) {
    const weight_kg = read(form.elements.weight.value, { "": 1, kg: 1, lb: 0.45359237 });
    const rows = infusions(weight_kg);
    const is_plain = rows.length && rows.every((one) => one.dose_mg <= 5 * weight_kg && one.duration_h > 0 && one.start_h >= 0);
    out.hidden = true;
    // The numbers are those of racemic ketamine into a vein under the usual model: of nothing else.
    const is_other = ["preset", "route", "drug", "model", "weights"].some((name) => form.elements[name].value);
    if (!is_plain || is_other || !(weight_kg >= 30 && weight_kg <= 250)) return;
    // The ends of infusions, where plasma peaks, and a minute's grid for the effect site.
    const end_h = Math.max(...rows.map((one) => one.start_h + one.duration_h));
    const t_h = Array.from({ length: Math.ceil((end_h + 1) * 60) }, (_, i) => i / 60);
    t_h.push(...rows.map((one) => one.start_h + one.duration_h));
    t_h.sort((a, b) => a - b);
    const found = kinetics.concentrations(kinetics.typicalPerson(model.typical, weight_kg), rows, t_h);
    const highest = (values) => Math.max(...values);
    const site = found.ket.effect, plasma = found.ket.arterial;
    const s_site = highest(found.s_ket.effect), beyond = "not shown above what was studied";
    const high = s_site > model.studied.s_ket_ng_per_ml ? beyond : `${kinetics.drugHigh(s_site, model.drug_high).toFixed(0)} of 100`;
    const rise = highest(site) > model.studied.ket_ng_per_ml ? beyond : `${kinetics.pressureRise(highest(site), model.systolic).toFixed(0)} mmHg`;
    const total = rows.reduce((sum, one) => sum + one.dose_mg, 0);
    out.textContent = `Typical person, while you type: ${total.toFixed(1)} mg, ${(total / weight_kg).toFixed(2)} mg/kg; ` +
      `highest ${highest(plasma).toFixed(0)} ng/mL in arterial plasma, ${highest(site).toFixed(0)} ng/mL at the effect site, ` +
      `drug high ${high}, systolic rise ${rise}. One curve: people differ, see below after “Simulate”.`;
    out.hidden = false;
  }

  fetch(form.dataset.preview).then((answer) => (answer.ok ? answer.json() : Promise.reject())).then((model) => {
    const update = () => { try { show(model); } catch (error) { if (!(error instanceof RangeError)) throw error; } };
    form.addEventListener("input", update);
    update();
  }).catch(() => { out.hidden = true; });
})();
