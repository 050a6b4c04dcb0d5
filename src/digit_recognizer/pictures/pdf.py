"""Pages of a PDF become grey pixels, as they would be printed. Needs the extra ``pdf``.

PDFium renders them, by way of pypdfium2. Knows nothing of what stands on a page: also printed text is only looked at.
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from digit_recognizer.errors import DigitsError, InputError
from digit_recognizer.files import open_bytes
from digit_recognizer.pictures.refusals import damaged, needs_extra

SUFFIX = ".pdf"
FEWEST_DPI, MOST_DPI = 200, 300  # dots per inch; digits of 2 mm are 16 to 24 pixels tall
LONGEST = 2400  # pixels: what is rendered larger the reader would shrink again

_POINTS = 72  # per inch
_TAIL = 1024  # bytes within which a whole file ends with its end mark (ISO 32000-1, annex H, note 18)
_PASSWORD, _SECURITY = 4, 5  # FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY

# PDFium must not be used by two threads at once, whatever document they have open.
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True, slots=True, eq=False)
class PdfPage:
    """One page, not rendered yet. content: the whole file, which all of its pages share. number: from 1."""

    content: bytes
    number: int

    def grey(self, *, name: str, max_pixels: int) -> npt.NDArray[np.uint8]:
        """Its pixels on white, uint8 (H, W), forms filled in as they are, at 200 to 300 dots an inch.

        The longer side has about 2400 pixels where that many dots give it; a page that would have more than
        ``max_pixels`` is rendered smaller. name: what errors call it.
        Raises InputError: without the extra, where the file or the page is damaged, or where there is no such page.
        """
        with _opened(self.content, name) as document:
            count = len(document)
            if not 1 <= self.number <= count:
                raise InputError(f"{name}: expected a page from 1 to {count:,}, found {self.number:,}", code="no_page")
            page = document[self.number - 1]
            width, height = page.get_size()
            if not (width > 0 and height > 0 and math.isfinite(width * height)):
                raise damaged(name, "PDF page")
            scale = _scale(width, height, max_pixels)
            bitmap = page.render(scale=scale, grayscale=True)
            pixels = np.array(bitmap.to_numpy(), np.uint8)  # a copy: the bitmap's own memory ends with it
            bitmap.close()
            page.close()
            return pixels


def is_pdf(source: Path | bytes) -> bool:
    """Whether a file, or its first bytes, begin as a PDF does. What cannot be read is none.

    >>> is_pdf(b"%PDF-1.7 ..."), is_pdf(b"GIF89a")
    (True, False)
    """
    if isinstance(source, bytes):
        return source[:16].lstrip().startswith(b"%PDF-")
    try:
        if not source.is_file():
            return False
        with open_bytes(source) as stream:
            return is_pdf(stream.read(16))
    except (DigitsError, OSError, ValueError):  # whoever opens it next says why not
        return False


def page_of_name(name: str) -> tuple[str, int] | None:
    """The file and the page that "form.pdf#2" means; None where the name says no page of a PDF.

    >>> page_of_name("scans/form.pdf#2"), page_of_name("form.pdf")
    (('scans/form.pdf', 2), None)
    """
    found = re.fullmatch(r"(.+\.pdf)#([0-9]{1,9})", name, re.IGNORECASE | re.DOTALL)
    return (found[1], int(found[2])) if found else None


def count_pages(content: bytes, *, name: str) -> int:
    """How many pages a PDF has, 1 or more. name: what errors call it.

    Raises InputError without the extra, where the file is truncated or damaged, locked by a password, or has no page.
    """
    with _opened(content, name) as document:
        count = len(document)
    if not count:
        raise InputError(f"{name}: expected a PDF with pages, found none", code="no_pictures")
    return count


@contextmanager
def _opened(content: bytes, name: str) -> Iterator[Any]:
    """The document, this thread alone having PDFium."""
    try:
        import pypdfium2
    except ModuleNotFoundError as error:
        raise needs_extra("pdf", name, "a PDF") from error
    # PDFium mends what it can, and would show half a scan for the whole.
    if b"%%EOF" not in content.rstrip(b"\0\t\r\n ")[-_TAIL:]:
        raise damaged(name, "PDF")
    with _ONE_AT_A_TIME:
        try:
            document = pypdfium2.PdfDocument(content)
        except pypdfium2.PdfiumError as error:
            if error.err_code in (_PASSWORD, _SECURITY):
                raise InputError(
                    f"{name}: expected a PDF that opens without a password; save a copy without one",
                    code="unsupported_image",
                ) from error
            raise damaged(name, "PDF") from error
        try:
            document.init_forms()
            yield document
        except (pypdfium2.PdfiumError, ValueError) as error:
            raise damaged(name, "PDF") from error
        finally:
            document.close()


def _scale(width: float, height: float, max_pixels: int) -> float:
    """Pixels for each point of a page of so many points."""
    wanted = LONGEST / max(width, height)
    scale = min(max(wanted, FEWEST_DPI / _POINTS), MOST_DPI / _POINTS)
    # A pixel less a side, for sides are rounded up.
    most = math.sqrt(max_pixels / (width * height)) * (1 - 1 / math.sqrt(max_pixels))
    return min(scale, most)


__all__ = ["FEWEST_DPI", "LONGEST", "MOST_DPI", "SUFFIX", "PdfPage", "count_pages", "is_pdf", "page_of_name"]
