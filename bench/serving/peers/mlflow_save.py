"""mlflow_save.py OUT: the classifier as an MLflow model of its own class."""
import pathlib
import shutil
import sys

import mlflow


class Trec(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        import joblib

        self.pipeline = joblib.load(context.artifacts["pipeline"])

    def predict(self, context, model_input, params=None):
        probabilities = self.pipeline.predict_proba(model_input["text"].tolist())
        labels = self.pipeline.classes_[probabilities.argmax(axis=1)]
        return [{"label": str(label), "probabilities": row} for label, row in zip(labels, probabilities.tolist())]


out = pathlib.Path(sys.argv[1])
shutil.rmtree(out / "mlflow", ignore_errors=True)
mlflow.pyfunc.save_model(
    str(out / "mlflow"),
    python_model=Trec(),
    artifacts={"pipeline": str(out / "model.joblib")},
    pip_requirements=[],
    signature=mlflow.models.ModelSignature(inputs=mlflow.types.Schema([mlflow.types.ColSpec("string", "text")])),
)
