"""What the web pages bear: memory under large plans and made-up addresses, and whether the page of help ever waits.

Run it on an idle machine: ``python validation/web_load.py``, or ``python validation/web_load.py readers`` for fifty
people who follow links and nothing else. It starts a server on a free port, asks it, ends it, and prints a table;
results stand in ``docs/validation/web.md``.
"""

import html
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from contextlib import suppress
from pathlib import Path

import numpy as np

READERS, PAGES_EACH = 50, 10
BEGIN = ("/", "/journey", "/family", "/learn", "/evidence", "/planner", "/es/journey", "/diary", "/clinics", "/trial")
PLAN = "/planner?weight={}&age=40&dose=0.5mg/kg&minutes=40&people={}"


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Measured:
    """A server and what is asked of it."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.log = (folder / "serve.log").open("wb")
        command = [sys.executable, "-m", "remission", "serve", "--port", str(self.port)]
        self.process = subprocess.Popen(
            [*command, "--clinics", str(folder / "none.sqlite")], stdout=self.log, stderr=subprocess.STDOUT
        )
        for _ in range(600):
            with suppress(OSError):
                self.ask("/safety")
                break
            time.sleep(0.2)

    def ask(self, address: str, *, timeout_s: float = 600.0) -> tuple[int, float]:
        """Status and seconds of one request."""
        start = time.perf_counter()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{address}", timeout=timeout_s) as answer:
                answer.read()
                status = answer.status
        except urllib.error.HTTPError as error:
            error.read()
            status = error.code
        return int(status), time.perf_counter() - start

    def memory_mb(self, what: str = "VmRSS") -> int:
        """Memory now (VmRSS) or the most so far (VmHWM). [MB]"""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) // 1024 for line in text.splitlines() if line.startswith(what))

    def together(self, addresses: list[str]) -> tuple[list[threading.Thread], list[tuple[int, float]]]:
        """Ask all at once; the answers come into the list."""
        found: list[tuple[int, float]] = []
        threads = [threading.Thread(target=lambda one=one: found.append(self.ask(one))) for one in addresses]
        for thread in threads:
            thread.start()
        return threads, found

    def end(self) -> None:
        """Stop the server."""
        self.process.terminate()
        self.process.wait(60)
        self.log.close()


def statuses(found: list[tuple[int, float]]) -> str:
    """How often each status came."""
    return ", ".join(f"{count} x {status}" for status, count in sorted(Counter(one for one, _ in found).items()))


def browse(server: Measured, seed: int, found: list[tuple[int, float]]) -> None:
    """One reader: a first page, then a link of each page that was read, back to the first where there is none."""
    chance = np.random.default_rng(seed)
    address = first = str(chance.choice(BEGIN))
    for _ in range(PAGES_EACH):
        start = time.perf_counter()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{address}", timeout=600) as answer:
                page, status = answer.read().decode("utf-8", "replace"), int(answer.status)
        except urllib.error.HTTPError as error:
            page, status = "", error.code
        except OSError as error:
            # No answer at all is the worst one, and is counted as 0.
            page, status = "", 0
            print(f"{address}: {error}")
        found.append((status, time.perf_counter() - start))
        links = [html.unescape(one).partition("#")[0] for one in re.findall(r'<a [^>]*href="(/[^"]*)"', page)]
        links = [one for one in links if ".json" not in one and one]
        address = str(chance.choice(links)) if links else first


def fifty_readers(server: Measured) -> None:
    """Fifty people at once, each with ten pages."""
    found: list[tuple[int, float]] = []
    threads = [threading.Thread(target=browse, args=(server, seed, found)) for seed in range(READERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = sorted(1000 * seconds for _, seconds in found)
    print(
        f"{READERS} readers with {PAGES_EACH} pages each | {statuses(found)}; median {statistics.median(took):.0f} ms, "
        f"95% below {took[int(0.95 * (len(took) - 1))]:.0f} ms; {server.memory_mb()} MB"
    )


def half_open(server: Measured, count: int, wait_s: float) -> int:
    """Connections that never finish their request, still open after a while."""
    held = []
    for _ in range(count):
        one = socket.create_connection(("127.0.0.1", server.port))
        one.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ")
        held.append(one)
    status, took_s = server.ask("/safety")
    print(f"/safety while {count} connections are half open | {status} after {1000 * took_s:.0f} ms")
    time.sleep(wait_s)
    alive = 0
    for one in held:
        one.settimeout(0.01)
        try:
            alive += one.recv(1) != b""
        except TimeoutError:
            alive += 1
        except OSError:
            pass
        one.close()
    return alive


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        server = Measured(Path(folder))
        try:
            fifty_readers(server)
            if "readers" in sys.argv:
                return
            # Eighty readers wait for a trial that nobody has asked for before.
            threads, found = server.together(["/trial/kare?wait=5"] * 80)
            time.sleep(0.5)
            took: list[float] = []
            while any(thread.is_alive() for thread in threads) and len(took) < 200:
                status, seconds = server.ask("/safety")
                assert status == 200
                took.append(1000 * seconds)
                time.sleep(0.05)
            for thread in threads:
                thread.join()
            print(f"80 readers of /trial/kare?wait=5 | {statuses(found)}")
            if took:
                ordered = sorted(took)
                print(
                    f"/safety while they wait, {len(took)} times | median {statistics.median(took):.0f} ms, "
                    f"95% below {ordered[int(0.95 * (len(ordered) - 1))]:.0f} ms, longest {ordered[-1]:.0f} ms"
                )
            before = server.memory_mb()
            for people in (100_000, 10_000):
                threads, found = server.together([PLAN.format(60 + one, people) for one in range(8)])
                for thread in threads:
                    thread.join()
                print(
                    f"8 plans of {people} people at once | {statuses(found)}; memory {before} MB before, "
                    f"at most {server.memory_mb('VmHWM')} MB"
                )
            threads, found = server.together([PLAN.format(60 + one / 10, 2000) for one in range(60)])
            for thread in threads:
                thread.join()
            print(f"60 plans of 2000 people at once | {statuses(found)}; at most {server.memory_mb('VmHWM')} MB")
            before = server.memory_mb()
            found = [server.ask(f"/static/{one:08d}{'a' * 20_000}.css") for one in range(3000)]
            print(f"3000 addresses of 20 kB under /static | {statuses(found)}; {before} to {server.memory_mb()} MB")
            print(f"of 400 half-open connections after 15 s | {half_open(server, 400, 15)} still open")
        finally:
            server.end()


if __name__ == "__main__":
    main()
