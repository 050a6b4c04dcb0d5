"""The training of the line reader: runs of digits that touch, composed, learnt, exported as one ONNX file."""
