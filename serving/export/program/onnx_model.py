"""The model's arithmetic with ONNX Runtime: model.onnx."""
import os

import onnxruntime


class Model:
    def __init__(self, folder):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # Threads that wait give their core away.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.session = onnxruntime.InferenceSession(
            os.path.join(folder, "model.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def run(self, inputs):
        """inputs: arrays by name. Gives [rows, labels] probabilities or [rows] values."""
        return self.session.run(None, inputs)[0]
