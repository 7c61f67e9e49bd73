"""Every kind of event there is, with the sentence an auditor reads."""

SENTENCES = {
    # accounts
    "account.logged_in": "logged in",
    "account.logged_out": "logged out",
    "account.login_failed": "failed to log in",
    "account.password_changed": "changed their password",
    "account.changed": "changed an account, department or membership",
    "account.deleted": "deleted an account, department or membership",
    "account.service_created": "created a service account",
    "account.token_issued": "issued an API token",
    "account.token_revoked": "revoked an API token",
    # the record
    "case.opened": "opened the case",
    "case.viewed": "viewed the case",
    "case.listed": "listed cases",
    "scan.added": "added a scan",
    "scan.refused": "submitted a file that was refused",
    "scan.viewed": "viewed the scan's pixels",
    "scan.original_downloaded": "downloaded the original file",
    "scan.tried_again": "asked again for the answers that are missing",
    "scan.frames_chosen": "chose other frames to be read",
    "prediction.viewed": "read an answer",
    "explanation.viewed": "viewed a heatmap",
    # inference
    "job.queued": "queued a job",
    "job.requeued": "put a job back in the queue",
    "job.failed": "gave a job up",
    "job.cancelled": "cancelled a job",
    "prediction.published": "published an answer",
    "explanation.published": "published an explanation",
    "model.registered": "registered a model version",
    "model.evaluated": "recorded the evaluation of a model version",
    "model.upload_refused": "uploaded a weights file that was refused",
    "model.activated": "activated a model version",
    "model.deactivated": "took a model version out of use",
    "model.shadow_started": "let a candidate answer scans unseen",
    "model.shadow_stopped": "ended a candidate's unseen answers",
    "model.quarantined": "quarantined a model version",
    # the audit itself
    "audit.viewed": "read the audit trail",
    "audit.exported": "exported the audit trail",
}
