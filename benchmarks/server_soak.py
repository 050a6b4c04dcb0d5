"""Five minutes of mixed traffic on `digits serve`: what came of every request, and how much memory it took.

    python benchmarks/server_soak.py                                  # must pass: exit code 0
    python benchmarks/server_soak.py --seconds 150 --leak-kib 1       # a planted leak: must fail, exit code 1

64 clients ask one after the other: 85 % good (single digits as bytes, JSON and pictures; every sixth a page), 10 % bad,
5 % by clients that leave halfway, send slowly, or never take their answer. Every 200 must equal what Python reads.
The leak is planted by this program, into the application that it wraps; the product has no such thing.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections import deque
from typing import Any

import numpy as np

from common import load_labelled, print_heading, print_table, say
from digit_recognizer.recognizer import Recognizer
from server_client import (
    DATA,
    Case,
    Client,
    Ledger,
    Lost,
    Served,
    bad_requests,
    connected,
    now,
    pages,
    quantile_ms,
    service,
    single_digits,
    stay_on,
    two_cores,
)

CLIENTS = 64
GOOD, BAD = 0.85, 0.10  # the rest aborts or is slow
PAGES_AMONG_GOOD = 1 / 6
MOST_GROWTH = 0.03  # of resident memory, after the first minute
SLOW_S, SLOW_PIECES = 2.0, 5
MOST_IDLE_S = 2.0  # connections that were idle for longer are left: the service may be closing them, after 5 s


class Traffic:
    """What the clients draw their requests from, and what they write down."""

    def __init__(self, recognizer: Recognizer, data: str, seed: int, count: int = 60) -> None:
        digits = load_labelled(data, 5 * count)
        self.singles = single_digits(recognizer, digits)
        self.pages = pages(recognizer, digits, count, seed)
        self.bad = bad_requests(digits)
        self.ledger = Ledger()
        self.seed = seed

    def draw(self, rng: np.random.Generator) -> tuple[str, Case]:
        """What a client does next: "ask", "slow", "leave" or "deaf", with which case."""
        share = rng.random()
        if share >= GOOD and share < GOOD + BAD:
            return "ask", self.bad[rng.integers(len(self.bad))]
        good = self.pages if rng.random() < PAGES_AMONG_GOOD else self.singles
        case = good[rng.integers(len(good))]
        return ("ask", case) if share < GOOD else (("slow", "leave", "deaf")[rng.integers(3)], case)


async def client(number: int, port: int, traffic: Traffic, until: float) -> None:
    """One client, request after request, until the time is over."""
    rng = np.random.default_rng([traffic.seed, number])
    connection: Client | None = None
    used = now()
    while now() < until:
        how, case = traffic.draw(rng)
        traffic.ledger.sent += 1
        try:
            if connection is not None and now() - used > MOST_IDLE_S:
                connection.close()
                connection = None
            if connection is None or not connection.open:
                connection = await connected(port)
            if how == "ask":
                began = now()
                answer = await connection.ask(case.sent)
                used = now()
                traffic.ledger.book(case, answer, used - began)
                if answer.close:
                    connection.close()
                    connection = None
            elif how == "slow":
                answer = await slowly(port, case)
                traffic.ledger.book(Case(f"{case.name}, slowly", case.sent, case.status, case.told), answer, SLOW_S)
            else:
                await leave(port, case, deaf=how == "deaf")
                traffic.ledger.fates["left by the client"] += 1
        except (Lost, OSError) as error:
            traffic.ledger.lose(case, error)
            connection = None
    if connection is not None:
        connection.close()


async def slowly(port: int, case: Case) -> Any:
    """Send a request in pieces, with pauses between them."""
    connection = await connected(port)
    try:
        size = -(-len(case.sent) // SLOW_PIECES)
        for start in range(0, len(case.sent), size):
            connection.send(case.sent[start : start + size])
            await asyncio.sleep(SLOW_S / SLOW_PIECES)
        return await connection.answer()
    finally:
        connection.close()


async def leave(port: int, case: Case, deaf: bool) -> None:
    """Send half of a request, or all of it, and go without waiting for the answer."""
    connection = await connected(port)
    connection.send(case.sent if deaf else case.sent[: len(case.sent) // 2])
    await asyncio.sleep(0.05)
    if connection.transport is not None:
        connection.transport.abort() if deaf else connection.transport.close()


async def watch(served: Served, until: float, began: float) -> list[tuple[float, float]]:
    """Resident memory once a second: (seconds since the beginning, MiB)."""
    seen = []
    while now() < until:
        seen.append((now() - began, served.memory()))
        await asyncio.sleep(1)
    return seen


async def soak(served: Served, traffic: Traffic, seconds: float, clients: int = CLIENTS) -> list[tuple[float, float]]:
    """Let the clients go at the service; resident memory once a second."""
    began = now()
    until = began + seconds
    memory = asyncio.create_task(watch(served, until, began))
    await asyncio.gather(*(client(number, served.port, traffic, until) for number in range(clients)))
    return await memory


def growth(memory: list[tuple[float, float]], after_s: float) -> tuple[float, float]:
    """(MiB when ``after_s`` had passed, MiB at the end), each the mean of up to ten seconds."""
    width = min(10.0, after_s / 2)
    end = memory[-1][0]
    early = [size for at, size in memory if after_s - width <= at <= after_s + width]
    late = [size for at, size in memory if at >= end - 2 * width]
    return float(np.mean(early)), float(np.mean(late))


def serve_leaking(kib: float) -> None:
    """``digits serve`` whose every request leaves some memory behind: what the check must notice."""
    from digit_recognizer.apps.server import process
    from digit_recognizer.apps.server.app import make_app
    from digit_recognizer.apps.server.limits import ServerSettings

    hoard: deque[bytearray] = deque()

    class Leak:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            hoard.append(bytearray(b"\xa5" * round(1024 * kib)))
            await self.app(scope, receive, send)

    def leaking(*arguments: Any) -> Any:
        app = make_app(*arguments)
        app.add_middleware(Leak)
        return app

    process.make_app = leaking
    sys.exit(process.serve(Recognizer(threads=1), ServerSettings(port=0)))


def main() -> None:
    arguments = _arguments()
    if arguments.port is not None:
        serve_leaking(arguments.leak_kib)
    print_heading("Soak of digits serve", ("fastapi", "uvicorn", "onnxruntime", "numpy"))
    server_core, client_core = two_cores()
    traffic = Traffic(Recognizer(threads=1), arguments.data, arguments.seed)
    stay_on(client_core)
    leaking = (sys.executable, __file__, "--leak-kib", str(arguments.leak_kib))
    how = {"command": leaking} if arguments.leak_kib else {}
    with service(core=server_core, **how) as served:
        memory = asyncio.run(soak(served, traffic, arguments.seconds))
        files, threads = served.open_files(), served.threads()
        after_s = min(60.0, arguments.seconds / 3)
        early, late = growth(memory, after_s)
        code = served.stop()
        complaints = served.complaints()
    ledger = traffic.ledger
    unplanned = ledger.fates["another status"]
    print_table(
        ("what became of the requests", "count", "share"),
        [(fate, f"{count:,}", f"{count / ledger.sent:.3%}") for fate, count in ledger.fates.most_common()],
    )
    rows = [
        (name, f"{len(taken):,}", f"{quantile_ms(taken, 0.5):.1f}", f"{quantile_ms(taken, 0.99):.1f}")
        for name, taken in ledger.seconds.items()
        if name in ("digit", "a page")
    ]
    print_table(("asked for", "answers", "median ms", "p99 ms"), rows)
    checks = {
        "wrong answers": (ledger.fates["wrong"], ledger.fates["wrong"] == 0),
        "requests lost": (ledger.fates["lost"], ledger.fates["lost"] == 0),
        "answers with a status that nobody planned": (unplanned, unplanned == 0),
        "requests not accounted for": (ledger.sent - ledger.fates.total(), ledger.sent == ledger.fates.total()),
        f"memory after {after_s:.0f} s, at the end": (f"{early:.1f}, {late:.1f} MiB", True),
        f"growth, at most {MOST_GROWTH:.0%}": (f"{late / early - 1:+.2%}", late <= early * (1 + MOST_GROWTH)),
        "files open and threads at the end": (f"{files}, {threads}", files < 60 and threads < 16),
        "lines of the log that tell of a mistake": (len(complaints), not complaints),
        "exit code after SIGTERM": (code, code == 0),
    }
    verdicts = [(name, str(found), "yes" if met else "NO") for name, (found, met) in checks.items()]
    print_table(("check", "found", "met"), verdicts)
    rate = ledger.sent / arguments.seconds
    leak = f"leak of {arguments.leak_kib:g} KiB a request" if arguments.leak_kib else "no leak planted"
    say(f"{ledger.sent:,} requests in {arguments.seconds:g} s, {rate:.0f} a second, by {CLIENTS} clients; {leak}")
    say(f"seed {arguments.seed}")
    for line in [*ledger.odd, *complaints[:5]]:
        say(f"- {line}")
    sys.exit(0 if all(met for _, met in checks.values()) else 1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Mixed traffic on digits serve, every request accounted for.")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--data", default=DATA, help="where the digits come from: mnist, sample, ...")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--leak-kib", type=float, default=0, help="keep so much of each request: the check must fail")
    parser.add_argument("--port", help=argparse.SUPPRESS)  # what a child process gets
    return parser.parse_args()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
