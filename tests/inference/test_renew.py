"""The same weights behind another gate: what is answered is counted anew, what was learnt stays."""

import io

import numpy as np
import pytest

from inference.engine import catalogue
from inference.engine.networks.network import WIDE_RECIPES
from inference.engine.preprocessing.prepare import RECIPES, prepare
from inference.training.cli.renew import main, renewed
from inference.training.data.sources import heads, stack_of
from inference.training.evaluation.by_source import Asked
from refusals import Refusal

RECIPE = RECIPES[WIDE_RECIPES["ultrasound"]]
NETWORKS = ("cnn", "modified_cnn")


@pytest.fixture(params=NETWORKS)
def record(request):
    return catalogue.newest(request.param, "ultrasound").record


def codes_of(record) -> dict[str, str]:
    asked = Asked.from_json(record.card["evaluation"]["answers"])
    return dict(zip(asked.names, asked.codes.tolist(), strict=True))


def specificity(record, source: str) -> dict:
    return next(
        row
        for row in record.card["evaluation"]["by_source"]
        if (row["source"], row["measure"], row["learnt_from"]) == (source, "specificity", False)
    )


def test_the_next_version_has_the_same_weights_and_threshold_behind_the_newest_gate(record):
    new = renewed(record, codes_of(record))
    assert new.version > record.version
    assert (new.preprocessing, new.preprocessing_sha256) == (RECIPE.id, RECIPE.sha256)
    kept = ("weights_sha256", "threshold", "temperature", "network", "modality")
    assert [getattr(new, name) for name in kept] == [getattr(record, name) for name in kept]
    assert new.card["evaluation"]["by_source"] == record.card["evaluation"]["by_source"]


def test_a_head_that_the_new_gate_refuses_counts_no_longer(record):
    codes = codes_of(record)
    lost = next(name for name, code in codes.items() if name.startswith("hc18/") and not code)
    before = specificity(record, "hc18")
    after = specificity(renewed(record, codes | {lost: "off_plane"}), "hc18")
    assert (after["count"], after["refused"]) == (before["count"] - 1, before["refused"] + 1)


@pytest.mark.parametrize(
    ("name", "because"),
    [
        ("resnet18-ultrasound-1.1", "differ in more than their gates"),
        ("cnn-ultrasound-9.9", "No version cnn-ultrasound-9.9"),
    ],
)
def test_a_version_that_saw_other_pictures_is_not_renewed(tmp_path, name, because):
    said = io.StringIO()
    assert main([name, "--data", str(tmp_path), "--out", str(tmp_path)], said) == 2
    assert because in said.getvalue()


@pytest.mark.data
def test_the_cards_say_what_the_gate_says(data_dir, record):
    codes = codes_of(record)
    listed = [one for one in heads(data_dir) if one.file in codes][::60]
    assert len(listed) > 10
    found = {}
    for one in listed:
        try:
            prepare(stack_of(data_dir, one.file, one.mm), RECIPE)
            found[one.file] = ""
        except Refusal as refused:
            found[one.file] = refused.code
    assert found == {one.file: codes[one.file] for one in listed}
    assert np.mean([code == "" for code in found.values()]) > 0.5
