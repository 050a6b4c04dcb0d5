#!/usr/bin/env bash
# The tables of docs/results.md on training, reading, robustness (validation digits) and batch, in order:
#     bash benchmarks/all.sh PYTHON
# Those on pages, trials, ranks and the service have scripts and commands of their own, which stand above them there.
#
# Needs DIGITS_DATA: a folder with Kaggle's digit-recognizer.zip. MNIST is taken from there too, or downloaded.
# SEEDS (3) and SEEDS_BEST (3) say how many trainings of each preset; 0 leaves them out. `best` takes up to 45 minutes a
# seed on two cores. MNIST's t10k is not read here: seeds.py --protocol mnist is for final figures, by hand.
set -euo pipefail

python=${1:?usage: bash benchmarks/all.sh PYTHON}
here=$(dirname "$0")

fail() {
    echo "error: $1" >&2
    exit 3
}
[ -n "${DIGITS_DATA:-}" ] || fail "DIGITS_DATA is not set; set it to a folder that holds Kaggle's digit-recognizer.zip"
[ -f "$DIGITS_DATA/digit-recognizer.zip" ] || fail "$DIGITS_DATA/digit-recognizer.zip is missing; fetch Kaggle's \"Digit Recognizer\" data and put the zip there"
# Now, not after an hour: MNIST is there, or can be had, and TensorFlow starts.
PYTHONPATH="$here" "$python" -c 'from common import load_labelled; load_labelled("mnist")'
"$python" "$here/notebook_in_keras.py" --help >/dev/null 2>&1 || fail "TensorFlow does not start; run: make benchmark"

model=$(mktemp -d)
trap 'rm -rf "$model"' EXIT

"$python" "$here/read_csv.py"
echo
"$python" "$here/training_vs_keras.py"
"$python" -m digit_recognizer.apps.cli train "$DIGITS_DATA/digit-recognizer.zip" --preset fast -o "$model/fast" >/dev/null
"$python" "$here/inference_vs_keras.py" --model "$model/fast"
echo
"$python" "$here/robustness.py" --validation
echo
"$python" "$here/batch_local.py"
"$python" "$here/batch_ray.py"
"$python" "$here/drift.py"
if [ "${SEEDS:-3}" -gt 0 ]; then
    "$python" "$here/seeds.py" --preset fast --seeds "${SEEDS:-3}"
fi
if [ "${SEEDS_BEST:-3}" -gt 0 ]; then
    "$python" "$here/seeds.py" --preset best --seeds "${SEEDS_BEST:-3}"
fi
