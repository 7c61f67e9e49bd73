"""Pictures of what the calipers do, for an eye that knows: normals, every alarm among them, ventriculomegaly.

    python bench/atrium_sheet.py --data DIR --out FOLDER [--every 10]

Writes normals.png, alarms.png, wide.png and other.png. Each head lies upright; over it the likeliest atrium's
caliper (a ring at the inner wall), the other one's where it is plain, the width in mm and its error, and the
chance. The pictures are other people's (their licences ask for credit), so no sheet lies in this repository.
"""

import argparse
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from sys import path

import numpy as np
from PIL import Image, ImageDraw

path.insert(0, str(Path(__file__).parents[1]))

from inference.engine.atrium.grids import COLUMNS, ROWS, pose, upright
from inference.engine.atrium.measure import measure, shipped_measurer
from inference.engine.atrium.records import Atria
from inference.engine.atrium.scale import Scale, scale_from_age, stated_scale
from inference.engine.head.ellipse import Ellipse
from inference.engine.head.shipped import find_outlined
from inference.training.atrium.material import picture

ACROSS = 6
TILE = (300, 240)
COLOURS = ((255, 70, 60), (90, 160, 255))


@dataclass(frozen=True)
class Tile:
    """One head, measured."""

    name: str
    sheet: str
    frame: np.ndarray
    head: Ellipse
    atria: Atria
    scale: Scale | None

    def drawn(self) -> Image.Image:
        """The upright head with its calipers."""
        crop = upright(self.frame, self.head)
        level = np.clip(crop / max(float(np.percentile(crop, 99.5)), 1.0), 0, 1) ** 0.75 * 255
        tile = Image.fromarray(level.astype(np.uint8)).resize(TILE).convert("RGB")
        pen = ImageDraw.Draw(tile)
        for colour, one in zip(COLOURS, sorted(self.atria.widths, key=lambda one: -one.chance), strict=False):
            ends = pose(self.head).to_crop(np.array([one.inner, one.outer])) * [
                TILE[0] / COLUMNS,
                TILE[1] / ROWS,
            ]
            pen.line([tuple(end) for end in ends], fill=colour)
            x, y = ends[0]
            pen.ellipse((x - 3, y - 3, x + 3, y + 3), outline=colour)
        pen.text((3, 2), self.name, fill=(255, 255, 0))
        pen.text((3, TILE[1] - 14), self._said(), fill=(255, 255, 0))
        return tile

    def _said(self) -> str:
        if not self.atria.widths:
            return f"cannot be measured ({self.atria.chance:.2f})"
        said = []
        for one in sorted(self.atria.widths, key=lambda one: -one.chance):
            mm = one.millimetres(self.scale) if self.scale else None
            said.append(f"{mm.width:.1f} +- {mm.error:.1f}" if mm else f"{one.over_bpd:.3f} BPD")
        return ", ".join(said) + f" mm ({self.atria.chance:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--every", type=int, default=10, help="HC18 heads that are looked at")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    sheets: dict[str, list[Tile]] = {}
    for tile in (*normals(options.data, options.every), *abnormal(options.data)):
        sheets.setdefault(tile.sheet, []).append(tile)
    for name, tiles in sheets.items():
        sheet = Image.new("RGB", (ACROSS * TILE[0], -(-len(tiles) // ACROSS) * TILE[1]))
        for number, tile in enumerate(tiles):
            sheet.paste(tile.drawn(), (number % ACROSS * TILE[0], number // ACROSS * TILE[1]))
        sheet.save(options.out / f"{name}.png")
        print(f"{name}: {len(tiles)} heads")


def normals(data: Path, every: int) -> Iterator[Tile]:
    """HC18 from about 18 weeks on; alarms on a sheet of their own."""
    for row in _listed(data / "hc18")[::every]:
        if float(row["head_circumference_mm"]) >= 150:
            tile = _tile(data, f"hc18/{row['file']}", "normals", stated_scale(float(row["pixel_mm"])))
            if tile and (tile.atria.probability(tile.scale) or 0) >= 0.5:
                tile = Tile(**{**tile.__dict__, "sheet": "alarms"})
            if tile:
                yield tile


def abnormal(data: Path) -> Iterator[Tile]:
    """Ventriculomegaly and other anomalies, by the age in their group's name."""
    sharper = {row["file"] for row in _listed(data / "ultrasound_640")}
    for row in _listed(data / "ultrasound"):
        weeks = re.findall(r"(\d+)$", row["group"])
        if row["label"] == "normal" or not weeks:
            continue
        folder = "ultrasound_640" if row["file"] in sharper else "ultrasound"
        sheet = "wide" if row["label"] == "ventriculomegaly" else "other"
        tile = _tile(data, f"{folder}/{row['file']}", sheet, float(weeks[0]))
        if tile:
            yield tile


def _tile(data: Path, file: str, sheet: str, scale: Scale | float) -> Tile | None:
    frame = picture(data, file)
    found = find_outlined(frame)
    if found is None:
        return None
    known = scale if isinstance(scale, Scale) else scale_from_age(scale, found.ellipse)
    atria = measure(shipped_measurer(), frame, found.ellipse)
    return Tile(Path(file).stem[-40:], sheet, frame, found.ellipse, atria, known)


def _listed(folder: Path) -> list[dict[str, str]]:
    with (folder / "labels.csv").open(newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    main()
