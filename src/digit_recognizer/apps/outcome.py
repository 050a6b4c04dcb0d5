"""How a command ended becomes an exit code, one sentence on stderr and, where asked for, one JSON document on stdout.

Knows nothing of what the command did.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

import typer

from digit_recognizer.errors import DigitsError, Interrupted, MissingExtra


def leave(code: int) -> NoReturn:
    """End this process with an exit code.

    Started by torchrun, at once: the threads of gloo may still be there when Python takes the process down, and end it
    with an abort, which torchrun would take for a lost rank.
    """
    if "TORCHELASTIC_RUN_ID" in os.environ:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None and not stream.closed:
                stream.flush()
        os._exit(code)
    sys.exit(code)


def close_output() -> None:
    """Flush stdout where anybody still reads it; else Python would complain of it at its very end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def tell(error: BaseException, as_json: bool, called: str = "digits") -> int:
    """Say what went wrong, once; returns the exit code. called: the command, where the error itself does not know."""
    if isinstance(error, BrokenPipeError):  # the reader of our output went away, as `head` does
        return 0
    if os.environ.get("DIGITS_DEBUG"):
        import traceback

        traceback.print_exception(error)
    if isinstance(error, Interrupted):
        code, word, message = 128 + error.signal_number, error.code, str(error)
    elif isinstance(error, DigitsError):
        code, word, message = error.exit_code, error.code, str(error)
    elif isinstance(error, KeyboardInterrupt | typer.Abort):
        code, word, message = 130, "interrupted", "stopped"
    elif hasattr(error, "format_message"):  # typer's own: an unknown option, a missing argument
        context = getattr(error, "ctx", None)
        about = context.command_path if context is not None else called
        code, word, message = 2, "usage", f"{error.format_message().rstrip('.')}; try: {about} --help"
    elif isinstance(error, MemoryError):
        code, word, message = 5, "out_of_memory", "not enough memory for this"
    elif isinstance(error, OSError):
        what = f"{error.filename}: " if error.filename else ""
        code, word, message = 5, "io_error", f"{what}reading or writing failed ({error.strerror or error})"
    else:
        code, word = 1, "unexpected"
        message = f"unexpected {type(error).__name__}: {error} (once more with digits --debug ... shows where)"
    with suppress(OSError):  # with 2>&1 | head, both streams may be gone: the exit code still tells
        print(f"error: {message}", file=sys.stderr)
    if as_json:
        with suppress(OSError):  # stdout may be what failed
            print(json.dumps({"error": {"code": word, "message": message}}, ensure_ascii=False), flush=True)
    return code


@contextmanager
def needs(extra: str, purpose: str) -> Iterator[None]:
    """Turn a missing library of an extra into MissingExtra, with the install command."""
    training = ("torch", "onnx", "onnxscript", "safetensors", "filelock")
    libraries = {
        "train": training,
        "report": ("matplotlib", "jinja2"),
        "sklearn": ("sklearn", *training),
        "batch": ("filelock", "fsspec", "pyarrow"),
        "scale": ("ray",),
        "serve": ("fastapi", "h11", "prometheus_client", "python_multipart", "starlette", "uvicorn"),
    }
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in libraries[extra]:
            raise
        raise MissingExtra(extra, purpose) from error


__all__ = ["close_output", "leave", "needs", "tell"]
