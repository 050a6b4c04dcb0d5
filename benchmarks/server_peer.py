"""The peer of server_load.py: the network that ships, behind LitServe. Run by the Python of an environment of its own.

    PYTHON benchmarks/server_peer.py MODEL.onnx PORT [CORE]

Takes {"images": [28 rows of 28 numbers]} as JSON, answers {"digit", "confidence"}; gathers requests into batches.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import litserve
import numpy as np
import onnxruntime


class DigitsApi(litserve.LitAPI):  # type: ignore[misc]
    def setup(self, device: str) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])

    def decode_request(self, request):  # type: ignore[no-untyped-def]  # LitServe takes an annotation for a query
        return np.array(request["images"][0], np.uint8)

    def batch(self, inputs: list[Any]) -> np.ndarray[Any, Any]:
        return np.stack(inputs)

    def predict(self, images: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        outputs = [output.name for output in self.session.get_outputs()]
        answers = dict(zip(outputs, self.session.run(outputs, {"images": images}), strict=True))
        strange = answers.get("unfamiliarity", np.zeros(len(images), np.float32))
        return np.asarray(answers["probabilities"] * (1 - strange)[:, None])

    def unbatch(self, probabilities: Any) -> list[Any]:
        return list(probabilities)

    def encode_response(self, row: Any) -> dict[str, Any]:
        return {"digit": int(row.argmax()), "confidence": round(float(row.max()), 6)}


def main() -> None:
    if len(sys.argv) > 3 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(sys.argv[3])})
    api = DigitsApi(max_batch_size=64, batch_timeout=0.002)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1)
    server.run(
        host="127.0.0.1", port=int(sys.argv[2]), num_api_servers=1, generate_client_file=False, log_level="error"
    )


if __name__ == "__main__":
    main()
