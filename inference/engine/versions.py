"""One door to versions of either kind: networks that know classes, and networks that measure."""

from collections.abc import Sequence
from dataclasses import replace

from inference.engine import predict as classes
from inference.engine.explain.explainers import CannotExplain
from inference.engine.measuring.answer import MeasuringModel, load_measuring, measured_answers, member_widths
from inference.engine.records import MEASURING_NETWORKS, Answer, WeightsRecord
from inference.engine.weights import loaded_model
from inference.engine.weights.loaded_model import LoadedModel
from inference.formats.stack import PictureStack

Model = LoadedModel | MeasuringModel


def load(record: WeightsRecord, content: bytes, *, device: str = "cpu", backend: str | None = None) -> Model:
    """From a weights file to what answers. device, backend: of a network that knows classes.

    Raises WeightsMismatch.
    """
    if record.network in MEASURING_NETWORKS:
        return load_measuring(record, content)
    model = loaded_model.load(record, content, device=device, backend=backend)
    return replace(model, widths=member_widths(record, content)) if model.measures else model


def predict(
    model: Model,
    stacks: Sequence[PictureStack],
    *,
    frames: Sequence[Sequence[int] | None] | None = None,
    ages_days: Sequence[int | None] | None = None,
) -> list[Answer]:
    """One answer for each scan, in order; a scan that is not analysable gets its reason.

    frames: for each scan the frames a person chose, or None for the rule. ages_days: for each the gestational
    age that its case states, or None. Raises NumericalError.
    """
    if isinstance(model, MeasuringModel):
        return measured_answers(model, stacks, frames=frames, ages_days=ages_days)
    return classes.predict(model, stacks, frames=frames, ages_days=ages_days)


def explainable(model: Model) -> LoadedModel:
    """A network that maps can be made of. Raises CannotExplain: of what measures, the calipers say why."""
    if isinstance(model, MeasuringModel):
        raise CannotExplain("It measures: its calipers are its explanation.")
    return model
