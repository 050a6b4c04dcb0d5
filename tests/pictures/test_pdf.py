"""Pages of a PDF become grey pixels and single pictures with names, or one named error."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digit_recognizer.errors import FileError, InputError
from digit_recognizer.pictures.collect import collect, is_one
from digit_recognizer.pictures.load import load_grey
from digit_recognizer.pictures.pdf import LONGEST, PdfPage, count_pages, is_pdf, page_of_name


def pdf_of(levels: Sequence[int], size: tuple[int, int] = (200, 100), dpi: int = 72) -> bytes:
    """A PDF with a page for each grey level, a black bar in its left half; size: (width, height) in pixels."""
    pages = []
    for level in levels:
        page = Image.new("L", size, level)
        page.paste(0, (size[0] // 4, size[1] // 4, size[0] // 4 + size[0] // 10, size[1] * 3 // 4))
        pages.append(page)
    file = io.BytesIO()
    pages[0].save(file, "PDF", save_all=True, append_images=pages[1:], resolution=dpi)
    return file.getvalue()


def locked() -> bytes:
    """A PDF of one empty page, encrypted with a password that nobody knows (40 bits, revision 2)."""
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] >>",
        b"<< /Filter /Standard /V 1 /R 2 /O <" + b"11" * 32 + b"> /U <" + b"22" * 32 + b"> /P -4 >>",
    ]
    content, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(content))
        content += b"%d 0 obj\n" % number + part + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"<< /Size 5 /Root 1 0 R /Encrypt 4 0 R /ID [<" + b"33" * 16 + b"> <" + b"33" * 16 + b">] >>"
    start = b"%d" % len(content)
    return content + b"xref\n0 5\n0000000000 65535 f \n" + table + b"trailer\n" + trailer + (
        b"\nstartxref\n" + start + b"\n%%EOF\n"
    )  # fmt: skip


@pytest.fixture
def pdfium() -> None:
    pytest.importorskip("pypdfium2", reason="the extra pdf is not installed")


@pytest.mark.usefixtures("pdfium")
def test_each_page_shows_what_was_drawn_on_it() -> None:
    content = pdf_of([255, 180, 90])
    assert count_pages(content, name="a.pdf") == 3
    for number, level in enumerate([255, 180, 90], 1):
        grey = PdfPage(content, number).grey(name="a.pdf", max_pixels=40_000_000)
        height, width = grey.shape
        assert abs(int(grey[height // 2, width * 3 // 4]) - level) <= 3
        assert grey[height // 2, round(width * 0.3)] <= 3


@pytest.mark.usefixtures("pdfium")
@pytest.mark.parametrize(("inches", "dpi"), [((2.0, 1.0), 300), ((8.27, 11.69), LONGEST / 11.69), ((20.0, 30.0), 200)])
def test_pages_have_200_to_300_dots_an_inch(inches: tuple[float, float], dpi: float) -> None:
    content = pdf_of([255], (round(72 * inches[0]), round(72 * inches[1])))
    height, width = PdfPage(content, 1).grey(name="a.pdf", max_pixels=40_000_000).shape
    assert abs(width - inches[0] * dpi) <= 3
    assert abs(height - inches[1] * dpi) <= 3


@pytest.mark.usefixtures("pdfium")
def test_a_page_that_would_have_too_many_pixels_is_rendered_smaller() -> None:
    grey = PdfPage(pdf_of([255], (1440, 720)), 1).grey(name="poster.pdf", max_pixels=100_000)
    assert 95_000 < grey.size <= 100_000
    assert abs(grey.shape[1] / grey.shape[0] - 2) < 0.02


@pytest.mark.usefixtures("pdfium")
def test_a_pdf_is_its_pages_where_documents_are_wanted_and_no_picture_elsewhere(tmp_path: Path) -> None:
    content = pdf_of([255, 90])
    path = tmp_path / "form.pdf"
    path.write_bytes(content)
    Image.new("L", (9, 9), 255).save(tmp_path / "a.png")
    names = [picture.name for picture in collect(tmp_path, documents=True)]
    assert names == [f"{tmp_path}/a.png", f"{path}#1", f"{path}#2"]
    assert [picture.name for picture in collect(str(tmp_path / "*.pdf"), documents=True)] == names[1:]
    assert [picture.name for picture in collect(content, documents=True)] == ["1#1", "1#2"]
    assert [picture.name for picture in collect(tmp_path)] == names[:1]
    assert not is_one(path, documents=True)
    assert not is_one(content, documents=True)
    with pytest.raises(InputError, match="found a PDF"):
        load_grey(path)


@pytest.mark.usefixtures("pdfium")
def test_one_page_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "form.pdf"
    path.write_bytes(pdf_of([255, 90]))
    (second,) = collect(f"{path}#2", documents=True)
    assert second.name == f"{path}#2"
    assert abs(int(second.grey()[5, 5]) - 90) <= 3
    assert is_one(f"{path}#2", documents=True)
    (ninth,) = collect(f"{path}#9", documents=True)
    with pytest.raises(InputError, match="expected a page from 1 to 2, found 9") as caught:
        ninth.grey()
    assert caught.value.code == "no_page"
    (missing,) = collect(str(tmp_path / "none.pdf"), documents=True)
    with pytest.raises(FileError):
        missing.grey()


@pytest.mark.usefixtures("pdfium")
def test_a_file_whose_name_only_looks_like_a_page_is_read_as_it_is(tmp_path: Path) -> None:
    Image.new("L", (9, 9), 70).save(tmp_path / "form.pdf#2", "PNG")
    (found,) = collect(str(tmp_path / "form.pdf#2"), documents=True)
    assert found.grey().tolist() == np.full((9, 9), 70).tolist()


@pytest.mark.usefixtures("pdfium")
def test_a_pdf_that_is_locked_truncated_or_broken_is_answered_with_a_sentence() -> None:
    content = pdf_of([255, 90])
    with pytest.raises(InputError, match="opens without a password"):
        count_pages(locked(), name="locked.pdf")
    for part in range(1, 32):
        with pytest.raises(InputError, match=r"cut\.pdf: expected a whole PDF") as caught:
            count_pages(content[: len(content) * part // 32], name="cut.pdf")
        assert caught.value.code == "truncated_image"
    with pytest.raises(InputError, match="expected a whole PDF"):
        count_pages(b"%PDF-1.7\nnothing\n%%EOF", name="empty.pdf")


@pytest.mark.usefixtures("pdfium")
def test_random_damage_ends_in_a_sentence_or_in_pixels() -> None:
    content = pdf_of([200])
    rng = np.random.default_rng(3)
    for _ in range(60):
        broken = bytearray(content)
        for place in rng.integers(9, len(content) - 8, int(rng.integers(1, 12))):
            broken[place] = int(rng.integers(256))
        try:
            size = PdfPage(bytes(broken), 1).grey(name="broken.pdf", max_pixels=1_000_000).size
        except InputError as error:
            size = 1
            message = str(error)
        else:
            message = "broken.pdf: expected nothing less"
        assert 0 < size <= 1_010_000
        assert message.startswith("broken.pdf: expected ")


@pytest.mark.usefixtures("pdfium")
def test_pages_rendered_by_many_threads_are_those_rendered_by_one() -> None:
    content = pdf_of([255, 180, 90, 40])
    pages = [PdfPage(content, number) for number in range(1, 5)] * 3
    alone = [page.grey(name="a.pdf", max_pixels=200_000) for page in pages]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda page: page.grey(name="a.pdf", max_pixels=200_000), pages))
    assert all(np.array_equal(one, other) for one, other in zip(alone, together, strict=True))


def test_without_its_extra_a_pdf_is_refused_with_the_install_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    path = tmp_path / "form.pdf"
    path.write_bytes(pdf_of([255]))
    (only,) = collect(path, documents=True)
    with pytest.raises(InputError) as caught:
        only.grey()
    assert caught.value.code == "unsupported_image"
    assert str(caught.value) == f'{path}: reading a PDF needs an extra: pip install "digit-recognizer[pdf]"'


def test_names_of_pages_and_first_bytes_of_pdfs() -> None:
    assert page_of_name("a#1.PDF#12") == ("a#1.PDF", 12)
    assert page_of_name("a.png#2") is None
    assert is_pdf(b"\r\n%PDF-1.4")
    assert not is_pdf(Path("nowhere.pdf"))
