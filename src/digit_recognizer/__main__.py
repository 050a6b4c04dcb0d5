"""The command digits, also as ``python -m digit_recognizer``: Ctrl-C is heard from the first moment on.

Knows nothing of what the command does: that is loaded here, which takes a while.
"""

import os
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import NoReturn

__all__ = ["main"]


def main() -> NoReturn:
    """Load the command and run it. Raises SystemExit with its exit code."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # a shell may have told us to ignore it
        signal.signal(signal.SIGINT, _stop)  # an exception would end as a traceback of whatever was being imported
    from digit_recognizer.apps.cli import main as run

    try:
        signal.signal(signal.SIGINT, before)
        run()
    except KeyboardInterrupt:
        _stop()


def _stop(number: int = signal.SIGINT, frame: FrameType | None = None) -> NoReturn:
    """Say what the command itself would say, and end at once."""
    with suppress(OSError):  # closed, or nobody reads it any more: the exit code still tells
        os.write(2, b"error: stopped\n")
        if "--json" in sys.argv:
            os.write(1, b'{"error": {"code": "interrupted", "message": "stopped"}}\n')
    os._exit(128 + number)


if __name__ == "__main__":
    try:
        main()
    except SystemExit as end:
        from digit_recognizer.apps.outcome import leave

        leave(end.code if isinstance(end.code, int) else int(end.code is not None))
