"""Reads handwritten digits. The public names, one explicit list; importing it stays quick."""

from digit_recognizer._version import __version__
from digit_recognizer.digits import Dataset, Digits
from digit_recognizer.errors import DigitsError
from digit_recognizer.reading import Reading

__all__ = ["Dataset", "Digits", "DigitsError", "Reading", "__version__"]
