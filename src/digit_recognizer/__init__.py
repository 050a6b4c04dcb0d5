"""Reads handwritten digits. The public names, one explicit list; importing it stays quick.

>>> from digit_recognizer import Recognizer, load
>>> data = load("sample")
>>> Recognizer("runs/sample").predict(data.test)[0].digit        # doctest: +SKIP
7
"""

from digit_recognizer._version import __version__
from digit_recognizer.digits import Dataset, Digits
from digit_recognizer.errors import DigitsError
from digit_recognizer.reading import Reading
from digit_recognizer.recognizer import Recognizer
from digit_recognizer.sources.catalog import load

__all__ = ["Dataset", "Digits", "DigitsError", "Reading", "Recognizer", "__version__", "load"]
