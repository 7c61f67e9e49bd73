"""Heads drawn at random, with growth and widths as the field reports them."""

import math

import numpy as np

from inference.phantom.records import ATRIAL_LIMIT_MM, HeadSpec, Label, LateralVentricle

NORMAL_WIDTH_MM = (6.5, 1.3)  # mean and standard deviation, stable over the second and third trimester
AGE_RANGE_DAYS = (18 * 7, 36 * 7)


def biparietal_mm(weeks: float) -> float:
    """Median biparietal diameter; INTERGROWTH-21st (Papageorghiou et al., Lancet 2014;384:869)."""
    return 5.60878 + 0.158369 * weeks**2 - 0.00256379 * weeks**3


def occipitofrontal_mm(weeks: float) -> float:
    """Median occipitofrontal diameter; INTERGROWTH-21st (Papageorghiou et al., Lancet 2014;384:869)."""
    return -12.4097 + 0.626342 * weeks**2 - 0.148075 * weeks**2 * math.log(weeks)


def widest_possible_mm(biparietal: float) -> float:
    """Atrium that still leaves falx, a thin cortical mantle and skull in its half of the head."""
    return 0.5 * biparietal * 0.86 - 6.0


def sample_spec(
    rng: np.random.Generator, *, label: Label | None = None, gestational_age_days: int | None = None
) -> HeadSpec:
    """One head at random; everything but the ventricles is drawn without regard to the label.

    Asking one seed for either label gives one head with two pairs of ventricles. Normal atria
    follow 6.5 +- 1.3 mm (below 10 mm); dilated ones spread over mild, moderate and severe, on one
    side or both. Raises ValueError outside 18 to 36 weeks.
    """
    days = int(rng.integers(*AGE_RANGE_DAYS)) if gestational_age_days is None else gestational_age_days
    if not AGE_RANGE_DAYS[0] <= days <= AGE_RANGE_DAYS[1]:
        raise ValueError(f"gestational age must lie in {AGE_RANGE_DAYS} days, not {days}")
    drawn: Label = "ventriculomegaly" if rng.random() < 0.5 else "normal"
    own = np.random.default_rng(int(rng.integers(2**32)))  # what differs between labels uses up no other draw
    weeks = days / 7
    size, roundness = rng.normal(1.0, 0.033), float(np.clip(rng.normal(1.0, 0.035), 0.92, 1.09))
    biparietal = biparietal_mm(weeks) * size * roundness
    occipitofrontal = max(occipitofrontal_mm(weeks) * size / roundness, 1.04 * biparietal)
    widths = _atrial_widths(own, label or drawn, biparietal)
    cavum_width = float(rng.uniform(2.0, 7.0))
    return HeadSpec(
        gestational_age_days=days,
        biparietal_mm=float(biparietal),
        occipitofrontal_mm=float(occipitofrontal),
        skull_thickness_mm=float(rng.uniform(1.4, 2.0) + 0.03 * (weeks - 18)),
        skull_squareness=float(rng.uniform(2.0, 2.35)),
        skull_taper=float(rng.uniform(0.0, 0.13)),
        skull_unevenness=_unevenness(rng),
        subarachnoid_mm=float(rng.uniform(1.2, 3.5)),
        midline_bow_mm=float(rng.normal(0.0, 0.5)),
        cavum_width_mm=cavum_width,
        cavum_length_mm=float(cavum_width * rng.uniform(1.4, 2.4)),
        left=_ventricle(own, widths[0], biparietal, occipitofrontal),
        right=_ventricle(own, widths[1], biparietal, occipitofrontal),
        texture_seed=int(rng.integers(2**31)),
    )


def _unevenness(rng: np.random.Generator) -> tuple[float, float, float, float]:
    third, fourth = rng.normal(0.0, 0.005, (2, 2))
    return float(third[0]), float(third[1]), float(fourth[0]), float(fourth[1])


def _atrial_widths(rng: np.random.Generator, label: Label, biparietal: float) -> tuple[float, float]:
    """(left, right) in mm, rounded to 0.01, agreeing with the label."""
    widest = widest_possible_mm(biparietal)
    if label == "normal":
        wide = _normal_width(rng)
        return _either_order(rng, wide, float(np.clip(wide + rng.normal(0.0, 0.6), 3.5, 9.9)))
    low, high = ((10.0, 12.5), (12.5, 15.0), (15.0, 25.0))[rng.choice(3, p=(0.4, 0.35, 0.25))]
    wide = max(min(float(rng.uniform(low, high)), widest - float(rng.uniform(0.0, 0.6))), ATRIAL_LIMIT_MM)
    both = rng.random() < 0.6
    other = wide * float(rng.uniform(0.75, 1.0)) if both else _normal_width(rng)
    return _either_order(rng, wide, other)


def _normal_width(rng: np.random.Generator) -> float:
    return float(np.clip(rng.normal(*NORMAL_WIDTH_MM), 3.5, 9.9))


def _either_order(rng: np.random.Generator, one: float, other: float) -> tuple[float, float]:
    pair = (round(one, 2), round(other, 2))
    return pair if rng.random() < 0.5 else (pair[1], pair[0])


def _ventricle(
    rng: np.random.Generator, width: float, biparietal: float, occipitofrontal: float
) -> LateralVentricle:
    """The rest of one ventricle around its atrial width: dilation widens and lengthens every part."""
    half, long_half = biparietal / 2, occipitofrontal / 2
    dilation = max(0.0, width - 7.0) / 10.0
    angle = float(rng.uniform(6.0, 20.0))
    reach = width / 2 / math.cos(math.radians(angle))
    offset = float(np.clip(rng.uniform(0.38, 0.46) * half, reach + 1.8, 0.86 * half - 3.2 - reach))
    glomus = float(
        rng.normal(5.4, 0.8)
    )  # the plexus keeps its size: it fills a normal atrium and dangles in a wide one
    return LateralVentricle(
        atrial_width_mm=width,
        atrium_offset_mm=offset,
        atrium_position_mm=float(rng.uniform(0.26, 0.38) * long_half),
        axis_angle_deg=angle,
        atrium_length_mm=float(long_half * rng.uniform(0.20, 0.27) + 0.3 * width),
        occipital_length_mm=float(long_half * min(0.46, rng.uniform(0.26, 0.38) + 0.12 * dilation)),
        frontal_width_mm=float(width * rng.uniform(0.34, 0.60)),
        frontal_length_mm=float(long_half * rng.uniform(0.15, 0.24) * (1 + 0.25 * dilation)),
        body_width_mm=float(
            width * rng.uniform(0.1, 0.4 + 0.3 * min(1.0, dilation))
            if rng.random() < 0.5 + 0.4 * dilation
            else 0.0
        ),
        choroid_share=float(np.clip(glomus / width, 0.25, 0.92)),
        choroid_length_mm=float(rng.uniform(8.0, 14.0)),
        choroid_drift=float(np.clip(rng.normal(0.0, 0.9), -1.0, 1.0)),
        choroid_angle_deg=float(rng.normal(0.0, 8.0 + 25.0 * min(1.0, dilation))),
    )
