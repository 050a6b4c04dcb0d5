"""The words of ``digits serve`` become settings and a recognizer. Loads the web stack only when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from digit_recognizer.apps.options import MaxPixels, MinConfidence, Model, check_min_confidence
from digit_recognizer.apps.outcome import needs
from digit_recognizer.apps.predictions import pixel_limit
from digit_recognizer.errors import UsageError


def serve(
    host: Annotated[
        str, typer.Option(help="Where to listen; 0.0.0.0 lets other machines in, with --token-file or --allow-remote.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0: whichever is free.")] = 8000,
    model: Model = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="Another name that clients call this machine by.", show_default=False)
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(help="A file with the token that clients must send.", show_default=False)
    ] = None,
    min_confidence: MinConfidence = None,
    max_pixels: MaxPixels = None,
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Let other machines in without a token.")
    ] = False,
    keep_corrections: Annotated[
        Path | None,
        typer.Option(help="Keep what people correct in this folder, by digit, to train on.", show_default=False),
    ] = None,
) -> None:
    """Read digits over HTTP, with a page to draw on."""
    with needs("serve", "the service"):
        from digit_recognizer.apps.server.limits import Limits, ServerSettings, read_token
        from digit_recognizer.apps.server.process import serve as serve_until_stopped
    from digit_recognizer.recognizer import Recognizer

    check_min_confidence(min_confidence)
    token = None if token_file is None else read_token(token_file)
    limits = Limits(pixels=pixel_limit(max_pixels))
    settings = ServerSettings(host, port, tuple(allow_host or ()), token, keep_corrections, limits=limits)
    if not (settings.is_local or token or allow_remote):
        raise UsageError(
            f"--host {host} lets every machine that reaches this one use the service: ask for a token with "
            "--token-file, or say --allow-remote to do without"
        )
    # One thread for the network: its images are small, and decoding, framing and the connections want the other cores.
    recognizer = Recognizer(model, threads=1, min_confidence=min_confidence)
    raise typer.Exit(serve_until_stopped(recognizer, settings))


__all__ = ["serve"]
