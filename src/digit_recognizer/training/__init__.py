"""Digits become a trained network, a run folder and model.onnx. Needs the extra [train]."""
