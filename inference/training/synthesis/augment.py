"""Changes that leave the anatomy and take away everything a source could be recognised by.

All work on prepared pictures (n, 1, size, size), zero outside the head; every draw comes from one generator.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

TURN = 0.35
ZOOM = 0.15
SHIFT = 0.06
BLUR, REACH = 0.9, 5
"""Most sigma of a blur along one direction, in pixels of 64, and how far it is carried."""
SPECKLE = 0.2
DARK = 1.6
"""What preparation takes from every grey level: below it nothing is darker."""


def augment(pictures: Tensor, styles: Tensor, draw: torch.Generator) -> Tensor:
    """Other poses, other machines. styles: pictures of any label whose look may be borrowed."""
    changed = _borrow_surroundings(pictures, _lent(styles, pictures, draw), draw)
    changed = _borrow_levels(changed, _lent(styles, pictures, draw), draw)
    changed = _borrow_look(changed, _lent(styles, pictures, draw), draw)
    changed = _turned(changed, draw)
    inside = (changed != 0).float()
    changed = _toned(changed, draw)
    changed = _shaded(changed, draw)
    changed = _softened(changed, draw)
    changed = changed + _chance(changed, 0.5, draw) * 0.25 * _uniform(changed, 0, 1, draw) * torch.randn(
        changed.shape, generator=draw
    )
    return changed * inside * _shrunk(inside, draw)


def other_probes(pictures: Tensor, draw: torch.Generator) -> Tensor:
    """Ultrasound as another probe would show it: another resolution along and across the beam, other speckle.

    Both come before the pose is changed, so that the beam may run anywhere.
    """
    inside = (pictures != 0).float()
    changed = _directed(pictures, inside, draw)
    grain = F.avg_pool2d(torch.randn(pictures.shape, generator=draw), 3, stride=1, padding=1) * 3
    strength = _chance(pictures, 0.5, draw) * _uniform(pictures, 0, SPECKLE, draw)
    return (changed + DARK) * (1 + strength * grain) * inside - DARK * inside


def _directed(pictures: Tensor, inside: Tensor, draw: torch.Generator) -> Tensor:
    """Half of the pictures lose sharpness along rows or columns or both, each by its own width."""
    offsets = torch.arange(-REACH, REACH + 1).float()
    wanted = _chance(pictures, 0.5, draw)[:, 0, 0, 0]
    found = pictures
    for axis in (2, 3):
        sigma = torch.rand(len(pictures), generator=draw) * BLUR * pictures.shape[-1] / 64 * wanted + 0.05
        kernels = torch.exp(-(offsets**2) / (2 * sigma[:, None] ** 2))
        kernels = kernels / kernels.sum(1, keepdim=True)
        shape = (-1, 1, len(offsets), 1) if axis == 2 else (-1, 1, 1, len(offsets))
        side = (REACH, 0) if axis == 2 else (0, REACH)
        rows = found.transpose(0, 1)
        blurred = F.conv2d(rows, kernels.view(shape), padding=side, groups=len(pictures))
        found = blurred.transpose(0, 1)
    return found * inside


def _uniform(like: Tensor, low: float, high: float, draw: torch.Generator) -> Tensor:
    """One number for each picture, ready to be multiplied with it."""
    return low + (high - low) * torch.rand(len(like), 1, 1, 1, generator=draw)


def _chance(like: Tensor, share: float, draw: torch.Generator) -> Tensor:
    return (torch.rand(len(like), 1, 1, 1, generator=draw) < share).float()


def _lent(styles: Tensor, pictures: Tensor, draw: torch.Generator) -> Tensor:
    """One picture of any label for each."""
    return styles[torch.randint(len(styles), (len(pictures),), generator=draw)]


def _borrow_surroundings(pictures: Tensor, others: Tensor, draw: torch.Generator) -> Tensor:
    """Half of the pictures keep their brain and get the skull of another: no outline belongs to one label."""
    core = _drawn_in((pictures != 0).float(), 1 / (0.72 + 0.2 * torch.rand(len(pictures), generator=draw)))
    core = F.avg_pool2d(core, 5, stride=1, padding=2)
    mixed = core * pictures + (1 - core) * others
    return torch.where(_chance(pictures, 0.5, draw) > 0, mixed, pictures)


def _borrow_levels(pictures: Tensor, others: Tensor, draw: torch.Generator) -> Tensor:
    """Half of the pictures take the grey levels of another, by rank: darkness is the machine's."""
    changed = pictures.clone()
    for row in range(len(pictures)):
        wanted, strength = torch.rand(2, generator=draw)
        own, lent = pictures[row] != 0, others[row][others[row] != 0]
        if wanted < 0.5 and own.any() and len(lent):
            levels = pictures[row][own]
            changed[row][own] = levels + strength * (_ranked(levels, lent) - levels)
    return changed


def _ranked(levels: Tensor, lent: Tensor) -> Tensor:
    """Each level replaced by the lent level of the same rank, along 65 quantiles."""
    ranks = torch.linspace(0, 1, 65)
    mine, theirs = torch.quantile(levels, ranks), torch.quantile(lent, ranks)
    upper = torch.searchsorted(mine, levels.contiguous()).clamp(1, 64)
    share = (levels - mine[upper - 1]) / (mine[upper] - mine[upper - 1] + 1e-6)
    return theirs[upper - 1] + share.clamp(0, 1) * (theirs[upper] - theirs[upper - 1])


def _borrow_look(pictures: Tensor, others: Tensor, draw: torch.Generator) -> Tensor:
    """Half of the pictures take the strength of fine structure, band by band, from another picture.

    Texture (speckle, resolution, sharpening) tells sources apart; the phases, which hold the shapes, stay.
    """
    mine, theirs = torch.fft.rfft2(pictures), torch.fft.rfft2(others)
    band = _bands(pictures.shape[-1])
    count = int(band.max()) + 1
    power = torch.stack([mine[..., band == b].abs().mean(-1) for b in range(count)], -1)
    wanted = torch.stack([theirs[..., band == b].abs().mean(-1) for b in range(count)], -1)
    gain = (wanted / (power + 1e-6)).clamp(0.25, 4.0)[..., band]
    strength = _uniform(pictures, 0.3, 1.0, draw) * _chance(pictures, 0.5, draw)
    styled = torch.fft.irfft2(mine * gain**strength, s=pictures.shape[-2:])
    return torch.where(pictures != 0, styled, 0.0)


def _bands(size: int) -> Tensor:
    """Number of the frequency band of each coefficient; the lowest, which hold the anatomy, are one band."""
    rows = torch.fft.fftfreq(size)[:, None]
    columns = torch.fft.rfftfreq(size)[None, :]
    radius = torch.sqrt(rows**2 + columns**2) * size
    return (torch.log2(radius.clamp(min=4.0) / 4.0) * 2).long()


def _turned(pictures: Tensor, draw: torch.Generator) -> Tensor:
    """Turn, mirror, zoom and shift, as another crop or another way of holding the probe would."""
    n = len(pictures)
    angle = (torch.rand(n, generator=draw) * 2 - 1) * TURN
    half_turn = torch.randint(0, 2, (n,), generator=draw) * math.pi
    mirror = torch.randint(0, 2, (n,), generator=draw) * 2.0 - 1.0
    zoom = 1 + (torch.rand(n, generator=draw) * 2 - 1) * ZOOM
    cos, sin = torch.cos(angle + half_turn) * zoom, torch.sin(angle + half_turn) * zoom
    shift = (torch.rand(n, 2, generator=draw) * 2 - 1) * SHIFT
    across = torch.stack([cos * mirror, -sin, shift[:, 0]], 1)
    down = torch.stack([sin * mirror, cos, shift[:, 1]], 1)
    affine = torch.stack([across, down], 1)
    grid = F.affine_grid(affine, list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, grid, align_corners=False)


def _toned(pictures: Tensor, draw: torch.Generator) -> Tensor:
    """Another gain and another curve from dark to bright."""
    level = torch.sigmoid(1.5 * pictures)
    curve = torch.exp(_uniform(pictures, -0.5, 0.5, draw))
    bent = (level**curve - 0.5**curve) * 3.5
    return bent * _uniform(pictures, 0.7, 1.3, draw) + _uniform(pictures, -0.3, 0.3, draw)


def _shaded(pictures: Tensor, draw: torch.Generator) -> Tensor:
    """A slow change of brightness across the head, as depth gain or a coil gives."""
    size = pictures.shape[-1]
    rough = torch.randn(len(pictures), 1, 3, 3, generator=draw) * _uniform(pictures, 0, 0.5, draw)
    return pictures + F.interpolate(rough, (size, size), mode="bicubic", align_corners=False)


def _softened(pictures: Tensor, draw: torch.Generator) -> Tensor:
    """Some pictures lose sharpness."""
    kernel = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
    soft = F.conv2d(pictures, (kernel[:, None] * kernel)[None, None], padding=2)
    share = _chance(pictures, 0.4, draw) * _uniform(pictures, 0, 1, draw)
    return pictures + share * (soft - pictures)


def _shrunk(inside: Tensor, draw: torch.Generator) -> Tensor:
    """The head's own outline, drawn in: neither the skull nor its surroundings may carry the answer."""
    factor = _uniform(inside, 1.0, 1.2, draw)[:, 0, 0, 0]
    return (_drawn_in(inside, factor) > 0.5).float()


def _drawn_in(inside: Tensor, factor: Tensor) -> Tensor:
    """Masks (n, 1, size, size) made smaller by a factor (n) around the middle of the picture."""
    affine = torch.zeros(len(inside), 2, 3)
    affine[:, 0, 0], affine[:, 1, 1] = factor, factor
    grid = F.affine_grid(affine, list(inside.shape), align_corners=False)
    return F.grid_sample(inside, grid, align_corners=False)
