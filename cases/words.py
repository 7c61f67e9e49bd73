"""Answers, stages and trust in words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.contrib.humanize.templatetags.humanize import ordinal
from django.utils.translation import gettext, gettext_noop, ngettext

from inference.engine.explain.trust import FORETOLD_AGREES, Doubt, doubts_about, excess
from inference.engine.records import POSITIVE
from inference.models import Explanation, Job, Prediction
from inference.templatetags.figures import probability
from language.numbers import decimal, percent
from language.stored import said as in_words

METHODS = {
    "gradcam": "Grad-CAM",
    "gradcam_plus_plus": "Grad-CAM++",
    "lime": "LIME",
    "lime_reference": gettext_noop("LIME, the package's way"),
    "integrated_gradients": "Integrated Gradients",
    "occlusion": gettext_noop("Occlusion"),
    "rise": "RISE",
}
EVEN = 0.5
CODES = (
    # modalities, classes, and what a gate takes a picture for
    gettext_noop("ultrasound"), gettext_noop("mri"), gettext_noop("MRI"),
    gettext_noop("normal"), gettext_noop("ventriculomegaly"), gettext_noop("undecided"),
    gettext_noop("not_analysable"),
    gettext_noop("an ultrasound picture"), gettext_noop("an MRI slice"),
    # reads, findings, sides, outcomes of an advice
    gettext_noop("blind"), gettext_noop("final"), gettext_noop("second"), gettext_noop("adjudication"),
    gettext_noop("joint"), gettext_noop("indeterminate"), gettext_noop("not_diagnostic"),
    gettext_noop("left"), gettext_noop("right"), gettext_noop("both"),
    gettext_noop("done"), gettext_noop("not_possible"), gettext_noop("declined"),
    gettext_noop("wide"), gettext_noop("narrow"),
    # planes, and the landmarks of the measuring plane
    gettext_noop("axial"), gettext_noop("coronal"), gettext_noop("sagittal"), gettext_noop("cavum"),
    gettext_noop("glomus"), gettext_noop("perpendicular"), gettext_noop("on_to_on"),
    # kinds of jobs, verdicts of a repetition, what a weights file may lack
    gettext_noop("predict"), gettext_noop("explain"), gettext_noop("shadow"), gettext_noop("repeat"),
    gettext_noop("check"), gettext_noop("train"),
    gettext_noop("identical"), gettext_noop("within tolerance"), gettext_noop("different"),
    gettext_noop("lacks"), gettext_noop("has unknown"),
    # measures of a picture's quality, and the numbers of a training
    gettext_noop("contrast"), gettext_noop("head_score"), gettext_noop("head_coverage"),
    gettext_noop("head_share"), gettext_noop("head_likelihood"),
    gettext_noop("plane_likelihood"), gettext_noop("early_likelihood"),
    gettext_noop("slices_across_head"), gettext_noop("width_log_odds"),
    gettext_noop("head_circumference_mm"), gettext_noop("biparietal_mm"), gettext_noop("occipitofrontal_mm"),
    gettext_noop("Seed"), gettext_noop("Phantoms"), gettext_noop("Phantom epochs"), gettext_noop("Epochs"),
    gettext_noop("Folds"),
    # versions and doors in the audit
    gettext_noop("{version} (Ultrasound)"), gettext_noop("{version} (MRI)"),
    gettext_noop("page"), gettext_noop("worker"), gettext_noop("command"),
    # what a reader says of an atrium, in the audit
    gettext_noop("Left: {reason}"), gettext_noop("Right: {reason}"),
    gettext_noop("Hidden in the near field"), gettext_noop("Shadowed by the skull"),
    gettext_noop("The fetus lies so that the plane cannot be reached"),
    gettext_noop("Outside the picture or the volume"),
    gettext_noop("Too blurred or noisy to see the walls"), gettext_noop("Another reason"),
    gettext_noop("It can be seen"),
    # why a scan was withdrawn, in the audit, alone or with the reader's own words
    gettext_noop("Wrong modality"), gettext_noop("Another patient's scan"), gettext_noop("Wrong file"),
    gettext_noop("Wrong modality: {note}"), gettext_noop("Another patient's scan: {note}"),
    gettext_noop("Wrong file: {note}"), gettext_noop("Another reason: {note}"),
    # what a measurement says of itself in the audit
    gettext_noop("Distance: {length} mm"), gettext_noop("Distance: {length} pixels (no scale known)"),
    gettext_noop("Distance: {length} pixels (no one scale holds at both ends)"),
    gettext_noop("Atrial width: {length} mm"), gettext_noop("Atrial width, left: {length} mm"),
    gettext_noop("Atrial width, right: {length} mm"),
    gettext_noop("Atrial width: {length} pixels (no scale known)"),
    gettext_noop("Atrial width: {length} pixels (no one scale holds at both ends)"),
    gettext_noop("Atrial width, left: {length} pixels (no scale known)"),
    gettext_noop("Atrial width, left: {length} pixels (no one scale holds at both ends)"),
    gettext_noop("Atrial width, right: {length} pixels (no scale known)"),
    gettext_noop("Atrial width, right: {length} pixels (no one scale holds at both ends)"),
)  # fmt: skip
"""Codes as rows keep them, for language.stored: pages show them in words."""


def method(name: str) -> str:
    """A method as its authors write it."""
    return gettext(METHODS[name]) if name in METHODS else name


def headline(prediction: Prediction) -> str:
    """What the answer says, before its number."""
    if prediction.probability is None:
        return gettext("Not analysable")
    return finding(prediction.label, prediction.probability)


def finding(label: str, probability: float) -> str:
    """The label and the probability in one word that contradicts neither.

    A threshold chosen for sensitivity may lie far below one half: then the label is
    ventriculomegaly, and yet it would be wrong to call it likely.
    """
    if label == POSITIVE:
        is_likely = probability >= EVEN
        return gettext("Ventriculomegaly likely") if is_likely else gettext("Ventriculomegaly possible")
    is_unlikely = probability < EVEN
    return gettext("Ventriculomegaly unlikely") if is_unlikely else gettext("Ventriculomegaly uncertain")


def agreement(said: Sequence[tuple[str, str]]) -> str:
    """How many of several models say what most say; "" for fewer than two. said: network and label each."""
    if len(said) < 2:
        return ""
    positive = [network for network, label in said if label == POSITIVE]
    normal = [network for network, label in said if label != POSITIVE]
    many, few, label = (
        (positive, normal, POSITIVE) if len(positive) >= len(normal) else (normal, positive, "normal")
    )
    values = {"many": len(many), "count": len(said), "label": in_words(label), "networks": ", ".join(few)}
    if not few:
        return gettext("{many} of {count} models say {label}.").format(**values)
    return gettext("{many} of {count} models say {label}: all but {networks}.").format(**values)


def subject(job: Job) -> str:
    """What a job is doing: answering, running an answer again, or the method it explains by."""
    if job.kind == Job.Kind.EXPLAIN:
        return method(job.parameters.get("method", ""))
    return gettext("Run again") if job.kind == Job.Kind.REPEAT else gettext("Answer")


def stage(job: Job, place: int | None) -> str:
    """Where a job stands now; place: its number in line while it waits."""
    if job.state == Job.State.RUNNING:
        return in_words(job.stage or "starting")
    if job.state != Job.State.QUEUED:
        return job.get_state_display().lower()
    if job.attempts:
        return gettext("waiting for attempt {number}").format(number=job.attempts + 1)
    return gettext("{place} in queue").format(place=ordinal(place)) if place else gettext("in queue")


PLANES: Mapping[str, str] = {
    "axial": gettext_noop("axial"),
    "coronal": gettext_noop("coronal"),
    "sagittal": gettext_noop("sagittal"),
}
_UNNAMED = {"rows": gettext_noop("second plane"), "columns": gettext_noop("third plane")}


def plane(name: str, across: str) -> str:
    """Of a volume. name: as the directions of its file say it, "" without any; across: `results.planes`."""
    return gettext(PLANES[name] if name else _UNNAMED[across])


def frames(numbers: Sequence[int], total: int) -> str:
    """Which frames were read, counted from 1."""
    if total == 1:
        return gettext("the only frame")
    listed = ", ".join(str(number + 1) for number in numbers)
    sentence = ngettext("frame {listed} of {total}", "frames {listed} of {total}", len(numbers))
    return sentence.format(listed=listed, total=total)


DOUBTS: Mapping[Doubt, str] = {
    "empty": gettext_noop("the map is empty: this method found nothing that speaks for the class."),
    "no_better_than_chance": gettext_noop(
        "hiding what it marks costs hardly more than hiding as much elsewhere."
    ),
    "outside_head": gettext_noop("most of its heat lies outside the head."),
    "unsettled": gettext_noop("more samples would have changed the order of its pieces."),
}


@dataclass(frozen=True)
class Trust:
    """How far to trust an explanation. sentences: what is measured about it, if anything."""

    is_reliable: bool
    sentences: tuple[str, ...]

    @property
    def short(self) -> str:
        """The verdict and what it rests on, to be read at a glance."""
        return " ".join(self.sentences[:2])


def trust(explanation: Explanation) -> Trust:
    """The verdict first, then what it rests on."""
    metrics = explanation.metrics
    doubts = doubts_about(explanation.method, metrics)
    told = (*_cost(explanation), *_figures(metrics))
    if doubts:
        unreliable = gettext("Unreliable: {why}")
        return Trust(False, tuple(unreliable.format(why=gettext(DOUBTS[doubt])) for doubt in doubts) + told)
    measured = excess(metrics) is not None
    return Trust(True, ((gettext("Reliable."),) if measured else ()) + told)


def _cost(explanation: Explanation) -> Iterator[str]:
    """What hiding the marked part costs; of a volume's frame, whose answer is not that of the whole."""
    metrics = explanation.metrics
    if "chance_hidden" in metrics:
        of_a_frame = gettext(
            "Without the fifth of the head that it marks most, the probability of {label} in frame {frame} "
            "goes from {whole} to {hidden}; without a fifth elsewhere, to {elsewhere}."
        )
        of_a_picture = gettext(
            "Without the fifth of the head that it marks most, the probability of {label} goes from {whole} "
            "to {hidden}; without a fifth elsewhere, to {elsewhere}."
        )
        frames = explanation.frames
        yield (of_a_picture if frames == [0] else of_a_frame).format(
            label=in_words(explanation.class_label),
            frame=frames[len(frames) // 2] + 1,
            whole=probability(metrics["chance_whole"]),
            hidden=probability(metrics["chance_hidden"]),
            elsewhere=probability(metrics["chance_hidden_elsewhere"]),
        )


def _figures(metrics: Mapping[str, float]) -> Iterator[str]:
    if (inside := metrics.get("inside_head")) is not None:
        yield gettext("{share} of the heat lies inside the head.").format(share=percent(inside))
    if (r2 := metrics.get("local_r2")) is not None:
        sentence = gettext(
            "LIME's simple model accounts for {share} of how the network's answer varies (R² {r2})."
        )
        yield sentence.format(share=percent(max(r2, 0)), r2=decimal(r2, 2))
    if (stable := metrics.get("rank_stability")) is not None:
        sentence = gettext("The order of its pieces is settled to {share} (1 is for good).")
        yield sentence.format(share=decimal(max(stable, 0), 2))
    if (foretold := metrics.get("foretold_agreement")) is not None:
        yield _foretold(foretold).format(share=decimal(max(foretold, 0), 2))
    if (agreement := metrics.get("gradcam_agreement")) is not None:
        sentence = gettext("It agrees with Grad-CAM to {share} (1 is wholly, 0 not at all).")
        yield sentence.format(share=decimal(agreement, 2))


def _foretold(agreement: float) -> str:
    if agreement >= FORETOLD_AGREES:
        return gettext(
            "Most of its answers were foretold from computed ones; where both were made, they agree to "
            "{share} (1 is wholly, 0 not at all)."
        )
    return gettext(
        "Foretelling its answers did not do well enough (agreement {share}), so the rest were computed."
    )
