"""Volumes of other widths and later weeks are made from the ones at hand, labels and all."""

import numpy as np
import pytest

from inference.training.input_gate.vgg16_gate.material import items
from inference.training.synthesis.atlas import VENTRICLES, moved, walls_moved, widest_mm
from inference.training.synthesis.late import CORTEX, OUTER_FLUID, gyrified
from inference.training.ventricles.volumes import true_widths


def labelled(width=9.0):
    """A brain of labels (slices, rows, columns) at 0.8 mm: two ventricles, thalami, a cortex."""
    z, y, x = np.mgrid[:60, :120, :100].astype(float)
    u, v, w = (x - 49.5) / 38, (y - 59.5) / 50, (z - 29.5) / 30
    labels = np.where(u * u + v * v + w * w < 1, 1, 0).astype(np.int16)
    for side in (-1, 1):
        tube = ((x - 49.5 - side * 15) / (width / 1.6)) ** 2 + ((y - 74) / 26) ** 2 + ((z - 30) / 12) ** 2 < 1
        labels[tube & (labels > 0)] = VENTRICLES
    labels[(np.hypot((x - 49.5) / 8, (y - 45) / 10) < 1) & (np.abs(z - 30) < 8)] = 6
    return labels


def test_moved_walls_give_the_width_that_was_wanted_and_folds_leave_ventricles_alone():
    labels = labelled()
    picture = np.choose(labels.clip(0, 6), [0, 0.5, 1.0, 0.5, 1.0, 0.4, 0.45]).astype(np.float32)
    before = true_widths(labels)
    assert len(before) == 2
    narrow = walls_moved(picture, labels, 2.0)[1]
    assert max(true_widths(narrow)) == pytest.approx(max(before) - 3.2, abs=0.9)
    shown, folded = gyrified(np.random.default_rng(1), picture, labels)
    assert ((folded == VENTRICLES) == (labels == VENTRICLES)).all()
    assert true_widths(folded) == before
    assert (folded == OUTER_FLUID).sum() > 200
    assert (folded == CORTEX).sum() > 1000
    assert shown[folded == OUTER_FLUID].mean() > shown[folded == CORTEX].mean()
    assert ((shown > 0) <= (labels > 0)).all()


def test_a_slice_is_folded_like_a_volume_and_keeps_its_ventricles():
    labels = labelled()[30]
    picture = np.choose(labels.clip(0, 6), [0, 0.5, 1.0, 0.5, 1.0, 0.4, 0.45]).astype(np.float32)
    shown, folded = gyrified(np.random.default_rng(2), picture, labels)
    again, _ = gyrified(np.random.default_rng(2), picture, labels)
    assert (shown == again).all()
    assert ((folded == VENTRICLES) == (labels == VENTRICLES)).all()
    assert (folded == OUTER_FLUID).any()


def test_walls_of_a_slice_move_to_the_width_that_is_wanted():
    labels = labelled(16.0)[30]
    picture = (labels > 0).astype(np.float32)
    for wanted in (6.0, 9.0):
        assert widest_mm(moved(picture, labels, wanted)[1] == VENTRICLES) == pytest.approx(wanted, abs=1.0)


def test_the_gate_learns_late_brains_and_meets_mri_that_is_ultrasound(tmp_path):
    """Whatever the share of pictures, some of either modality are declared as the other."""
    (tmp_path / "ultrasound").mkdir()
    (tmp_path / "ultrasound" / "labels.csv").write_text("file,label,group\na.png,normal,patient-1\n")
    (tmp_path / "mri" / "one").mkdir(parents=True)
    (tmp_path / "mri" / "one" / "srr.nii.gz").touch()
    for share in (0.25, 0.8, 1.0):
        asked = items(tmp_path, share, 1000, "mri")
        assert sum(one.kind == "late_mri" for one in asked) == round(110 * share)
        assert any(one.kind == "real_ultrasound" and one.swapped for one in asked)
        assert {one.declared for one in asked} == {"mri"}
