"""What a picture may look like elsewhere: other poses, frames, machines, marks and neighbours.

Every draw comes from one generator. Pictures are (n, rows, columns) 0..1; affines (n, 2, 3).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from inference.engine.head.by_network import COLUMNS, ROWS, STRIDE

LONGEST, SHORTEST = 68.0, 18.0
"""Half of a head's long axis on the network's grid, in its pixels."""
SECOND_LOOK = 52.0
"""The same where the head was found once and is looked at again."""


@dataclass(frozen=True)
class Batch:
    """pictures (n, 1, ROWS, COLUMNS); painted (n, 1, rows, columns): share of each pixel inside the head."""

    pictures: Tensor
    painted: Tensor


def changed(canvas: Tensor, head: Tensor, neighbours: Tensor, draw: torch.Generator) -> Batch:
    """canvas (n, rows, columns) with heads (n, 2, 3); neighbours: canvases without a head."""
    way = _ways(canvas, head, draw)
    pictures = sampled(canvas, way)
    heads = _seen_through(head, way)
    behind = neighbours[torch.randint(len(neighbours), (len(canvas),), generator=draw)]
    pictures = _moved_elsewhere(pictures, heads, sampled(behind, _anywhere(behind, draw)), draw)
    pictures = _framed(_machine(pictures, draw), heads, draw)
    return Batch(evened(_marked(pictures, heads, draw))[:, None], painted(heads)[:, None])


def evened(pictures: Tensor) -> Tensor:
    """Percentiles 1 and 99 of each picture to 0 and 1, then around nought."""
    flat = pictures[:, ::2, ::2].flatten(1)
    low, high = (flat.quantile(share, dim=1)[:, None, None] for share in (0.01, 0.99))
    return (((pictures - low) / (high - low).clamp_min(0.02)).clamp(0, 1) - 0.3) / 0.3


def painted(heads: Tensor) -> Tensor:
    """Share of each output pixel that lies inside each ellipse, to first order."""
    rows, columns = ROWS // STRIDE, COLUMNS // STRIDE
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    middle = (STRIDE - 1) / 2
    places = torch.stack([x * STRIDE + middle, y * STRIDE + middle]).double().reshape(2, -1)
    back = torch.linalg.inv(heads[:, :, :2])
    at = back @ (places - heads[:, :, 2:])
    far = _length(at).clamp_min(1e-6)
    slope = _length(back.transpose(1, 2) @ (at / far[:, None]))
    share = 0.5 + (1 - far) / slope / STRIDE
    return share.clamp(0, 1).float().reshape(-1, rows, columns)


def sampled(canvas: Tensor, way: Tensor) -> Tensor:
    """Canvases seen through affines from grid pixels to canvas pixels; black beyond them."""
    _, rows, columns = canvas.shape
    y, x = torch.meshgrid(torch.arange(ROWS), torch.arange(COLUMNS), indexing="ij")
    grid = torch.stack([x, y, torch.ones_like(x)]).double().reshape(3, -1)
    places = (way @ grid).transpose(1, 2).reshape(-1, ROWS, COLUMNS, 2)
    size = torch.tensor([columns, rows])
    unit = ((2 * places + 1) / size - 1).float()
    return F.grid_sample(canvas[:, None], unit, align_corners=False)[:, 0]


def _seen_through(head: Tensor, way: Tensor) -> Tensor:
    back = torch.linalg.inv(way[:, :, :2])
    middle = back @ (head[:, :, 2:] - way[:, :, 2:])
    return torch.cat([back @ head[:, :, :2], middle], dim=2)


def _uniform(count: int, low: float, high: float, draw: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(count, generator=draw, dtype=torch.float64)


def _chance(count: int, share: float, draw: torch.Generator) -> Tensor:
    return torch.rand(count, generator=draw) < share


def _ways(canvas: Tensor, head: Tensor, draw: torch.Generator) -> Tensor:
    """Grid to canvas: a third as the whole frame is seen, a third as the second look, a third anyhow."""
    count, rows, columns = canvas.shape
    kind = torch.rand(count, generator=draw)
    size = torch.linalg.det(head[:, :, :2]).abs().sqrt()
    wanted = _uniform(count, math.log(SHORTEST), math.log(LONGEST), draw).exp()
    again = SECOND_LOOK * 0.9 * _uniform(count, -0.2, 0.2, draw).exp()
    zoom = size / torch.where(kind < 0.35, again, wanted)
    whole = (rows / ROWS) * _uniform(count, -0.08, 0.25, draw).exp()
    zoom = torch.where(kind > 0.65, whole, zoom)
    turn = torch.where(
        _chance(count, 0.5, draw), _uniform(count, -math.pi, math.pi, draw), _uniform(count, -0.4, 0.4, draw)
    )
    stretch = _uniform(count, -0.16, 0.16, draw).exp()
    mirror = torch.where(_chance(count, 0.5, draw), 1.0, -1.0).double()
    cos, sin = turn.cos(), turn.sin()
    way = zoom[:, None, None] * torch.stack(
        [
            torch.stack([cos * mirror * stretch, -sin / stretch], 1),
            torch.stack([sin * mirror * stretch, cos / stretch], 1),
        ],
        1,
    )
    reach = torch.where(kind < 0.35, 0.06, 0.24)[:, None]
    shift = (torch.rand(count, 2, generator=draw, dtype=torch.float64) * 2 - 1) * reach
    target = torch.tensor([(COLUMNS - 1) / 2, (ROWS - 1) / 2]) + shift * torch.tensor([COLUMNS, ROWS])
    middle = head[:, :, 2].clone()
    frame = kind > 0.65
    middle[frame] = torch.tensor([(columns - 1) / 2, (rows - 1) / 2], dtype=torch.float64)
    target[frame] = torch.tensor([(COLUMNS - 1) / 2, (ROWS - 1) / 2], dtype=torch.float64) + shift[frame] * 16
    offset = middle - (way @ target[:, :, None])[:, :, 0]
    return torch.cat([way, offset[:, :, None]], dim=2)


def _anywhere(canvas: Tensor, draw: torch.Generator) -> Tensor:
    count, rows, columns = canvas.shape
    zoom = 2.0 * _uniform(count, -0.7, 0.2, draw).exp()
    turn = _uniform(count, -math.pi, math.pi, draw)
    cos, sin = zoom * turn.cos(), zoom * turn.sin()
    way = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
    middle = torch.tensor([columns / 2, rows / 2]) + 0.2 * columns * (
        torch.rand(count, 2, generator=draw) - 0.5
    )
    offset = middle.double() - way @ torch.tensor([COLUMNS / 2, ROWS / 2], dtype=torch.float64)
    return torch.cat([way, offset[:, :, None]], dim=2)


def _distance(heads: Tensor) -> Tensor:
    """Distance of each grid pixel from each head's middle, in units of the head, (n, ROWS, COLUMNS)."""
    y, x = torch.meshgrid(torch.arange(ROWS), torch.arange(COLUMNS), indexing="ij")
    places = torch.stack([x, y]).double().reshape(2, -1)
    at = torch.linalg.inv(heads[:, :, :2]) @ (places - heads[:, :, 2:])
    return _length(at).reshape(-1, ROWS, COLUMNS).float()


def _length(pairs: Tensor) -> Tensor:
    """(n, 2, places) to (n, places): torch's own norm takes ten times as long over a short axis."""
    return (pairs[:, 0] ** 2 + pairs[:, 1] ** 2).sqrt()


def _moved_elsewhere(pictures: Tensor, heads: Tensor, behind: Tensor, draw: torch.Generator) -> Tensor:
    """A third of the heads stand in the surroundings of another picture, or on black."""
    count = len(pictures)
    edge = _uniform(count, 1.06, 1.5, draw).float()[:, None, None]
    soft = _uniform(count, 0.03, 0.25, draw).float()[:, None, None]
    inside = ((edge + soft - _distance(heads)) / soft).clamp(0, 1)
    level = _uniform(count, 0.2, 1.2, draw).float()[:, None, None]
    behind = behind * level * (~_chance(count, 0.2, draw))[:, None, None]
    mixed = inside * pictures + (1 - inside) * behind
    return torch.where(_chance(count, 0.35, draw)[:, None, None], mixed, pictures)


def _smooth_field(count: int, cells: tuple[int, int], draw: torch.Generator) -> Tensor:
    coarse = torch.randn(count, 1, *cells, generator=draw)
    return F.interpolate(coarse, (ROWS, COLUMNS), mode="bicubic", align_corners=False)[:, 0]


def _machine(pictures: Tensor, draw: torch.Generator) -> Tensor:
    """Gain, curve, shading, shadows, speckle, sharpness."""
    count = len(pictures)
    curve = _uniform(count, -0.6, 0.6, draw).exp().float()[:, None, None]
    gain = _uniform(count, 0.5, 1.4, draw).float()[:, None, None]
    seen = pictures.clamp(1e-4, 1) ** curve * gain
    shade = _smooth_field(count, (3, 4), draw) * _chance(count, 0.5, draw)[:, None, None]
    seen = seen * (0.35 * shade).exp()
    wedge = (1 - 0.9 * (_smooth_field(count, (2, 7), draw) - 0.6).clamp(0, 1)).clamp(0, 1)
    seen = torch.where(_chance(count, 0.35, draw)[:, None, None], seen * wedge, seen)
    strength = (
        _uniform(count, 0, 0.35, draw).float()[:, None, None] * _chance(count, 0.6, draw)[:, None, None]
    )
    fine = torch.randn(count, 1, ROWS, COLUMNS, generator=draw)
    grain = torch.where(
        _chance(count, 0.5, draw)[:, None, None, None], 2 * F.avg_pool2d(fine, 3, 1, 1), fine
    )[:, 0]
    seen = seen * (1 + strength * grain) + 0.04 * strength * grain
    lifted = _uniform(count, 0, 0.25, draw).float()[:, None, None] * _chance(count, 0.3, draw)[:, None, None]
    soft = F.avg_pool2d(seen[:, None], 3, 1, 1, count_include_pad=False)[:, 0]
    amount = (
        _uniform(count, -0.4, 1.0, draw).float()[:, None, None] * _chance(count, 0.5, draw)[:, None, None]
    )
    return (amount * soft + (1 - amount) * seen + lifted).clamp(0, 1)


def _framed(pictures: Tensor, heads: Tensor, draw: torch.Generator) -> Tensor:
    """Borders, boxes over corners, sectors: what lies beyond is black or a screen's grey."""
    count = len(pictures)
    y, x = (grid.float() for grid in torch.meshgrid(torch.arange(ROWS), torch.arange(COLUMNS), indexing="ij"))
    far = _distance(heads)
    apex_x = _uniform(count, 0.3, 0.7, draw).float()[:, None, None] * COLUMNS
    apex_y = -_uniform(count, 0.0, 1.2, draw).float()[:, None, None] * ROWS
    reach = torch.hypot(x - apex_x, y - apex_y)
    angle = torch.atan2(x - apex_x, y - apex_y).abs()
    widest = _uniform(count, 0.35, 1.1, draw).float()[:, None, None]
    deepest = _uniform(count, 0.9, 1.4, draw).float()[:, None, None] * (ROWS - apex_y)
    sector = (angle > widest) | (reach > deepest)
    hidden = sector & _chance(count, 0.25, draw)[:, None, None]
    side = torch.randint(4, (count,), generator=draw)[:, None, None]
    width = _uniform(count, 0.02, 0.3, draw).float()[:, None, None]
    bar = torch.where(
        side == 0,
        x < width * COLUMNS,
        torch.where(
            side == 1,
            x > (1 - width) * COLUMNS,
            torch.where(side == 2, y < width * ROWS, y > (1 - width) * ROWS),
        ),
    )
    hidden |= bar & _chance(count, 0.3, draw)[:, None, None]
    corner = (torch.where(side % 2 == 0, x, COLUMNS - x) < 0.4 * COLUMNS * width / 0.3) & (
        torch.where(side < 2, y, ROWS - y) < 0.4 * ROWS
    )
    hidden |= corner & _chance(count, 0.25, draw)[:, None, None]
    nearest = _uniform(count, 0.7, 1.1, draw).float()[:, None, None]
    screen = _uniform(count, 0, 0.15, draw).float()[:, None, None] * _chance(count, 0.3, draw)[:, None, None]
    return torch.where(hidden & (far > nearest), screen, pictures)


def _marked(pictures: Tensor, heads: Tensor, draw: torch.Generator) -> Tensor:
    """Crosses, dotted lines and ellipses, lines of text: burnt in by a machine."""
    seen = pictures.clone()
    for row in range(len(seen)):
        if torch.rand((), generator=draw) < 0.5:
            continue
        bright = float(0.6 + 0.4 * torch.rand((), generator=draw))
        numbers = torch.rand(10, generator=draw).tolist()
        if numbers[0] < 0.4:
            _dots(seen[row], _around(heads[row], 0.95 + 0.1 * numbers[1], int(20 + 60 * numbers[2])), bright)
        for mark in range(int(numbers[3] * 5)):
            place = torch.rand(2, generator=draw).double() * 2 - 1
            at = heads[row][:, :2] @ (place * (1.1 if mark % 2 else 1.0)) + heads[row][:, 2]
            _cross(seen[row], int(at[1]), int(at[0]), bright)
        if numbers[4] < 0.3:
            ends = torch.rand(2, 2, generator=draw).double() * torch.tensor([COLUMNS, ROWS])
            share = torch.linspace(0, 1, 24, dtype=torch.float64)[:, None]
            _dots(seen[row], ends[0] * (1 - share) + ends[1] * share, bright)
        for _ in range(int(numbers[5] * 4)):
            _text(seen[row], bright, draw)
    return seen


def _around(head: Tensor, grown: float, points: int) -> Tensor:
    angle = torch.arange(points, dtype=torch.float64) * (2 * math.pi / points)
    return (head[:, :2] @ (grown * torch.stack([angle.cos(), angle.sin()]))).T + head[:, 2]


def _dots(picture: Tensor, places: Tensor, bright: float) -> None:
    x, y = places.round().long().unbind(1)
    there = (x >= 0) & (x < COLUMNS) & (y >= 0) & (y < ROWS)
    picture[y[there], x[there]] = bright


def _cross(picture: Tensor, row: int, column: int, bright: float) -> None:
    if 2 <= row < ROWS - 2 and 2 <= column < COLUMNS - 2:
        picture[row - 2 : row + 3, column] = bright
        picture[row, column - 2 : column + 3] = bright


def _text(picture: Tensor, bright: float, draw: torch.Generator) -> None:
    """A line of bright and dark specks, most often near the edge."""
    at, wide = torch.rand(3, generator=draw).tolist(), int(10 + 40 * torch.rand((), generator=draw))
    row = int((0.12 * at[0] if at[1] < 0.5 else 1 - 0.12 * at[0]) * (ROWS - 4))
    column = int(at[2] * (COLUMNS - wide))
    specks = torch.rand(3, wide, generator=draw) < 0.5
    part = picture[row : row + 3, column : column + wide]
    part[specks[: part.shape[0]]] = bright
