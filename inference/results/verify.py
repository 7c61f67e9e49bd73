"""Do answers, explanations and jobs still fit together?"""

from collections.abc import Iterator

from django.db.models import F, Model, Q

from audit.models import Event
from inference.models import Activation, Explanation, Job, ModelVersion, Prediction, Quality, Repetition
from inference.results.store import digest


def faults() -> Iterator[str]:
    """One sentence for each row that does not fit those it rests on."""
    for prediction in _unfit_predictions():
        yield f"prediction {prediction.pk} does not match its model version or job"
    for explanation in _unbound_explanations():
        yield f"explanation {explanation.pk} is not bound to its prediction"
    yield from changed("prediction.published", Prediction, "published")
    yield from changed("explanation.published", Explanation, "published")
    yield from changed("prediction.reproduced", Repetition, "published")
    yield from changed("quality.measured", Quality, "published")
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


def changed(verb: str, table: type[Model], done: str) -> Iterator[str]:
    """One sentence for each row that its audit line does not vouch for: the line carries the row's digest.

    done: what the verb did to the row, in the sentence.
    """
    told = dict(Event.objects.filter(verb=verb).values_list("subject_id", "detail__digest"))
    name = table._meta.verbose_name
    for row in table._default_manager.iterator():
        expected = told.pop(str(row.pk), None)
        if expected is None:
            yield f"{name} {row.pk} was never {done}"
        elif digest(row) != expected:
            yield f"{name} {row.pk} was changed after it was {done}"
    for missing in told:
        yield f"{name} {missing} was {done} and is gone"
