"""How each network that measures is opened and asked; the one place that tells them apart.

What is known of them without opening them stands in `inference.engine.records.MEASURING_NETWORKS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from inference.engine.atrium.measure import STEPS, Measurer, measurer_of, networks_of
from inference.engine.atrium.scan import RECIPE as ULTRASOUND
from inference.engine.atrium.scan import ScanAtria, measure_prepared, refuse_unread
from inference.engine.backends.graphs import Tensors
from inference.engine.records import ATRIUM, VENTRICLES, Prepared, Recipe
from inference.engine.ventricles import painter, scan
from inference.formats.stack import PictureStack

Measure = Callable[[PictureStack, Prepared, int | None, bool], ScanAtria]
"""A scan, its heads as the gate has let them through, the gestational age in days, whether a person chose the
frames."""


@dataclass(frozen=True)
class Way:
    """What is particular to one network that measures.

    recipe: finds the head and asks the gate. refuse: raises Refusal for scans that it cannot measure,
    whatever they show. open: from a weights file and the numbers that were settled with it; raises Mismatch,
    SafetensorError or WrongTensors. graphs: those that its file holds the weights of, by how the names of
    their tensors begin; untried: from tensors of these, every atrium counting. rule: how one frame of several
    is taken, in words.
    """

    recipe: Recipe
    refuse: Callable[[PictureStack], None]
    open: Callable[[bytes, Mapping[str, Any]], Measure]
    graphs: Mapping[str, str]
    untried: Callable[[Tensors], Measure]
    rule: str


def _by_atrium(measurer: Measurer) -> Measure:
    return lambda stack, prepared, age_days, _: measure_prepared(measurer, stack, prepared, age_days)


def _by_ventricles(painted_by: painter.Painter) -> Measure:
    return lambda stack, prepared, _, chosen: scan.measure_prepared(
        painted_by, stack, prepared, chosen=chosen
    )


def _untried_atrium(tensors: Tensors) -> Measure:
    return _by_atrium(Measurer(networks_of(tensors), 0.0, 1.0, {}))


def _untried_ventricles(tensors: Tensors) -> Measure:
    return _by_ventricles(painter.Painter(painter.looker(tensors), 1.0, 0.0, 0.0, {}))


WAYS: Mapping[str, Way] = {
    ATRIUM: Way(
        recipe=ULTRASOUND,
        refuse=refuse_unread,
        open=lambda content, settled: _by_atrium(measurer_of(content, settled)),
        graphs={f"{name}.": f"atrium_{name}" for name in STEPS},
        untried=_untried_atrium,
        rule="the frame in which an atrium is surest",
    ),
    VENTRICLES: Way(
        recipe=scan.RECIPE,
        refuse=scan.refuse_unread,
        open=lambda content, settled: _by_ventricles(painter.painter_of(content, settled)),
        graphs={"": "ventricles"},
        untried=_untried_ventricles,
        rule="the slice through the thalami whose atria are widest",
    ),
}
