"""Pen strokes of other writers, drawn on the page in a browser: how many are read right, and how soon one sees it.

    python benchmarks/server_page.py [--drawings 200]      # needs DIGITS_DATA, Chromium, and: pip install playwright

Drawings of the writers that training left out are drawn with pointer events on the pad of `digits serve`, point by
point, half of them with the thin pen. A drawing is right where the number that stands large is its label. The time runs
in the page itself, from lifting the pen to the change of that number.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

from common import print_heading, print_table
from digit_recognizer.sources.strokes import Drawing, read_strokes
from server_client import now, service

LEAST_RIGHT, MOST_FRAME_MS, MOST_ANSWER_MS = 0.98, 1000, 100
HELD_OUT = 6  # the last sixth of the file is of writers that training leaves out

# What the page is asked to note: when the pen was lifted last, and when the answer to that was shown.
_CLOCK = """
window.lifted = 0; window.shown = 0;
document.querySelector('#pad').addEventListener('pointerup', () => {
  window.lifted = performance.now();
  window.shown = 0;
}, true);
new MutationObserver(() => { if (!window.shown) window.shown = performance.now(); })
  .observe(document.querySelector('#number'), { childList: true, characterData: true, subtree: true });
"""
# Waits within the page: its policy lets nobody evaluate texts from outside again and again.
_WAITED = """async () => {
  while (!(window.shown > window.lifted)) await new Promise((resolve) => setTimeout(resolve, 5));
  return window.shown - window.lifted;
}"""
_FRAME = """async () => {
  for (;;) {
    const found = performance.getEntriesByType('paint').find((entry) => entry.name === 'first-contentful-paint');
    if (found) return found.startTime;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}"""


def draw(page: Any, drawing: Drawing, share: float) -> None:
    """Draw in the middle of the pad, its longer side ``share`` of the pad's shorter one."""
    points = np.concatenate(drawing.strokes).astype(float)
    low, extent = points.min(0), np.ptp(points, axis=0)
    box = page.locator("#pad").bounding_box()
    scale = share * min(box["width"], box["height"]) / max(1.0, float(extent.max()))
    corner = np.array([box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]) - extent * scale / 2
    for stroke in drawing.strokes:
        path = (stroke - low) * scale + corner
        page.mouse.move(*path[0])
        page.mouse.down()
        for x, y in path[1:]:
            page.mouse.move(x, y)
        page.mouse.up()


def main() -> None:
    arguments = _arguments()
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError as error:
        raise SystemExit("error: this benchmark needs Playwright: pip install playwright") from error
    browser_path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser_path is None:
        raise SystemExit("error: this benchmark needs Chromium: apt install chromium")
    print_heading("The page, drawn on", ("playwright", "fastapi", "uvicorn", "onnxruntime"))
    drawings = [drawing for drawing in read_strokes(arguments.strokes) if drawing.label is not None]
    held_out = drawings[-len(drawings) // HELD_OUT :]
    rng = np.random.default_rng(arguments.seed)
    chosen = [held_out[index] for index in rng.permutation(len(held_out))[: arguments.drawings]]
    wrong: list[str] = []
    waits: list[float] = []
    began = now()
    with service() as served, sync_playwright() as started:
        browser = started.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        frames = [_first_frame(browser, served.port, size) for size in ((1280, 800), (390, 844), (820, 1180))]
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"http://127.0.0.1:{served.port}/")
        page.evaluate(_CLOCK)
        for number, drawing in enumerate(chosen):
            page.keyboard.press("Delete")
            if number in (0, len(chosen) // 2):
                page.check(f"input[value={'thick' if number == 0 else 'thin'}]", force=True)
            draw(page, drawing, float(rng.uniform(0.4, 0.8)))
            waits.append(page.evaluate(_WAITED))
            said = page.inner_text("#number")
            if said != str(drawing.label):
                wrong.append(f"{drawing.label} as {said!r}")
        browser.close()
    right = 1 - len(wrong) / len(chosen)
    median, late = (float(np.quantile(waits, share)) for share in (0.5, 0.95))
    checks = [
        (f"of {len(chosen)} drawings right, at least {LEAST_RIGHT:.0%}", f"{right:.1%}", right >= LEAST_RIGHT),
        (f"from pen to number, median, at most {MOST_ANSWER_MS} ms", f"{median:.0f} ms", median <= MOST_ANSWER_MS),
        ("from pen to number, 95 % within", f"{late:.0f} ms", True),
        (f"first frame, slowest of 3 sizes, at most {MOST_FRAME_MS} ms", f"{max(frames):.0f} ms", max(frames) <= 1000),
    ]
    print_table(("check", "found", "met"), [(name, found, "yes" if met else "NO") for name, found, met in checks])
    print(f"{now() - began:.0f} s; seed {arguments.seed}; read wrong: {', '.join(wrong) or 'none'}")
    sys.exit(0 if all(met for _, _, met in checks) else 1)


def _first_frame(browser: Any, port: int, size: tuple[int, int]) -> float:
    """Milliseconds from asking for the page to its first painted text, in a browser that has cached nothing."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{port}/")
    found = float(page.evaluate(_FRAME))
    context.close()
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Pen strokes drawn on the page of digits serve.")
    data = os.environ.get("DIGITS_DATA")
    default = Path(data) / "pen_strokes_train.json.gz" if data else None
    parser.add_argument("strokes", type=Path, nargs="?" if default else None, default=default, help="pen strokes")
    parser.add_argument("--drawings", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
