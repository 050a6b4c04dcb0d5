"""SIGTERM under load, again and again: no request that was accepted may be lost.

    python benchmarks/server_drain.py [--rounds 20] [--clients 16]

A request is accepted where it was sent on a connection that stood when the signal came: it must be answered, right, and
the process must end with 0 within ten seconds. Connections that are asked for afterwards may be turned away.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from dataclasses import dataclass

import numpy as np

from common import load_labelled, print_heading, print_table
from digit_recognizer.recognizer import Recognizer
from server_client import (
    DATA,
    Case,
    Ledger,
    Lost,
    Served,
    connected,
    now,
    pages,
    request,
    service,
    single_digits,
    stay_on,
    two_cores,
)

MOST_S = 10.0
READY = request("/v2/health/ready", method="GET")


@dataclass
class Round:
    """One life of the service. signalled: when it was asked to stop; inf before that."""

    ledger: Ledger
    signalled: float = float("inf")
    turned_away: int = 0
    unready: int | None = None  # status of the first question for readiness after the signal
    ended_s: float = 0.0
    code: int = -1


async def client(number: int, port: int, cases: list[Case], life: Round) -> None:
    """Ask until the service takes no more connections."""
    rng = np.random.default_rng(number)
    connection = None
    while True:
        case = cases[rng.integers(len(cases))]
        if connection is None or not connection.open:
            try:
                connection = await connected(port)
            except OSError:
                life.turned_away += 1
                return
        made_before = now() < life.signalled
        life.ledger.sent += 1
        began = now()
        try:
            answer = await connection.ask(case.sent)
        except Lost as error:
            if made_before:
                life.ledger.lose(case, error)
            else:
                life.ledger.fates["connected after the signal, closed unanswered"] += 1
                return
            connection = None
            continue
        life.ledger.book(case, answer, now() - began)
        if answer.close:
            connection.close()
            connection = None


async def live(served: Served, cases: list[Case], clients: int, after_s: float) -> Round:
    life = Round(Ledger())

    async def stop() -> None:
        await asyncio.sleep(after_s)
        asking = await connected(served.port)
        life.signalled = now()
        served.process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.05)
        try:
            life.unready = (await asking.ask(READY)).status
        except Lost:
            life.unready = None
        life.code = await asyncio.to_thread(served.process.wait, 2 * MOST_S)
        life.ended_s = now() - life.signalled

    await asyncio.gather(stop(), *(client(number, served.port, cases, life) for number in range(clients)))
    return life


def main() -> None:
    arguments = _arguments()
    print_heading("SIGTERM under load", ("fastapi", "uvicorn"))
    recognizer, digits = Recognizer(threads=1), load_labelled(arguments.data, 100)
    cases = single_digits(recognizer, digits) + pages(recognizer, digits, 30, 0)
    server_core, client_core = two_cores()
    stay_on(client_core)
    rng = np.random.default_rng(arguments.seed)
    lives = []
    for _ in range(arguments.rounds):
        with service(core=server_core) as served:
            lives.append(asyncio.run(live(served, cases, arguments.clients, float(rng.uniform(0.5, 2)))))
    ended = [life.ended_s for life in lives]
    unready = sum(life.unready == 503 for life in lives)
    checks = [
        ("requests sent", f"{sum(life.ledger.sent for life in lives):,}", True),
        ("accepted and lost", *_sum(lives, "lost")),
        ("wrong", *_sum(lives, "wrong")),
        ("another status than 200", *_sum(lives, "another status", "told to come again")),
        (
            "connected after the signal, closed unanswered",
            _sum(lives, "connected after the signal, closed unanswered")[0],
            True,
        ),
        ("not ready (503) 50 ms after the signal", f"{unready} of {len(lives)}", unready == len(lives)),
        ("exit code 0", *_codes(lives)),
        (f"ended within {MOST_S:g} s", f"slowest {max(ended):.2f} s", max(ended) <= MOST_S),
    ]
    title = f"{arguments.rounds} SIGTERMs, {arguments.clients} clients"
    print_table((title, "found", "met"), [(name, found, "yes" if met else "NO") for name, found, met in checks])
    for line in [line for life in lives for line in life.ledger.odd][:10]:
        print(f"- {line}")
    sys.exit(0 if all(met for _, _, met in checks) else 1)


def _sum(lives: list[Round], *fates: str) -> tuple[str, bool]:
    count = sum(life.ledger.fates[fate] for life in lives for fate in fates)
    return str(count), count == 0


def _codes(lives: list[Round]) -> tuple[str, bool]:
    good = sum(life.code == 0 for life in lives)
    return f"{good} of {len(lives)}", good == len(lives)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="SIGTERM to digits serve under load.")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--data", default=DATA, help="where the digits come from: mnist, sample, ...")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
