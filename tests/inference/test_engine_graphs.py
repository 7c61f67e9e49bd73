"""A network's graph is made once and kept: whatever it was made of names it, nothing else is taken for it."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import nn

from inference.engine.backends import BACKENDS, graph_cache, stage_of

PICTURES = np.random.default_rng(0).normal(size=(3, 1, 16, 16)).astype(np.float32)


class Scaled(nn.Module):
    """One layer, and numbers that no parameter holds."""

    def __init__(self, by: object = 2.0, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.layer = nn.Conv2d(1, 2, 3)
        self.by = by
        self.register_buffer("more", torch.ones(1), persistent=False)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        by = self.by(pictures) if callable(self.by) else self.by
        return self.layer(pictures) * by + self.more


@pytest.fixture
def folder(tmp_path, graphs) -> Iterator:
    kept = tmp_path / "graphs"
    kept.mkdir()
    graph_cache.keep_in(kept)
    yield kept
    graph_cache.keep_in(graphs)


def answered(module: nn.Module) -> np.ndarray:
    found = stage_of(module.eval(), (1, 16, 16))(PICTURES)
    with torch.inference_mode():
        np.testing.assert_allclose(found, module(torch.from_numpy(PICTURES)).numpy(), atol=1e-5)
    return found


def test_a_graph_is_made_once_and_answers_to_the_bit_what_it_did(folder, monkeypatch):
    first = answered(Scaled())
    monkeypatch.setattr(torch.onnx, "export", None)
    assert answered(Scaled()).tobytes() == first.tobytes()


def test_a_draft_is_made_once_for_what_it_was_scaled_by(folder):
    shown = PICTURES[:2]
    first = BACKENDS["onnxruntime"].drafted(Scaled().eval(), shown, 1)(PICTURES)
    made = {path: path.stat().st_ino for path in folder.iterdir()}
    assert len(made) == 2, "the graph, and the draft"
    again = BACKENDS["onnxruntime"].drafted(Scaled().eval(), shown, 1)(PICTURES)
    assert again.tobytes() == first.tobytes()
    assert {path: path.stat().st_ino for path in folder.iterdir()} == made
    BACKENDS["onnxruntime"].drafted(Scaled().eval(), 2 * shown, 1)
    assert len(list(folder.iterdir())) == 3


def test_whatever_a_graph_depends_on_gives_another(folder):
    other = Scaled()
    other.more.fill_(3.0)
    for number, module in enumerate((Scaled(), Scaled(by=3.0), Scaled(seed=1), other), start=1):
        answered(module)
        assert len(list(folder.iterdir())) == number


def test_what_cannot_be_written_down_is_made_each_time(folder):
    answered(Scaled(by=lambda pictures: pictures.mean()))
    assert not list(folder.iterdir())


def test_a_damaged_graph_is_made_anew(folder):
    first = answered(Scaled())
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-20] + bytes(20))
    assert answered(Scaled()).tobytes() == first.tobytes()
    assert path.read_bytes() == whole


def test_a_folder_that_is_away_stops_nobody_and_nothing_is_laid_in_its_place(folder):
    folder.rmdir()
    answered(Scaled())
    assert not folder.exists()


def test_graphs_used_longest_ago_make_room(folder, monkeypatch):
    answered(Scaled())
    (first,) = folder.iterdir()
    monkeypatch.setattr(graph_cache, "MOST_BYTES", int(first.stat().st_size * 1.5))
    answered(Scaled(by=3.0))
    assert not first.exists()
    assert len(list(folder.iterdir())) == 1
