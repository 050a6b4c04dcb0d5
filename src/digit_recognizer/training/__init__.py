"""Digits become a trained network, a run folder and model.onnx. Needs the extra [train]."""

import os

# GNU's OpenMP lets a waiting thread spin for long. Where something else runs on the machine, that made training here
# more than ten times slower; a short spin costs a quiet machine nothing that could be measured (docs/log.md). It is
# read once, when torch loads it, so it is said here, before any module of this wing imports torch.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "60000")
