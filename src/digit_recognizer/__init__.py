"""Reads handwritten digits. The public names, one explicit list; each is loaded when it is first asked for.

>>> from digit_recognizer import Recognizer, load
>>> Recognizer().predict("my_seven.jpg").digit                    # doctest: +SKIP
7
>>> Recognizer().read("receipt.jpg").text                         # doctest: +SKIP
'4071 358'
>>> Recognizer().predict(load("sample").test)[0].accepted
True
"""

from typing import TYPE_CHECKING, Any

from digit_recognizer._version import __version__

if TYPE_CHECKING:
    from digit_recognizer.apps.classifier import DigitClassifier as DigitClassifier
    from digit_recognizer.digits import Dataset, Digits
    from digit_recognizer.errors import DigitsError
    from digit_recognizer.reading import Line, Page, Reading
    from digit_recognizer.recognizer import Recognizer
    from digit_recognizer.sources.catalog import load

_HOMES = {
    "Dataset": "digits",
    "DigitClassifier": "apps.classifier",  # needs an extra: not in __all__, so that import * works without it
    "Digits": "digits",
    "DigitsError": "errors",
    "Line": "reading",
    "Page": "reading",
    "Reading": "reading",
    "Recognizer": "recognizer",
    "load": "sources.catalog",
}

__all__ = ["Dataset", "Digits", "DigitsError", "Line", "Page", "Reading", "Recognizer", "__version__", "load"]


def __getattr__(name: str) -> Any:
    # numpy alone takes longer to load than all the rest of an import that may only want the version.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
