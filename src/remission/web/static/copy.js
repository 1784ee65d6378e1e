// In a copy of the site without a server. A script beside it stands for each thing that the server would answer, for a
// page that was opened from a file may not fetch; nothing is asked of any other place.
(() => {
  "use strict";
  const page = document.documentElement, held = new Map();
  page.classList.add("copy-runs");

  // What says whom to call is asked of the host again: a browser that still has an older page does not decide.
  const [entry] = performance.getEntriesByType("navigation");
  const isKept = entry && entry.transferSize === 0 && entry.type !== "reload";
  if ("fresh" in page.dataset && isKept && location.protocol.startsWith("http") && navigator.onLine) location.reload();

  const lost = [];
  function tell() {
    const box = document.getElementById("part-missing");
    if (!box || !lost.length) return;
    box.querySelector("span").textContent = lost.join(", ");
    box.classList.add("is-missing");
  }
  window.addEventListener("error", (event) => {
    // A file that is not there, or a script that fails because it was cut off; a browser may not say which one.
    const name = event.target?.src || event.target?.href || event.filename || "script";
    lost.push(decodeURIComponent(name.split("/").pop().split("?")[0]));
    tell();
  }, true);
  document.addEventListener("DOMContentLoaded", () => {
    // The last words of every page: a page without them was cut off.
    if (!document.querySelector(".copy-note")) lost.push(decodeURIComponent(location.pathname.split("/").pop()));
    tell();
    const days = (Date.now() - Date.parse(page.dataset.made)) / 86400000, old = document.getElementById("copy-old");
    if (old && days > 180) old.hidden = false;
  });

  window.holdData = (text) => held.set(document.currentScript.src, text);
  window.fetch = (address) => new Promise((resolve, reject) => {
    const name = `${new URL(address, document.baseURI).href.split("#")[0]}.js`;
    const answer = () => (held.has(name) ? resolve(new Response(held.get(name))) : reject(new TypeError(`not in this copy: ${name}`)));
    if (held.has(name)) { answer(); return; }
    const script = document.createElement("script");
    script.addEventListener("load", answer);
    script.addEventListener("error", answer);
    script.src = name;
    document.head.append(script);
  });
})();
