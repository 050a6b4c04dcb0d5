"""scikit-learn's digits become src/digit_recognizer/assets/sample.npz: the raw 8x8 images and their labels.

Run once, with the dev extra installed: python tools/make_sample.py. The same bytes come out each time.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

TARGET = Path(__file__).parents[1] / "src" / "digit_recognizer" / "assets" / "sample.npz"


def main() -> None:
    """Write the asset. np.savez would stamp the time of day into the zip; this writes none."""
    digits = load_digits()
    arrays = {"images": digits.images.astype(np.uint8), "labels": digits.target.astype(np.uint8)}
    with zipfile.ZipFile(TARGET, "w") as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.ascontiguousarray(array), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=9)


if __name__ == "__main__":
    main()
