"""How fast the pages are on loopback: first paint of each page, and a move of the slider until it is drawn.

    python validation/web_speed.py

Needs Chromium. Prints a table; docs/validation/web.md holds what was measured. No test asserts these times.
"""

import shutil
import statistics
import threading
import time

import uvicorn
from playwright.sync_api import sync_playwright

from remission.web.app import create_app
from remission.web.pages.learn import warm
from remission.web.server import bind
from remission.web.settings import WebSettings

PAGES = (
    "/",
    "/learn",
    "/journey/alcohol",
    "/es/journey/opioid",
    "/evidence",
    "/evidence/forest",
    "/clinics",
    "/safety",
    "/about",
)
REPEATS = 7
PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
SLIDE = """async () => {
  const slider = document.getElementById('on-day');
  const times = [];
  for (let day = 1; day <= 60; day += 1) {
    const begin = performance.now();
    slider.value = String(day);
    slider.dispatchEvent(new Event('input'));
    times.push(performance.now() - begin);
    await new Promise(requestAnimationFrame);
  }
  times.sort((a, b) => a - b);
  return [times[30], times[57]];
}"""


def main() -> None:
    """Serve, look, print."""
    listener = bind("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(create_app(WebSettings(n_replicates=20)), log_level="error", lifespan="off"))
    threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True).start()
    while not server.started:
        time.sleep(0.02)
    # As remission serve does in the background.
    begin = time.perf_counter()
    warm()
    print(f"Computing what /learn shows: {time.perf_counter() - begin:.1f} s after start\n")
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        print("| page | first visit, ms | median of later visits, ms |\n|---|---|---|")
        for address in PAGES:
            times = []
            for _ in range(REPEATS + 1):
                context = browser.new_context()
                page = context.new_page()
                page.goto(base + address, wait_until="load")
                page.wait_for_timeout(150)
                times.append(page.evaluate(PAINT))
                context.close()
            print(f"| {address} | {times[0]:.0f} | {statistics.median(times[1:]):.0f} |")
        page = browser.new_page()
        page.goto(f"{base}/learn/extended-amygdala")
        page.locator("#on-day").wait_for(state="visible")
        median, worst = page.evaluate(SLIDE)
        print(f"\nSlider to redraw: median {median:.1f} ms, 57th of 60 {worst:.1f} ms")
        browser.close()
    server.should_exit = True


if __name__ == "__main__":
    main()
