"""A picture of typical successes and failures of what a start puts into use, for an eye that knows.

The pictures are other people's (their licences ask for credit), so no sheet lies in this repository.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from bench.answering import gate
from bench.answering.networks import OTHER, WIDE, Said, records, said_by, visible
from bench.answering.prepared import all_seen
from inference.engine.fitness import fitness_of

ACROSS = 6
TILE = 220
CAPTION = 14
HEADING = 20


def draw(data: Path, every: int, folder: Path) -> Path:
    """Write answers.png into the folder: a strip for each kind of success and failure."""
    record = records()[0]
    name = f"{record.network} {record.version}" + ("" if fitness_of(record).holds else ", experimental")
    strips = [
        *_answers(said_by(record, data, every), record.threshold, visible(data)),
        *_gate(data, every),
    ]
    sheet = Image.new("L", (ACROSS * TILE, sum(TILE + CAPTION + HEADING for _ in strips)))
    pen = ImageDraw.Draw(sheet)
    for row, (title, tiles) in enumerate(strips):
        top = row * (TILE + CAPTION + HEADING)
        pen.text((4, top + 4), f"{title} ({name}): {len(tiles)} in all", fill=255)
        for place, (path, caption) in enumerate(_typical(tiles)):
            sheet.paste(_tile(path), (place * TILE, top + HEADING))
            pen.text((place * TILE + 4, top + HEADING + TILE), caption, fill=255)
    folder.mkdir(parents=True, exist_ok=True)
    sheet.save(folder / "answers.png")
    return folder / "answers.png"


Tiles = list[tuple[Path, str]]


def _answers(said: Sequence[Said], threshold: float, shows: frozenset[str]) -> list[tuple[str, Tiles]]:
    answered = sorted((one for one in said if not np.isnan(one.chance)), key=lambda one: one.chance)
    normal = [one for one in answered if one.source not in (WIDE, OTHER) and not one.early]
    wide = [one for one in answered if one.source == WIDE and one.path.name in shows]
    other = [one for one in answered if one.source == OTHER]
    return [
        ("normal, not alarmed", _tiles(one for one in normal if one.chance < threshold)),
        ("normal, ALARMED", _tiles(one for one in normal if one.chance >= threshold)),
        ("wide ventricle that shows, found", _tiles(one for one in wide if one.chance >= threshold)),
        ("wide ventricle that shows, MISSED", _tiles(one for one in wide if one.chance < threshold)),
        ("other anomaly, alarmed", _tiles(one for one in other if one.chance >= threshold)),
    ]


def _gate(data: Path, every: int) -> list[tuple[str, Tiles]]:
    looked = list(all_seen(data, every, gate.RECIPE))
    heads = [one for one in looked if one.picture.kind == "brain" and one.code in gate.NO_HEAD]
    through = [one for one in looked if one.picture.kind != "brain" and not one.code]
    return [
        ("head, TURNED AWAY", [(one.picture.path, one.code) for one in heads]),
        ("no head, LET THROUGH", [(one.picture.path, one.picture.kind) for one in through]),
    ]


def _tiles(said: object) -> Tiles:
    return [(one.path, f"{one.source} {one.chance:.2f}") for one in said]  # type: ignore[attr-defined]


def _typical(tiles: Tiles) -> Tiles:
    """Some of them, from one end to the other."""
    places = np.linspace(0, len(tiles) - 1, min(ACROSS, len(tiles))).round().astype(int)
    return [tiles[place] for place in places]


def _tile(path: Path) -> Image.Image:
    picture = Image.open(path).convert("L")
    picture.thumbnail((TILE, TILE))
    return picture
