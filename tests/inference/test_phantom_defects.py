"""Graded defects must degrade, step by step, what they are named after; borders must not tell the label."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, laplace
from scipy.stats import rankdata

from inference.formats.stack import MODALITIES, Modality
from inference.phantom import Defects, Phantom, render, sample_spec

LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0)
SEEDS = range(6)


def roughness(phantom: Phantom) -> float:
    """Grey that is gone after slight smoothing, inside the head: noise."""
    grey = phantom.pixels.astype(np.float32)
    return float(np.abs(grey - gaussian_filter(grey, 1.0))[phantom.head].mean())


def sharpness(phantom: Phantom) -> float:
    return float(np.abs(laplace(phantom.pixels.astype(np.float32))).mean())


def brightness(phantom: Phantom) -> float:
    return float(phantom.pixels[phantom.head].mean())


def saturation(phantom: Phantom) -> float:
    return float((phantom.pixels > 250).mean())


def likeness(phantom: Phantom) -> float:
    """Correlation with the clean acquisition of the same head and seed."""
    clean = render(phantom.spec, phantom.look, seed=phantom.seed, size=phantom.pixels.shape[0])
    return float(np.corrcoef(clean.pixels.ravel(), phantom.pixels.ravel())[0, 1])


def head_area(phantom: Phantom) -> float:
    return float(phantom.head.sum())


def ventricle_area(phantom: Phantom) -> float:
    return float(phantom.ventricles.sum())


def mean_over_heads(look: Modality, defect: str, level: float, measure: Callable[[Phantom], float]) -> float:
    return float(
        np.mean(
            [
                measure(
                    render(
                        sample_spec(np.random.default_rng(seed)),
                        look,
                        seed=seed,
                        defects=Defects(**{defect: level}),
                        size=128,
                    )
                )
                for seed in SEEDS
            ]
        )
    )


@pytest.mark.parametrize("look", MODALITIES)
@pytest.mark.parametrize(
    ("defect", "measure", "direction"),
    [
        ("noise", roughness, 1),
        ("motion", likeness, -1),
        ("shadow", brightness, -1),
        ("crop", head_area, -1),
        ("tilt", ventricle_area, -1),
        ("blur", sharpness, -1),
        ("gain", saturation, 1),
    ],
)
def test_each_defect_degrades_its_own_quantity_step_by_step(
    look: Modality, defect: str, measure: Callable[[Phantom], float], direction: int
) -> None:
    values = [mean_over_heads(look, defect, level, measure) for level in LEVELS]
    assert all(direction * step > 0 for step in np.diff(values)), values


def test_a_tilted_plane_changes_the_picture_and_not_the_truth() -> None:
    spec = sample_spec(np.random.default_rng(2), label="ventriculomegaly")
    straight, tilted = (render(spec, "mri", seed=1, defects=Defects(tilt=tilt)) for tilt in (0.0, 1.0))
    assert tilted.atrial_width_mm == straight.atrial_width_mm
    assert tilted.label == straight.label


@pytest.mark.parametrize("level", [-0.1, 1.1, float("nan")])
def test_a_defect_outside_its_scale_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match="noise"):
        Defects(noise=level)


def border_features(phantom: Phantom) -> list[float]:
    """Simple statistics of the outer ring, one twelfth of the side wide, head excluded."""
    width = phantom.pixels.shape[0] // 12
    ring = np.ones(phantom.pixels.shape, dtype=bool)
    ring[width:-width, width:-width] = False
    grey = phantom.pixels[ring & ~phantom.head].astype(np.float32)
    low, middle, high = np.percentile(grey, [10, 50, 95])
    return [float(value) for value in (grey.mean(), grey.std(), low, middle, high, (grey > 200).mean())]


def area_under_curve(values: np.ndarray, positive: np.ndarray) -> float:
    ranks, count = rankdata(values), int(positive.sum())
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * (len(values) - count)))


@pytest.mark.parametrize("look", MODALITIES)
def test_the_border_does_not_tell_the_label(look: Modality) -> None:
    phantoms = [
        render(sample_spec(np.random.default_rng(seed)), look, seed=seed, size=96) for seed in range(200)
    ]
    positive = np.array([phantom.label == "ventriculomegaly" for phantom in phantoms])
    features = np.array([border_features(phantom) for phantom in phantoms])
    for column in features.T:
        # chance has a standard error of 0.041 with 100 pictures of each label
        assert area_under_curve(column, positive) == pytest.approx(0.5, abs=0.12)
