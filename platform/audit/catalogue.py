"""Every kind of event there is, with the sentence an auditor reads and chooses by."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy

SENTENCES: Mapping[str, str | Promise] = {
    # accounts
    "account.logged_in": gettext_lazy("logged in"),
    "account.logged_out": gettext_lazy("logged out"),
    "account.login_failed": gettext_lazy("failed to log in"),
    "account.password_changed": gettext_lazy("changed their password"),
    "account.link_made": gettext_lazy("made a one-time link for a new password"),
    "account.link_opened": gettext_lazy("opened a one-time link"),
    "account.password_chosen": gettext_lazy("chose a password through a one-time link"),
    "account.changed": gettext_lazy("changed an account or department"),
    "account.deleted": gettext_lazy("deleted an account or department"),
    "account.role_given": gettext_lazy("gave a role"),
    "account.role_taken": gettext_lazy("took a role away"),
    "adjudicator.named": gettext_lazy("named an adjudicator from elsewhere"),
    "adjudicator.released": gettext_lazy("took an adjudicator from elsewhere back"),
    "account.password_closed": gettext_lazy("closed an account with the demo's published password"),
    "account.administrator_made": gettext_lazy("made the first administrator"),
    "account.service_created": gettext_lazy("created a service account"),
    "account.token_issued": gettext_lazy("issued an API token"),
    "account.token_revoked": gettext_lazy("revoked an API token"),
    "account.confirmation_failed": gettext_lazy("gave a wrong password where it was asked for again"),
    "access.refused": gettext_lazy("was refused access"),
    # the record
    "case.opened": gettext_lazy("opened the case"),
    "case.viewed": gettext_lazy("viewed the case"),
    "prior.viewed": gettext_lazy("saw what was signed, beside a later case of the patient"),
    "case.listed": gettext_lazy("listed cases"),
    "scan.added": gettext_lazy("added a scan"),
    "upload.opened": gettext_lazy("began to upload files"),
    "upload.part_added": gettext_lazy("uploaded a file or an archive, not yet a scan"),
    "upload.committed": gettext_lazy("made scans of uploaded files"),
    "scan.refused": gettext_lazy("submitted a file that was refused"),
    "scan.identified": gettext_lazy("kept what a scan's file says of patient and study"),
    "scan.mismatch_overridden": gettext_lazy("took a scan whose file names another patient"),
    "scan.withdrawn": gettext_lazy("withdrew a scan"),
    "patient.birth_date_corrected": gettext_lazy("corrected the patient's birth date"),
    "scan.viewed": gettext_lazy("viewed the scan's pixels"),
    "scan.original_downloaded": gettext_lazy("downloaded the original file"),
    "scan.tried_again": gettext_lazy("asked again for the answers that are missing"),
    "scan.frames_chosen": gettext_lazy("chose other frames to be read"),
    "prediction.viewed": gettext_lazy("read an answer"),
    "explanation.viewed": gettext_lazy("viewed a heatmap"),
    "read.filed": gettext_lazy("filed a read"),
    "read.confirmed": gettext_lazy("confirmed a joint read"),
    "case.signed": gettext_lazy("signed the case"),
    "case.amended": gettext_lazy("added an addendum"),
    "case.assigned": gettext_lazy("assigned the case"),
    "case.released": gettext_lazy("released the case"),
    "case.reported": gettext_lazy("took the report"),
    "department.viewed": gettext_lazy("looked at how the department reads"),
    "scan.calibrated": gettext_lazy("said how large a scan's pixels are"),
    "calibration.withdrawn": gettext_lazy("withdrew a calibration"),
    "measurement.made": gettext_lazy("measured"),
    "measurement.withdrawn": gettext_lazy("withdrew a measurement"),
    "atrium.stated": gettext_lazy("said whether an atrium can be measured"),
    "advice.given": gettext_lazy("advised on the next acquisition"),
    "advice.answered": gettext_lazy("answered an advice"),
    "advice.followed": gettext_lazy("compared a scan with the advice it follows"),
    # inference
    "job.queued": gettext_lazy("queued a job"),
    "job.requeued": gettext_lazy("put a job back in the queue"),
    "job.failed": gettext_lazy("gave a job up"),
    "job.cancelled": gettext_lazy("cancelled a job"),
    "prediction.published": gettext_lazy("published an answer"),
    "explanation.published": gettext_lazy("published an explanation"),
    "prediction.reproduced": gettext_lazy("ran an answer again and compared"),
    "quality.measured": gettext_lazy("checked a scan's quality"),
    "model.registered": gettext_lazy("registered a model version"),
    "model.evaluated": gettext_lazy("recorded the evaluation of a model version"),
    "model.upload_refused": gettext_lazy("uploaded a weights file that was refused"),
    "model.activated": gettext_lazy("activated a model version"),
    "model.unfit": gettext_lazy("found that a model version in use does not meet the rule for use"),
    "model.deactivated": gettext_lazy("took a model version out of use"),
    "model.shadow_started": gettext_lazy("let a candidate answer scans unseen"),
    "model.shadow_stopped": gettext_lazy("ended a candidate's unseen answers"),
    "model.quarantined": gettext_lazy("quarantined a model version"),
    "model.readmitted": gettext_lazy("took a quarantined model version back"),
    # the installation as a whole
    "installation.backed_up": gettext_lazy("put the installation away in a backup"),
    "installation.restored": gettext_lazy("brought the installation back from a backup"),
    # webhooks
    "webhook.created": gettext_lazy("added a webhook"),
    "webhook.changed": gettext_lazy("changed a webhook"),
    "webhook.secret_rotated": gettext_lazy("made a new secret for a webhook"),
    "webhook.disabled": gettext_lazy("disabled a webhook"),
    "webhook.enabled": gettext_lazy("enabled a webhook"),
    "webhook.tested": gettext_lazy("sent a test to a webhook"),
    "webhook.sent_again": gettext_lazy("sent a webhook's message again"),
    # the audit itself
    "audit.checked": gettext_lazy("had both chains of the record walked and checked"),
    "audit.viewed": gettext_lazy("read the audit trail"),
    "audit.exported": gettext_lazy("exported the audit trail"),
}


def choices() -> list[tuple[str, str]]:
    """(verb, its words) of every kind, as a list to choose from shows them: by their letters."""
    words = ((verb, capfirst(str(sentence))) for verb, sentence in SENTENCES.items())
    return sorted(words, key=lambda choice: choice[1].casefold())
