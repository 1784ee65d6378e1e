// Find clinics on this device: the ZIP code is never sent. Same table, same formula, same rounding as the server.
const form = document.querySelector("form.ask");
const place = document.getElementById("place");
const fault = document.getElementById("place-fault");
const results = document.getElementById("results");
const radius = 3958.76;
let loading = null;

async function get(address, as) {
  const answer = await fetch(address, { credentials: "omit" });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer[as]();
}

function load() {
  loading ??= Promise.all([get(form.dataset.zips, "json"), get(form.dataset.rows, "text")]).then(([table, html]) => {
    const zips = new Map(), areas = new Map();
    let code = 0, lat = 0, lon = 0;
    for (let i = 0; i < table.z.length; i += 1) {
      code += table.z[i]; lat += table.a[i]; lon += table.o[i];
      const zip = String(code).padStart(5, "0"), sum = areas.get(zip.slice(0, 3)) ?? [0, 0, 0];
      zips.set(zip, [lat, lon]);
      areas.set(zip.slice(0, 3), [sum[0] + lat, sum[1] + lon, sum[2] + 1]);
    }
    const box = document.createElement("template");
    box.innerHTML = `<ul>${html}</ul>`;
    return { zips, areas, rows: [...box.content.firstChild.children] };
  });
  loading.catch(() => { loading = null; });
  return loading;
}

function locate(zip, { zips, areas }) {
  if (zips.has(zip)) return { point: zips.get(zip).map((value) => value / 100), rough: false };
  const sum = areas.get(zip.slice(0, 3));
  return sum ? { point: [sum[0] / sum[2] / 100, sum[1] / sum[2] / 100], rough: true } : null;
}

function miles([fromLat, fromLon], [toLat, toLon]) {
  const turn = Math.PI / 180;
  const halfLat = Math.sin((toLat - fromLat) * turn / 2), halfLon = Math.sin((toLon - fromLon) * turn / 2);
  const inside = halfLat ** 2 + Math.cos(fromLat * turn) * Math.cos(toLat * turn) * halfLon ** 2;
  return 2 * radius * Math.asin(Math.sqrt(Math.min(1, inside)));
}

function shown(length) {
  const step = length < 10 ? 1 : 5;
  return step * Math.floor(length / step + 0.5);
}

function fits(row, wanted) {
  const has = (name) => !wanted.get(name) || row.dataset[name].split(";").includes(wanted.get(name));
  return row.dataset.lat !== "" && (wanted.get("with_old") || !row.dataset.old)
    && (!wanted.get("ketamine") || row.dataset.ketamine) && (!wanted.get("therapy") || row.dataset.therapy)
    && has("medication") && has("payment") && has("language");
}

function show(zip, start, rows) {
  const wanted = new FormData(form);
  const found = rows.filter((row) => fits(row, wanted))
    .map((row) => [miles(start.point, [Number(row.dataset.lat), Number(row.dataset.lon)]), row])
    .filter(([length]) => length <= Number(wanted.get("radius"))).sort((a, b) => a[0] - b[0]);
  const words = results.dataset;
  const list = found.map(([length, row]) => {
    const copy = row.cloneNode(true), line = copy.querySelector(".distance");
    line.textContent = shown(length) ? words.about.replace("{n}", shown(length)) : words.close;
    line.hidden = false;
    return copy;
  });
  document.getElementById("places").replaceChildren(...list);
  document.getElementById("empty").hidden = list.length > 0;
  document.getElementById("map").hidden = list.length === 0;
  document.querySelector("#map svg").replaceChildren(...list.filter((row) => row.dataset.x).map((row) => {
    const pin = document.createElementNS("http://www.w3.org/2000/svg", "circle");
    for (const [name, value] of [["cx", row.dataset.x], ["cy", row.dataset.y], ["r", "8"]]) pin.setAttribute(name, value);
    return pin;
  }));
  const title = document.getElementById("results-title");
  title.textContent = (list.length === 1 ? words.one : words.many).replace("{n}", list.length);
  document.getElementById("start").textContent = words.from.replace("{place}", zip) + (start.rough ? ` ${words.rough}` : "");
  results.hidden = false;
  title.focus();
}

function say(text) {
  fault.textContent = text;
  fault.hidden = !text;
  if (text) { place.setAttribute("aria-invalid", "true"); results.hidden = true; place.focus(); } else place.removeAttribute("aria-invalid");
}

form.addEventListener("submit", async (event) => {
  const zip = /^\s*(\d{5})(?:-?\d{4})?\s*$/.exec(place.value)?.[1];
  const isCopy = form.hasAttribute("data-copy");
  if (!zip && !isCopy) return; // a town's name is looked up by the server, as the hint says
  event.preventDefault();
  if (!zip) { say(form.dataset.zipOnly); return; }
  try {
    const data = await load(), start = locate(zip, data);
    say(start ? "" : form.dataset.unknown);
    if (start) show(zip, start, data.rows);
  } catch {
    say(form.dataset.failed);
  }
});

for (const hint of form.querySelectorAll("[data-scripted]")) hint.hidden = false;
for (const hint of form.querySelectorAll("[data-plain]")) hint.hidden = true;
