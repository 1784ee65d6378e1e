"""Five runs and fifty readers of one workbench together: no error, and help answered at once. Run: make bench-load.

The server is a process of its own, as an operator starts it; the readers are threads that read pages over and over
while the jobs run. Times are of this machine on that day and are printed, never a test.
"""

import json
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode

JOBS, READERS = 5, 50
PAGES = ("/runs", "/runs.json", "/design", "/safety", "/trial", "/evidence", "/run/{job}", "/design?draft={draft}")


def opener() -> urllib.request.OpenerDirector:
    """A reader with cookies of its own."""
    return urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))


def main() -> int:
    """Start a server, give it jobs and readers, and tell what they got."""
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "remission", "serve", "--port", "0", "--workbench", str(Path(folder) / "bench")]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
            try:
                return load(server)
            finally:
                server.terminate()


def load(server: "subprocess.Popen[str]") -> int:
    """The load itself; the number of answers that were errors."""
    assert server.stdout is not None
    server.stdout.readline()
    found = re.search(r"http\S+", server.stdout.readline())
    assert found, "the address to come in by"
    entry, base = found[0], found[0].partition("/workbench")[0]
    first = opener()
    mark = re.search(r'name="mark" value="([0-9a-f]+)"', first.open(entry).read().decode())
    assert mark
    jobs, drafts = [], []
    for n in range(JOBS):
        sent = {"mark": mark[1], "example": "template"}
        drafts.append(first.open(f"{base}/design/new", urlencode(sent).encode()).geturl().partition("draft=")[2])
        sent = {"mark": mark[1], "draft": drafts[-1], "whose": "chain", "same_days": "yes", "o:replicates": "60"}
        sent |= {"revision": "1", "do": "run", "p:population.n_subjects": str(24 + 2 * n)}
        jobs.append(first.open(f"{base}/design", urlencode(sent).encode()).geturl().partition("job=")[2])
    counts: Counter[str] = Counter()
    slowest: dict[str, float] = {}
    guard, over = threading.Lock(), threading.Event()

    def read(number: int) -> None:
        mine = opener()
        mine.open(entry).read()
        turn = number
        while not over.is_set():
            page = PAGES[turn % len(PAGES)]
            address = page.format(job=jobs[turn % JOBS], draft=drafts[turn % JOBS])
            started = time.perf_counter()
            try:
                with mine.open(f"{base}{address}", timeout=120) as answer:
                    answer.read()
                    told = str(answer.status)
            except urllib.error.HTTPError as error:
                told = str(error.code)
            except OSError as error:
                told = type(error).__name__
            took = time.perf_counter() - started
            with guard:
                counts[told] += 1
                slowest[page] = max(slowest.get(page, 0.0), took)
            turn += 1
            time.sleep(0.5)

    readers = [threading.Thread(target=read, args=(n,), daemon=True) for n in range(READERS)]
    started = time.perf_counter()
    for one in readers:
        one.start()
    states: list[str] = []
    while time.perf_counter() - started < 1800:
        lines = json.loads(first.open(f"{base}/runs.json").read())["jobs"]
        states = [line["state"] for line in lines]
        if all(state in {"done", "failed", "canceled"} for state in states):
            break
        time.sleep(1.0)
    over.set()
    for one in readers:
        one.join(130)
    sys.stdout.write(f"{JOBS} jobs: {Counter(states)} in {time.perf_counter() - started:.0f} s\n")
    # Not now (503) is an answer that says so and is no error of the server.
    sys.stdout.write(f"{READERS} readers: {sum(counts.values())} answers, {dict(counts)}\n")
    for page, took in sorted(slowest.items(), key=lambda pair: -pair[1]):
        sys.stdout.write(f"  slowest {page}: {took:.2f} s\n")
    wrong = sum(n for told, n in counts.items() if told not in {"200", "503"}) + sum(one != "done" for one in states)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
