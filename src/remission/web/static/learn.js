// The chain unfolds: a day and a treatment are chosen, levels and words follow. Everything was computed by the server;
// nothing is sent while the reader plays. Without this file the page reads the same, one link at a time.
const form = document.getElementById("unfold");
const slider = document.getElementById("on-day");
const arms = document.getElementById("arm");
const play = document.getElementById("play");
const reading = document.getElementById("reading");
const NAMES = { P: "window", H: "habit", N: "unease", K: "control", z: "craving" };
let course = null;
let timer = null;

// A bar begins at zero; its full length is the highest mean of the state, or 1 where that stays below. A state that
// falls below zero has no bar: a dot moves between the lowest and the highest mean, with a tick at zero.
function level(mark, arm, day) {
  const symbol = mark.dataset.state, long = Number(mark.dataset.width), left = Number(mark.dataset.left);
  const value = symbol === "use" ? course.without_use[arm][day] / 100 : course.mean[symbol][arm][day];
  if (symbol === "use" || course.low[symbol] >= 0) {
    mark.setAttribute("width", (long * value / Math.max(1, course.high[symbol] ?? 1)).toFixed(1));
    return;
  }
  const low = course.low[symbol], at = (x) => left + long * (x - low) / (Math.max(0, course.high[symbol]) - low);
  mark.setAttribute("width", "7");
  mark.setAttribute("x", (at(value) - 3.5).toFixed(1));
  let tick = mark.parentNode.querySelector(".zero");
  if (!tick) {
    tick = mark.parentNode.insertBefore(document.createElementNS("http://www.w3.org/2000/svg", "rect"), mark);
    for (const [name, set] of [["class", "zero"], ["width", "1.5"], ["height", "11"], ["x", at(0) - 0.75], ["y", mark.getAttribute("y") - 3]]) tick.setAttribute(name, set);
  }
}

function draw() {
  const day = Number(slider.value), arm = arms.selectedIndex;
  document.getElementById("day-out").value = String(day);
  for (const mark of document.querySelectorAll(".chain .level")) {
    level(mark, arm, day);
  }
  const words = Object.entries(NAMES).map(([s, name]) => `${name} ${course.mean[s][arm][day].toFixed(2)}`);
  reading.textContent = `${course.arms[arm]}, day ${day} (simulated, mean): ${words.join(", ")}; ` +
    `${course.without_use[arm][day].toFixed(0)} of 100 people without use. Bars begin at zero; craving and control are dots with a tick at zero.`;
  for (const frame of document.querySelectorAll("figure [data-frames]")) cursor(frame, day);
  remember(day, arm);
}

// Day and treatment live behind the # of the address: a link to another part keeps them, no server sees them.
function remember(day, arm) {
  const hash = `#day=${day}&arm=${arm}`;
  if (!timer) history.replaceState(null, "", hash);
  for (const link of document.querySelectorAll(".chain a, .steps a")) {
    link.setAttribute("href", link.getAttribute("href").split("#")[0] + hash);
  }
}

function recall() {
  const state = new URLSearchParams(location.hash.slice(1));
  slider.value = String(Number(state.get("day")) || 0);
  arms.selectedIndex = Math.min(Math.max(Number(state.get("arm")) || 0, 0), arms.length - 1);
}

function cursor(svg, day) {
  let group = svg.querySelector("g.cursors");
  if (!group) {
    group = svg.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "g"));
    group.setAttribute("class", "cursors");
    for (let i = 0; i < JSON.parse(svg.dataset.frames).length; i += 1) {
      group.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "line")).setAttribute("class", "cursor");
    }
  }
  JSON.parse(svg.dataset.frames).forEach(([left, right, top, bottom, last], i) => {
    const x = left + (right - left) * Math.min(day / last, 1), line = group.children[i];
    line.setAttribute("x1", x); line.setAttribute("x2", x); line.setAttribute("y1", top); line.setAttribute("y2", bottom);
  });
}

function stop() {
  clearInterval(timer);
  timer = null;
  remember(Number(slider.value), arms.selectedIndex);
  play.textContent = "Let it unfold";
}

function unfold() {
  if (timer) { stop(); return; }
  if (Number(slider.value) >= Number(slider.max)) slider.value = "0";
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) { slider.value = slider.max; draw(); return; }
  play.textContent = "Pause";
  timer = setInterval(() => {
    slider.value = String(Number(slider.value) + 1);
    draw();
    if (Number(slider.value) >= Number(slider.max)) stop();
  }, 60);
}

async function start() {
  const answer = await fetch(form.dataset.course);
  if (!answer.ok) return;
  course = await answer.json();
  for (const name of course.arms) arms.add(new Option(name));
  form.hidden = false;
  reading.hidden = false;
  recall();
  slider.addEventListener("input", () => { stop(); draw(); });
  arms.addEventListener("change", draw);
  play.addEventListener("click", unfold);
  draw();
}

start().catch(() => { /* offline: the page is whole without it */ });
