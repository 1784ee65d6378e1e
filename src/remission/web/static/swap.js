// Parts of the page exchanged for the same parts of the page that a link leads to, and a slider for the day of a field.
// Without this file the link leads to that page and the middle day stands above the fields: all of it is there.
(() => {
  function serve(place) {
    for (const slider of place.querySelectorAll("input[data-day]")) {
      slider.closest("label").hidden = false;
      slider.addEventListener("input", () => DayField.show(place.querySelector("[data-fod]"), Number(slider.value)));
    }
  }

  async function exchange(event) {
    const link = event.target.closest("a[data-swap]");
    // A copy without a server may ask for nothing: there the link leads on by itself.
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || "made" in document.documentElement.dataset) return;
    event.preventDefault();
    const ids = link.dataset.swap.split(" "), had = document.activeElement === link ? link.id : "";
    let page;
    try {
      const answer = await fetch(link.href);
      if (!answer.ok) throw new Error(answer.statusText);
      page = new DOMParser().parseFromString(await answer.text(), "text/html");
    } catch { location.href = link.href; return; }
    for (const id of ids) {
      const old = document.getElementById(id), fresh = document.importNode(page.getElementById(id), true);
      // The day stays, and the place where the change is said, so that it is read aloud.
      const day = old.querySelector("[data-fod]")?.dataset.on, status = old.querySelector("[role=status]"), said = fresh.querySelector("[role=status]");
      old.replaceWith(fresh);
      if (status && said) { const text = said.textContent; said.replaceWith(status); status.textContent = text; }
      for (const box of fresh.querySelectorAll("[data-fod]")) { DayField.start(box); if (day) DayField.show(box, Number(day)); }
      for (const slider of fresh.querySelectorAll("input[data-day]")) slider.value = day;
      serve(fresh);
    }
    if (had) document.getElementById(had)?.focus({ preventScroll: true });
    // A page that is opened by its address keeps its address; the parts of it that changed can be shared.
    history.replaceState(null, "", link.href);
  }

  serve(document);
  document.addEventListener("click", exchange);
})();
