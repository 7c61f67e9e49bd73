"""Images, model versions, jobs and what came of them. No table here knows a patient."""

from inference.models.answer import Explanation, Prediction, Repetition
from inference.models.image import Image
from inference.models.job import About, Job
from inference.models.quality import Quality
from inference.models.registry import Activation, Evaluation, ModelVersion
from inference.models.worker import Worker

__all__ = [
    "About",
    "Activation",
    "Evaluation",
    "Explanation",
    "Image",
    "Job",
    "ModelVersion",
    "Prediction",
    "Quality",
    "Repetition",
    "Worker",
]
