"""What the service counts, as Prometheus reads it. One registry per service, so that two in one process do not mix."""

from __future__ import annotations

from collections import Counter as Counts
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_UNREAD = "unread"  # stands for the route of requests whose address nobody looked at
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH"})


class Metrics:
    """Counters of one service.

    disconnected: clients that went away before their request was whole, or their page was read. images, runs: what the
    network read, and in how many runs; images / runs is the mean batch. corrections: pictures kept.
    """

    def __init__(self) -> None:
        registry = CollectorRegistry()
        asked = ["route", "method", "status"]
        self._registry = registry
        self._requests = Counter("digits_requests", "Requests answered.", asked, registry=registry)
        self._seconds = Histogram(
            "digits_request_seconds", "Seconds from headers to answer.", ["route"], buckets=_SECONDS, registry=registry
        )
        self._refused = Counter("digits_refused", "Requests refused, by code.", ["code"], registry=registry)
        self.disconnected = Counter("digits_disconnected", "Clients gone before they were answered.", registry=registry)
        self.images = Counter("digits_images", "Images that the network read.", registry=registry)
        self.runs = Counter("digits_runs", "Runs of the network.", registry=registry)
        self.corrections = Counter("digits_corrections", "Corrected pictures kept.", registry=registry)
        self._turned_away = Counter("digits_turned_away", "Requests refused unread.", registry=registry)
        self._turned_away_so_far = 0
        self._misread_so_far: Counts[tuple[int, str]] = Counts()
        ProcessCollector(namespace="digits", registry=registry)

    def gauge(self, name: str, meaning: str, value: Callable[[], float]) -> None:
        """Show a number that is asked for whenever somebody looks."""
        Gauge(name, meaning, registry=self._registry).set_function(value)

    def observe_run(self, images: int) -> None:
        """Count one run of the network."""
        self.runs.inc()
        self.images.inc(images)

    def observe_request(self, route: str, method: str, status: int, seconds: float, code: str) -> None:
        """Count one request. route: the pattern that it matched, never what a client wrote. code: of its error."""
        self._requests.labels(route, method if method in _METHODS else "other", str(status)).inc()
        self._seconds.labels(route).observe(seconds)
        if code:
            self._refused.labels(code).inc()

    def observe_turned_away(self, count: int) -> None:
        """Count requests that a full service refused unread, of which there were ``count`` since it began.

        Called when somebody looks: so a refusal costs nothing more.
        """
        new, self._turned_away_so_far = count - self._turned_away_so_far, count
        if new:
            self._turned_away.inc(new)
            self._requests.labels(_UNREAD, "POST", "503").inc(new)
            self._refused.labels("busy").inc(new)

    def observe_misread(self, counts: Counts[tuple[int, str]]) -> None:
        """Count answers to what could not be read as a request: so many by status and code, since the service began."""
        new, self._misread_so_far = counts - self._misread_so_far, counts.copy()
        for (status, code), count in new.items():
            self._requests.labels(_UNREAD, "other", str(status)).inc(count)
            self._refused.labels(code).inc(count)

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self._registry)


__all__ = ["CONTENT_TYPE", "Metrics"]
