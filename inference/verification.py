"""Do answers, explanations and jobs still fit together?"""

from collections.abc import Iterator

from django.db.models import F, Q

from audit.models import Event
from inference.models import Activation, Explanation, Job, ModelVersion, Prediction, Repetition
from inference.results import digest


def faults() -> Iterator[str]:
    """One sentence for each row that does not fit those it rests on."""
    for prediction in _unfit_predictions():
        yield f"prediction {prediction.pk} does not match its model version or job"
    for explanation in _unbound_explanations():
        yield f"explanation {explanation.pk} is not bound to its prediction"
    yield from _changed_since_published("prediction.published", Prediction)
    yield from _changed_since_published("explanation.published", Explanation)
    yield from _changed_since_published("prediction.reproduced", Repetition)
    yield from _misplaced_versions()
    answered = [Job.Kind.PREDICT, Job.Kind.SHADOW]
    for job in Job.objects.filter(state=Job.State.SUCCEEDED, kind__in=answered, answer__isnull=True):
        yield f"job {job.pk} succeeded without an answer"


def _misplaced_versions() -> Iterator[str]:
    """A version that answers holds a seat, and is the file that was registered."""
    seated = Activation.objects.filter(ended_at__isnull=True).select_related("model_version")
    answering = {seat.model_version_id for seat in seated if not seat.is_unseen}
    registered = dict(
        Event.objects.filter(verb="model.registered").values_list("subject_id", "detail__weights_sha256")
    )
    for version in ModelVersion.objects.defer("card"):
        if (version.state == ModelVersion.State.ACTIVE) != (version.pk in answering):
            yield f"model version {version} is {version.state}, and its seat says otherwise"
        if registered.get(str(version.pk)) != version.weights_sha256:
            yield f"model version {version} does not have the weights it was registered with"


def _unfit_predictions() -> Iterator[Prediction]:
    fits = Q(
        weights_sha256=F("model_version__weights_id"),
        preprocessing_sha256=F("model_version__preprocessing_sha256"),
        threshold=F("model_version__threshold"),
        image=F("job__image"),
        model_version=F("job__model_version"),
    )
    yield from Prediction.objects.exclude(fits).iterator()


def _unbound_explanations() -> Iterator[Explanation]:
    bound = Q(
        input_sha256=F("prediction__input_sha256"),
        weights_sha256=F("prediction__weights_sha256"),
        preprocessing=F("prediction__preprocessing"),
        preprocessing_sha256=F("prediction__preprocessing_sha256"),
        job__prediction=F("prediction"),
    )
    honest = Q(explains_prediction=True, class_label=F("prediction__label")) | (
        Q(explains_prediction=False) & ~Q(class_label=F("prediction__label"))
    )
    yield from Explanation.objects.exclude(bound & honest).iterator()


def _changed_since_published(
    verb: str, table: type[Prediction] | type[Explanation] | type[Repetition]
) -> Iterator[str]:
    """The audit line of each published row carries the row's digest."""
    published = dict(Event.objects.filter(verb=verb).values_list("subject_id", "detail__digest"))
    name = table._meta.verbose_name
    for row in table._default_manager.iterator():
        expected = published.pop(str(row.pk), None)
        if expected is None:
            yield f"{name} {row.pk} was never published"
        elif digest(row) != expected:
            yield f"{name} {row.pk} was changed after it was published"
    for missing in published:
        yield f"{name} {missing} was published and is gone"
