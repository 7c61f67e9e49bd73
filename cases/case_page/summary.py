"""One case as its page shows it: for each scan what every model says, why, and what is still to come."""

import hashlib
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext

from cases import words
from cases.case_page.forms import ExplainForm
from cases.models import Case, Scan
from cases.review.biometry import Biometry, biometry_of
from cases.words import Trust
from inference.engine.fitness import Condition, Fitness
from inference.engine.records import MEASURING_NETWORKS
from inference.engine.weights.ensemble_file import ENSEMBLE
from inference.jobs import queue
from inference.models import Explanation, Job, ModelVersion, Prediction, Repetition
from inference.registry.fitness import fitness_of_all
from language.stored import said


@dataclass(frozen=True)
class JobSummary:
    """A job in words. stage is "" unless it is still to be done; reason is "" unless it failed."""

    job: Job
    subject: str
    stage: str
    reason: str


@dataclass(frozen=True)
class ExplanationSummary:
    """An explanation with what is measured about it, in words."""

    explanation: Explanation
    method: str
    trust: Trust

    @property
    def key(self) -> str:
        """The method, and the class where it is not the one that was called."""
        row = self.explanation
        return row.method if row.explains_prediction else f"{row.method} {row.class_label}"


@dataclass(frozen=True)
class Answer:
    """What one model version says about a scan: its newest answer, or the work towards it."""

    version: ModelVersion
    prediction: Prediction | None
    headline: str
    frames: str
    why: list[ExplanationSummary]
    work: list[JobSummary]
    repetition: Repetition | None
    fitness: Fitness | None = None

    @property
    def lacking(self) -> tuple[Condition, ...]:
        """What of the rule for use the version does not meet: its answers are experimental."""
        return self.fitness.lacking if self.fitness else ()

    @property
    def explain_form(self) -> ExplainForm | None:
        """How to ask for another explanation of this answer."""
        if self.prediction is None or self.measures:
            return None
        return ExplainForm(self.prediction, self.version.labels)

    @property
    def measures(self) -> bool:
        """Whether it calls by the calipers that it proposes: then these are its explanation."""
        return bool(self.version.network in MEASURING_NETWORKS)

    @property
    def is_combined(self) -> bool:
        """Whether several networks answer as one here."""
        return bool(self.version.network == ENSEMBLE)

    @property
    def range(self) -> tuple[float, float] | None:
        """Where the probability lies when the picture is held differently: from, and to."""
        said = self.prediction
        if said is None or said.probability_low is None or said.probability_high is None:
            return None
        return said.probability_low, said.probability_high

    @property
    def scale(self) -> "Scale | None":
        """How far the answer lies from its own threshold; None where it is no probability."""
        said = self.prediction
        if said is None or said.probability is None:
            return None
        low, high = self.range or (said.probability, said.probability)
        places = [from_threshold(value, said.threshold) for value in (said.probability, low, high)]
        return Scale(*places)


@dataclass(frozen=True)
class Scale:
    """Places on a line of 100 on which every threshold stands at 50: of the answer, and of its range."""

    mark: float
    low: float
    high: float

    @property
    def span(self) -> float:
        """How far the range reaches; 0 where nothing else was looked at."""
        return self.high - self.low

    @property
    def mark_left(self) -> float:
        """Where a mark two wide begins, within the line."""
        return min(max(self.mark - 1, 0), 98)


def from_threshold(probability: float, threshold: float) -> float:
    """A probability on a line of 100 whose middle is the threshold; either side is stretched to its end."""
    if probability >= threshold:
        return 50 + 50 * (probability - threshold) / (1 - threshold) if threshold < 1 else 50.0
    return 50 * probability / threshold


@dataclass(frozen=True)
class ScanSummary:
    """A scan, its newest answers by model version, and the answers these have replaced."""

    scan: Scan
    answers: list[Answer]
    earlier: list[Prediction]

    @property
    def progress(self) -> str:
        """A Case.Progress value for this scan alone."""
        if any(work.stage for answer in self.answers for work in answer.work):
            return Case.Progress.WORKING.value
        if any(not answer.prediction and answer.work for answer in self.answers):
            return Case.Progress.FAILED.value
        answered = any(answer.prediction for answer in self.answers)
        return (Case.Progress.ANSWERED if answered else Case.Progress.UNANSWERED).value

    @property
    def lacks_answers(self) -> bool:
        """Something failed or was cancelled, or no model was active: a person may ask again."""
        ended_badly = any(work.reason for answer in self.answers for work in answer.work)
        return self.progress != Case.Progress.WORKING and (ended_badly or not self.answers)

    @property
    def said(self) -> list[tuple[str, str]]:
        """Network and label of every answer that is one; an ensemble only repeats what its members said."""
        alone = [answer for answer in self.answers if not answer.is_combined]
        given = [(answer.version.network, answer.prediction) for answer in alone]
        return [(network, answer.label) for network, answer in given if answer and answer.analysable]

    @property
    def agreement(self) -> str:
        """How far the models agree, in words; "" while fewer than two have answered."""
        return words.agreement(self.said)

    @property
    def differs(self) -> bool:
        """Whether two models call the scan by different labels."""
        return len({label for _, label in self.said}) > 1

    @property
    def state_words(self) -> str:
        """The same for people who may not know what has been answered."""
        return str(Case.Progress(self.progress).label)

    @property
    def progress_words(self) -> str:
        """The same for people: where only explanations are missing, that the answers stand."""
        if self.progress != Case.Progress.WORKING or not all(answer.prediction for answer in self.answers):
            return self.state_words
        done = sum(len(answer.why) for answer in self.answers)
        work = [one for answer in self.answers for one in answer.work if one.stage]
        missing = sum(one.job.kind == Job.Kind.EXPLAIN for one in work)
        if not missing:
            return self.state_words
        sentence = gettext("Answers ready, explanations {done} of {total}")
        return sentence.format(done=done, total=done + missing)

    @property
    def biometry(self) -> Biometry | None:
        """What the head measures, where the scale is known."""
        return biometry_of((one.prediction for one in self.answers), self.scan.case.gestational_age_days)

    @property
    def frames_read(self) -> list[int]:
        """Indices of the frames that some answer rests on."""
        read = {frame for answer in self.answers if answer.prediction for frame in answer.prediction.frames}
        return sorted(read)


@dataclass(frozen=True)
class CaseSummary:
    """Every standing scan of a case; those that were withdrawn stand apart, and count for nothing."""

    scans: list[ScanSummary]
    withdrawn: list[Scan] = field(default_factory=list)

    @property
    def is_working(self) -> bool:
        """Something will still change by itself."""
        return any(scan.progress == Case.Progress.WORKING for scan in self.scans)

    @property
    def fingerprint(self) -> str:
        """Changes whenever something that the page shows about the jobs has changed."""
        work = [work for scan in self.scans for answer in scan.answers for work in answer.work]
        why = [why.explanation.pk for scan in self.scans for answer in scan.answers for why in answer.why]
        said = [(item.job.pk, item.job.state, item.stage, item.job.token) for item in work]
        again = [answer.repetition.pk for scan in self.scans for answer in scan.answers if answer.repetition]
        return hashlib.sha256(repr((said, why, again)).encode()).hexdigest()[:16]


def summarise(case: Case) -> CaseSummary:
    """Everything the case page says, in a fixed number of queries."""
    scans = list(case.scans.active().select_related("image", "identity", "added_by").order_by("number"))
    jobs = list(
        Job.objects.shown()
        .filter(image__in=[scan.image_id for scan in scans])
        .select_related("image", "model_version", "answer")
        .order_by("-created_at")
    )
    explanations = defaultdict(list)
    for row in Explanation.objects.filter(prediction__image__in=[scan.image_id for scan in scans]).order_by(
        "method", "-created_at"
    ):
        explanations[row.prediction_id].append(row)
    repetitions = _newest_repetitions(scans)
    waiting = [job.pk for job in jobs if job.state == Job.State.QUEUED]
    places = queue.positions(waiting) if waiting else {}
    by_image = defaultdict(list)
    for job in jobs:
        by_image[job.image_id].append(job)
    judged = fitness_of_all(job.scan[1] for job in jobs)
    more = _More(explanations, repetitions, places, judged)
    return CaseSummary([_scan(scan, by_image[scan.image_id], more) for scan in scans], _withdrawn(case))


def _withdrawn(case: Case) -> list[Scan]:
    gone = case.scans.filter(withdrawal__isnull=False).select_related("image", "withdrawal__withdrawn_by")
    return list(gone.order_by("number"))


@dataclass(frozen=True)
class _More:
    """What belongs to answers, by their key; the places in line of jobs that wait; how fit versions are."""

    explanations: dict[uuid.UUID, list[Explanation]]
    repetitions: dict[uuid.UUID, Repetition]
    places: dict[uuid.UUID, int]
    judged: dict[uuid.UUID, Fitness]


def _newest_repetitions(scans: Sequence[Scan]) -> dict[uuid.UUID, Repetition]:
    """The last time each answer was run again."""
    rows = Repetition.objects.filter(prediction__image__in=[scan.image_id for scan in scans])
    return {row.prediction_id: row for row in rows.order_by("created_at")}


def _scan(scan: Scan, jobs: Sequence[Job], more: _More) -> ScanSummary:
    by_version: dict[uuid.UUID, list[Job]] = defaultdict(list)
    for job in jobs:
        by_version[job.scan[1].pk].append(job)
    answers = [_answer(scan, found, more) for found in by_version.values()]
    shown = {answer.prediction.pk for answer in answers if answer.prediction}
    given = [prediction for job in jobs if (prediction := _given(job))]
    return ScanSummary(
        scan=scan,
        answers=sorted(answers, key=lambda answer: (not answer.is_combined, answer.version.network)),
        earlier=[prediction for prediction in given if prediction.pk not in shown],
    )


def _answer(scan: Scan, jobs: Sequence[Job], more: _More) -> Answer:
    """jobs: of one model version, newest first."""
    newest = next((prediction for job in jobs if (prediction := _given(job))), None)
    return Answer(
        version=jobs[0].scan[1],
        prediction=newest,
        headline=words.headline(newest) if newest else "",
        frames=words.frames(newest.frames, scan.image.frames) if newest and newest.frames else "",
        why=[_why(row) for row in _newest_of_each(more.explanations[newest.pk])] if newest else [],
        work=[_work(job, more.places.get(job.pk)) for job in _worth_telling(jobs, newest)],
        repetition=more.repetitions.get(newest.pk) if newest else None,
        fitness=more.judged[jobs[0].scan[1].pk],
    )


def _given(job: Job) -> Prediction | None:
    prediction: Prediction | None = getattr(job, "answer", None)
    return prediction


def _newest_of_each(explanations: Iterable[Explanation]) -> list[Explanation]:
    """One for each method and class, those of the class that was called first. explanations: newest first."""
    found: dict[tuple[bool, str], Explanation] = {}
    for row in explanations:
        found.setdefault((not row.explains_prediction, row.method), row)
    return [found[key] for key in sorted(found)]


def _worth_telling(jobs: Sequence[Job], newest: Prediction | None) -> list[Job]:
    """What is still to be done, and what failed after (or instead of) the newest answer."""
    told = []
    for job in reversed(jobs):
        failed = job.state in {Job.State.FAILED, Job.State.CANCELLED}
        is_news = newest is None or job.created_at > newest.created_at or job.prediction_id == newest.pk
        if not job.is_over or (failed and is_news):
            told.append(job)
    return told


def _work(job: Job, place: int | None) -> JobSummary:
    recorded = said(job.failure_detail) or gettext("No reason was recorded.")
    reason = recorded if job.state == Job.State.FAILED else ""
    return JobSummary(
        job=job,
        subject=words.subject(job),
        stage="" if job.is_over else words.stage(job, place),
        reason=gettext("It was cancelled.") if job.state == Job.State.CANCELLED else reason,
    )


def _why(explanation: Explanation) -> ExplanationSummary:
    name = words.method(explanation.method)
    if not explanation.explains_prediction:
        name = gettext("{method}, for {label}").format(method=name, label=said(explanation.class_label))
    return ExplanationSummary(explanation, name, words.trust(explanation))
