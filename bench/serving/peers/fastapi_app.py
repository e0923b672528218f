"""FastAPI as people write it."""
from classifier import Classifier
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
classifier = Classifier()


class Question(BaseModel):
    texts: list[str]


@app.post("/predict")
async def predict(question: Question):
    return classifier.answer(question.texts)
