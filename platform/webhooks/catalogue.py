"""Every event there is, and where in the API its identifiers lead to: see docs/webhooks.md.

A name stays what it is; fields may be added. A change that breaks receivers is a new VERSION.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

VERSION = 1
TEST = "test"
EVENTS: Mapping[str, Promise] = {
    "answer.ready": _("a model has answered about a scan, or refused to"),
    "explanation.ready": _("an answer was explained"),
    "job.failed": _("an answer, an explanation or a repetition was given up"),
    "advice.given": _("the next acquisition was advised on"),
    "advice.answered": _("somebody has said what became of an advice"),
    "scan.withdrawn": _("a scan was taken out of its case"),
    "case.signed": _("a case was signed"),
    "case.amended": _("a signed case was added to"),
    "model.activated": _("a model version was put into use"),
    "model.quarantined": _("a model version was taken out of use because its file is not what it was"),
}
OF_THE_HOUSE = frozenset({"model.activated", "model.quarantined"})
"""Events that are about no department's cases: whoever has chosen them hears of them."""

LINKS: Mapping[str, str] = {
    "case": "/api/v1/cases/{}/",
    "scan": "/api/v1/scans/{}/",
    "job": "/api/v1/jobs/{}/",
    "prediction": "/api/v1/predictions/{}/",
    "explanation": "/api/v1/explanations/{}/",
    "model": "/api/v1/models/{}/",
}


def links(data: Mapping[str, Any]) -> dict[str, str]:
    """Where in the API to read more, for each identifier in the data."""
    return {name: path.format(data[name]) for name, path in LINKS.items() if data.get(name)}
