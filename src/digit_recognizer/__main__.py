"""``python -m digit_recognizer``: the command digits, as torchrun starts it."""

from digit_recognizer.apps.cli import main
from digit_recognizer.apps.outcome import leave

__all__: list[str] = []

if __name__ == "__main__":
    try:
        main()
    except SystemExit as end:
        leave(end.code if isinstance(end.code, int) else int(end.code is not None))
