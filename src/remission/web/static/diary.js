// My days. Every day lives in this one page and nowhere else: no storage, no address, no history, no request.
// A classic script, so that the page also works when it is opened from a folder.
(() => {
  "use strict";
  const page = document.getElementById("diary");
  const $ = (id) => document.getElementById(id);
  const words = JSON.parse(page.dataset.words);
  const substances = JSON.parse(page.dataset.substances);
  const columns = page.dataset.columns.split(",");
  const weekdays = JSON.parse(page.dataset.days);
  const most = Number(page.dataset.most);
  const scale = Number(page.dataset.scale);
  const language = document.documentElement.lang;
  const LARGEST_FILE = 2e6;
  const YEARS = 10;
  const SHOWN = 10;

  const say = (text, values = {}) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  const two = (n) => String(n).padStart(2, "0");
  const iso = (d) => `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
  // At noon no change of the clock moves a day.
  const dateOf = (key) => new Date(`${key}T12:00`);
  const shifted = (key, n) => { const d = dateOf(key); d.setDate(d.getDate() + n); return iso(d); };
  const today = () => iso(new Date());
  const oldest = () => { const d = dateOf(today()); d.setFullYear(d.getFullYear() - YEARS); return iso(d); };
  const monthName = (d) => d.toLocaleDateString(language, { month: "long", year: "numeric" });
  const dayName = (key) => dateOf(key).toLocaleDateString(language, { weekday: "long", day: "numeric", month: "long" });
  const make = (tag, given = {}, ...inside) => { const e = Object.assign(document.createElement(tag), given); e.append(...inside); return e; };

  // One map of days for each substance; a day has use 0, 1 or "" (not known), and what else is known of it.
  const diary = new Map(substances.map((one) => [one.id, new Map()]));
  // What was typed as an amount and is none, by substance and day: it is shown again and never dropped in silence.
  const drafts = new Map();
  let what = substances[0].id;
  let here = today();
  let unsaved = false;
  let answered = false, read = false;

  const days = () => diary.get(what);
  const nameOf = (id) => substances.find((one) => one.id === id).name;
  const unitOf = (id) => substances.find((one) => one.id === id).unit;
  const isEmpty = (day) => day.use === "" && day.craving === "" && day.mood === "";

  function put(key, change) {
    const day = { use: "", amount: "", craving: "", mood: "", ...days().get(key), ...change };
    if (day.use !== 1) day.amount = "";
    if (isEmpty(day)) days().delete(key); else days().set(key, day);
    unsaved = true;
  }

  function stateOf(day) {
    if (!day || day.use === "") return words.not_known;
    if (day.use === 0) return words.without;
    return day.amount === "" ? words.with_unknown : say(words.with, { n: day.amount, unit: unitOf(what) });
  }

  function labelOf(day) {
    const more = ["craving", "mood"].filter((name) => day && day[name] !== "").map((name) => say(words[name], { n: day[name] }));
    return [stateOf(day), ...more].join(", ");
  }

  function monthDays(year, month) {
    return Array.from({ length: new Date(year, month + 1, 0).getDate() }, (_, i) => iso(new Date(year, month, i + 1, 12)));
  }

  function monthRows(keys, cell) {
    const lead = (dateOf(keys[0]).getDay() + 6) % 7;
    const places = [...Array(lead).fill(null), ...keys];
    while (places.length % 7) places.push(null);
    const rows = [];
    for (let i = 0; i < places.length; i += 7) {
      rows.push(make("tr", {}, ...places.slice(i, i + 7).map((key) => key ? cell(key) : make("td", { className: "out" }))));
    }
    return rows;
  }

  function fill(target, key, day) {
    target.classList.add("dcell", ...(day && day.use === 0 ? ["without"] : day && day.use === 1 ? ["with"] : []));
    target.append(make("span", { className: "date", textContent: dateOf(key).getDate() }));
    if (day && day.use === 1) target.append(make("b", { textContent: day.amount === "" ? "+" : day.amount }));
    const marks = ["craving", "mood"].filter((name) => day && day[name] !== "").map((name) => say(words[name], { n: day[name] }));
    if (marks.length) target.append(make("span", { className: "marks", textContent: marks.join(" · ") }));
    return target;
  }

  function cell(key) {
    const day = days().get(key);
    const button = fill(make("button", { type: "button", tabIndex: key === here ? 0 : -1 }), key, day);
    button.dataset.day = key;
    const isAhead = key > today();
    if (isAhead) button.setAttribute("aria-disabled", "true");
    if (key === here) button.setAttribute("aria-current", "date");
    button.setAttribute("aria-label", `${dayName(key)}: ${isAhead ? words.not_yet : labelOf(day)}`);
    return make("td", {}, button);
  }

  const inMonth = () => { const d = dateOf(here); return monthDays(d.getFullYear(), d.getMonth()); };

  function draw(focus = false) {
    const keys = inMonth();
    $("month").textContent = monthName(dateOf(here));
    document.querySelector("#grid tbody").replaceChildren(...monthRows(keys, cell));
    const known = keys.filter((key) => key <= today()).map((key) => days().get(key)?.use ?? "");
    const n = (use) => known.filter((one) => one === use).length;
    $("sum").textContent = say(words.sum, { without: n(0), with: n(1), unknown: n("") });
    drawRow(keys);
    const others = substances.filter((one) => one.id !== what && diary.get(one.id).size);
    $("also").textContent = others.length
      ? say(words.also, { list: others.map((one) => say(words.days, { what: one.name, n: diary.get(one.id).size })).join(", ") })
      : "";
    showDay();
    if (focus) document.querySelector(`#grid [data-day="${here}"]`).focus();
  }

  // The month as one row of the field of days, the same drawing as everywhere.
  function drawRow(keys) {
    $("row-box").dataset.say = JSON.stringify({ states: words.states, labels: keys.map(dayName) });
    globalThis.DayField.draw($("row"), [keys.map((key) => "fun"[{ 0: 0, 1: 1 }[days().get(key)?.use] ?? 2]).join("")]);
    $("row").setAttribute("aria-label", $("sum").textContent);
  }

  function showDay() {
    const day = days().get(here);
    const draft = drafts.get(`${what} ${here}`);
    $("that-day").textContent = dayName(here);
    $("unit").textContent = unitOf(what);
    $("drink-hint").hidden = what !== "alcohol";
    for (const radio of $("day").elements.use) radio.checked = radio.value === String(day ? day.use : "");
    $("amount").value = draft ?? (day ? day.amount : "");
    for (const name of ["craving", "mood"]) $(name).value = day ? day[name] : "";
    amountFault(draft);
    for (const field of $("day").elements) field.disabled = here > today();
  }

  function amountFault(got) {
    $("amount-fault").textContent = got === undefined ? "" : say(words.amount_bad, { got, most });
    $("amount").toggleAttribute("aria-invalid", false);
    if (got !== undefined) $("amount").setAttribute("aria-invalid", "true");
  }

  function go(key, focus = true) {
    if (key < oldest()) return;
    here = key;
    draw(focus);
  }

  function goMonth(n, focus) {
    const d = dateOf(here);
    const first = new Date(d.getFullYear(), d.getMonth() + n, 1, 12);
    const last = new Date(first.getFullYear(), first.getMonth() + 1, 0).getDate();
    first.setDate(Math.min(d.getDate(), last));
    go(iso(first), focus);
  }

  // A number as it is typed, with a point or a comma; null where it is none that fits.
  function amountOf(text) {
    const found = /^\d{1,6}(?:[.,]\d{0,3})?$/.test(text.trim()) ? Number(text.trim().replace(",", ".")) : NaN;
    return found > 0 && found <= most ? found : null;
  }

  for (const kind of ["click", "focusin"]) {
    $("grid").addEventListener(kind, (event) => {
      const button = event.target.closest("button");
      if (button && button.dataset.day !== here) go(button.dataset.day);
    });
  }
  $("grid").addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 }[event.key];
    const months = { PageUp: -1, PageDown: 1 }[event.key];
    const keys = inMonth();
    const ends = { Home: keys[0], End: keys[keys.length - 1] }[event.key];
    if (step) go(shifted(here, step));
    else if (months) goMonth(months, true);
    else if (ends) go(ends);
    else if (event.key === "Enter") { if (here <= today()) $("day").querySelector("[name=use]:checked").focus(); }
    else if (/^[0-9uUxX]$/.test(event.key) || event.key === "Delete" || event.key === "Backspace") {
      if (here <= today()) {
        const isDigit = /^[0-9]$/.test(event.key);
        drafts.delete(`${what} ${here}`);
        if (isDigit) put(here, { use: event.key === "0" ? 0 : 1, amount: Number(event.key) });
        else put(here, { use: /u/i.test(event.key) ? 1 : "", amount: "" });
        go(shifted(here, 1));
      }
    } else return;
    event.preventDefault();
  });
  $("earlier").addEventListener("click", () => goMonth(-1));
  $("later").addEventListener("click", () => goMonth(1));
  $("what").addEventListener("change", () => { what = $("what").value; draw(); });

  $("day").addEventListener("submit", (event) => event.preventDefault());
  $("day").addEventListener("change", (event) => {
    const field = event.target;
    const draft = `${what} ${here}`;
    if (field.name === "use") {
      if (field.value !== "1") drafts.delete(draft);
      put(here, { use: field.value === "" ? "" : Number(field.value) });
      draw();
    } else if (field.id !== "amount") {
      put(here, { [field.id]: field.value === "" ? "" : Number(field.value) });
      draw();
    }
  });
  $("amount").addEventListener("input", () => {
    const text = $("amount").value;
    const amount = amountOf(text);
    drafts.delete(`${what} ${here}`);
    if (text.trim() === "0") put(here, { use: 0 });
    else if (text.trim() === "") put(here, { amount: "" });
    else if (amount === null) { drafts.set(`${what} ${here}`, text); unsaved = true; amountFault(text); return; }
    else put(here, { use: 1, amount });
    const at = $("amount").selectionStart;
    draw();
    $("amount").value = text;
    $("amount").setSelectionRange(at, at);
  });

  // The file.
  const codeOf = () => { const code = $("code").value.trim(); return /^[A-Za-z0-9_-]{1,40}$/.test(code) ? code : null; };
  function codeFault() {
    const isBad = codeOf() === null;
    $("code-fault").textContent = isBad ? say(words.code_bad, { got: $("code").value.slice(0, 60) }) : "";
    if (isBad) $("code").setAttribute("aria-invalid", "true"); else $("code").removeAttribute("aria-invalid");
    return isBad;
  }
  $("code").addEventListener("change", codeFault);

  function told(...parts) {
    $("told").replaceChildren(...parts.map((part) => typeof part === "string" ? make("p", { textContent: part }) : part));
  }
  const list = (lines) => {
    const shown = lines.slice(0, SHOWN).map((line) => make("li", { textContent: line }));
    if (lines.length > SHOWN) shown.push(make("li", { textContent: say(words.more, { n: lines.length - SHOWN }) }));
    return make("ul", {}, ...shown);
  };
  const choice = (text, act, isSecond) => {
    const button = make("button", { type: "button", className: isSecond ? "second" : "", textContent: text });
    button.addEventListener("click", act);
    return button;
  };

  $("save").addEventListener("click", () => {
    if (codeFault()) { $("code").focus(); return; }
    const code = codeOf();
    const rows = substances.flatMap((one) => [...diary.get(one.id)].sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, day]) => [code, one.id, key, day.use, day.use === 0 ? 0 : day.amount, day.craving, day.mood].join(",")));
    const left = [...drafts].map(([at, text]) => { const [id, key] = at.split(" "); return `${dayName(key)}, ${nameOf(id)}: “${text.slice(0, 40)}”`; });
    const not = left.length ? [say(words.drafts, { list: left.join("; ") })] : [];
    if (!rows.length) { told(words.empty, ...not); return; }
    const name = `my-days-${today()}.csv`;
    const link = make("a", { href: URL.createObjectURL(new Blob([[columns.join(","), ...rows, ""].join("\n")], { type: "text/csv" })), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    unsaved = left.length > 0;
    told(say(words.saved, { name, n: rows.length }), ...not);
  });

  // Cells of a table with quotes, by the sign that its first line has most of.
  function cells(text) {
    const first = text.split(/\r?\n/, 1)[0];
    const sign = [",", ";", "\t"].reduce((best, one) => (first.split(one).length > first.split(best).length ? one : best));
    const rows = [];
    let row = [], cell = "", quoted = false, line = 1, began = 1;
    const end = () => { row.push(cell.trim()); cell = ""; };
    const endRow = () => { end(); if (row.some((one) => one !== "")) rows.push({ line: began, row }); row = []; };
    for (let i = 0; i < text.length; i += 1) {
      const c = text[i];
      if (quoted) {
        if (c === '"' && text[i + 1] === '"') { cell += '"'; i += 1; } else if (c === '"') quoted = false; else cell += c;
        if (c === "\n") line += 1;
      } else if (c === '"' && cell.trim() === "") { cell = ""; quoted = true; }
      else if (c === sign) end();
      else if (c === "\n") { endRow(); line += 1; began = line; }
      else if (c !== "\r") cell += c;
    }
    endRow();
    return rows;
  }

  function readRow(row, at) {
    const of = (name) => (row[at[name]] ?? "").replace(/^'/, "");
    const short = (text) => text.slice(0, 40);
    const key = of("when");
    const isDate = /^\d{4}-\d\d-\d\d$/.test(key) && !Number.isNaN(dateOf(key).getTime()) && iso(dateOf(key)) === key;
    if (!isDate || key > today() || key < oldest()) return { why: say(words.why_when, { got: short(key) }) };
    const id = of("what").toLowerCase();
    if (!diary.has(id)) return { why: say(words.why_what, { got: short(of("what")), list: substances.map((one) => one.id).join(", ") }) };
    if (!/^(?:[01](?:\.0+)?)?$/.test(of("use"))) return { why: say(words.why_use, { got: short(of("use")) }) };
    const use = of("use") === "" ? "" : Number(of("use"));
    const text = of("amount");
    const isZero = /^0*(?:[.,]0*)?$/.test(text);
    const amount = isZero ? "" : amountOf(text);
    if (amount === null) return { why: say(words.why_amount, { got: short(text), most }) };
    if ((use !== 1 && amount !== "") || (use === 1 && isZero && text !== "")) {
      return { why: say(words.why_clash, { use: use === "" ? words.not_known : use, amount: text }) };
    }
    const day = { use, amount };
    for (const field of ["craving", "mood"]) {
      const got = of(field);
      if (got !== "" && !(/^\d{1,2}(?:\.0+)?$/.test(got) && Number(got) <= scale)) return { why: say(words.why_scale, { got: short(got), field, scale }) };
      day[field] = got === "" ? "" : Number(got);
    }
    return { id, key, day };
  }

  const same = (a, b) => ["use", "amount", "craving", "mood"].every((name) => a[name] === b[name]);

  function readFile(text) {
    const rows = cells(text.replace(/^\uFEFF/, ""));
    const head = rows.length ? rows[0].row.map((name) => name.toLowerCase()) : [];
    if (text.includes("\0") || columns.some((name) => !head.includes(name))) {
      return { stop: say(words.foreign, { got: text.replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, " ").slice(0, 60) }) };
    }
    const at = Object.fromEntries(columns.map((name) => [name, head.indexOf(name)]));
    const people = new Set(rows.slice(1).map(({ row }) => row[at.who] ?? ""));
    if (people.size > 1) return { stop: say(words.people, { n: people.size }) };
    const found = new Map(), bad = [];
    for (const { line, row } of rows.slice(1)) {
      const one = row.length === head.length ? readRow(row, at) : { why: say(words.why_cells, { n: row.length, m: head.length }) };
      const place = one.why ? "" : `${one.id} ${one.key}`;
      if (!one.why && found.has(place) && !same(found.get(place).day, one.day)) one.why = words.why_twice;
      if (one.why) bad.push({ line, why: one.why }); else if (!isEmpty(one.day)) found.set(place, one);
    }
    if (!found.size && !bad.length) return { stop: words.nothing };
    return { found: [...found.values()], bad, who: [...people][0] };
  }

  function take(found, who, isOver) {
    let n = 0;
    // What came from two files stands in neither of them.
    unsaved ||= [...diary.values()].some((one) => one.size > 0);
    for (const { id, key, day } of found) {
      const now = diary.get(id).get(key);
      if (!now || (isOver && !same(now, day))) { diary.get(id).set(key, day); drafts.delete(`${id} ${key}`); n += 1; }
    }
    if (/^[A-Za-z0-9_-]{1,40}$/.test(who)) { $("code").value = who; codeFault(); }
    const last = found.reduce((best, one) => (one.key > best.key ? one : best));
    what = last.id;
    $("what").value = what;
    here = last.key;
    draw();
    told(say(words.taken, { n: isOver ? n : found.length }));
    $("told").focus();
  }

  function offer({ found, bad, who }) {
    const clashes = found.filter(({ id, key, day }) => diary.get(id).has(key) && !same(diary.get(id).get(key), day));
    if (!clashes.length) { take(found, who, false); return; }
    const shown = (id, day) => { const now = what; what = id; const text = labelOf(day); what = now; return text; };
    told(
      say(words.clash, { n: clashes.length }),
      list(clashes.map(({ id, key, day }) => say(words.clash_line, { day: dayName(key), what: nameOf(id), here: shown(id, diary.get(id).get(key)), there: shown(id, day) }))),
      make("p", { className: "acts" }, choice(words.keep_here, () => take(found, who, false)), " ", choice(words.take_file, () => take(found, who, true), true)),
    );
    $("told").focus();
  }

  $("open").addEventListener("change", async () => {
    const [file] = $("open").files;
    if (!file) return;
    const text = file.size > LARGEST_FILE ? null : await file.text();
    $("open").value = "";
    const read = text === null ? { stop: words.large } : readFile(text);
    if (read.stop) { told(make("p", { className: "error", textContent: read.stop })); $("told").focus(); return; }
    if (!read.bad.length) { offer(read); return; }
    const acts = [choice(words.take_none, () => told(words.left), true)];
    if (read.found.length) acts.unshift(choice(say(words.take_good, { n: read.found.length }), () => offer(read)), " ");
    told(
      make("p", { className: "error", textContent: say(words.bad, { n: read.bad.length }) }),
      list(read.bad.map(({ line, why }) => say(words.line, { n: line, why }))),
      make("p", { className: "acts" }, ...acts),
    );
    $("told").focus();
  });

  // Two presses erase, the second at once: a slip of the hand must not cost a month, and nobody should have to look for a box.
  const erase = $("erase");
  const eraseWord = erase.textContent;
  function calm() { erase.textContent = eraseWord; erase.classList.remove("sure"); }
  erase.addEventListener("blur", calm);
  erase.addEventListener("click", () => {
    if (!erase.classList.contains("sure")) { erase.classList.add("sure"); erase.textContent = words.again; return; }
    for (const one of diary.values()) one.clear();
    drafts.clear();
    for (const form of page.querySelectorAll("form")) form.reset();
    $("code").value = "me";
    $("open").value = "";
    $("sheets").replaceChildren();
    unsaved = answered = read = false;
    here = today();
    calm(); codeFault(); countSigns(); countAudit(); draw();
    told(words.erased);
  });

  // Scores: the words stand in the page; only those that fit are shown.
  function showLevel(place, score) {
    const all = [...$(place).querySelectorAll("[data-low]")];
    const fits = score === null ? null : all.filter((one) => Number(one.dataset.low) <= score).pop();
    for (const one of all) one.hidden = one !== fits;
    $(place).hidden = score === null;
  }
  function countSigns() {
    // Before the first tick nothing was answered, and nothing is said of it: 0 would read as "no disorder".
    const n = read ? $("signs-form").querySelectorAll(":checked").length : null;
    $("signs-score").textContent = n ?? "–";
    $("signs-open").hidden = read;
    showLevel("signs-levels", n);
    $("withdrawal-flag").hidden = !$("withdrawal").checked;
  }
  function countAudit() {
    const questions = $("audit-form").querySelectorAll("fieldset");
    const got = [...questions].map((one) => one.querySelector(":checked")?.value);
    // Who never drinks may go on with the last two questions; what is skipped then counts nothing.
    const needed = got[0] === "0" ? [0, got.length - 2, got.length - 1] : got.map((_, i) => i);
    const isWhole = needed.every((i) => got[i] !== undefined);
    const score = got.reduce((sum, one) => sum + Number(one ?? 0), 0);
    $("audit-score").textContent = isWhole ? score : "–";
    $("audit-open").hidden = isWhole;
    showLevel("audit-levels", isWhole ? score : null);
  }
  for (const [id, count] of [["signs-form", countSigns], ["audit-form", countAudit]]) {
    $(id).addEventListener("submit", (event) => event.preventDefault());
    $(id).addEventListener("change", () => { answered = true; read ||= id === "signs-form"; count(); });
  }

  // On paper: a calendar for each month that has days, and the answers; an empty month where there is none.
  function sheets() {
    const now = what, all = [];
    for (const one of substances) {
      const months = [...new Set([...diary.get(one.id).keys()].map((key) => key.slice(0, 7)))].sort();
      what = one.id;
      for (const month of months) {
        const [year, number] = month.split("-").map(Number);
        const keys = monthDays(year, number - 1);
        const head = make("tr", {}, ...weekdays.map((day) => make("th", { textContent: day.slice(0, 3) })));
        all.push(make("table", { className: "month" }, make("caption", { textContent: `${one.name}, ${monthName(dateOf(keys[0]))} (${one.unit})` }), make("thead", {}, head),
          make("tbody", {}, ...monthRows(keys, (key) => fill(make("td"), key, days().get(key))))));
      }
    }
    what = now;
    $("sheets").replaceChildren(...all);
    page.classList.toggle("has-sheets", all.length > 0);
  }
  window.addEventListener("beforeprint", () => { sheets(); answered = false; });
  $("print").addEventListener("click", () => window.print());

  window.addEventListener("beforeunload", (event) => {
    if (unsaved || answered) { event.preventDefault(); event.returnValue = ""; }
  });

  // A browser may bring the page back as it was left; here nothing may come back.
  window.addEventListener("pageshow", (event) => { if (event.persisted) window.location.reload(); });

  // Another tab only hears that this one is open, and never what is in it.
  try {
    const tabs = new BroadcastChannel("my-days");
    tabs.onmessage = ({ data }) => { $("tabs").hidden = false; if (data === "open") tabs.postMessage("too"); };
    tabs.postMessage("open");
  } catch { /* A browser without it, or a page opened from a folder. */ }

  for (const one of document.querySelectorAll("[data-scripted], #erase, #earlier, #later")) one.hidden = false;
  $("grid").setAttribute("role", "grid");
  $("grid").setAttribute("aria-describedby", "keys");
  countSigns();
  countAudit();
  draw();
  codeFault();
})();
