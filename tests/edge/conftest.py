"""Somebody who may do everything, and one of everything to do it to."""

import ipaddress
from datetime import timedelta
from types import SimpleNamespace

import answers
import numpy as np
import pytest
from django.core.files.base import ContentFile

from accounts.models import Membership, Role, User
from accounts.tokens import issue_token
from cases import calibrations, events, intake, services
from cases.models import SavedView
from cases.review import measurements
from cases.review.measurements import Points
from cases.uploads import service as uploads
from inference.jobs import state as jobs
from inference.models import Image, Job
from inference.phantom.export import nifti_bytes
from notices.telling import tell
from webhooks import services as webhooks


@pytest.fixture
def everybody(department) -> User:
    """One person with every role."""
    user = User.objects.create_superuser("everybody", password="correct horse battery staple")
    for role in Role.values:
        Membership.objects.create(user=user, department=department, role=role)
    return user


@pytest.fixture
def world(everybody, department, phantom_png, tmp_path, settings) -> SimpleNamespace:
    """A row in every table that an address may ask for."""
    settings.WEBHOOK_ALLOW_HTTP = True
    settings.WEBHOOK_ALLOWED_NETWORKS = [ipaddress.ip_network("127.0.0.1/32")]
    case, _ = services.open_case(
        by=everybody, department=department, patient_id="P-1", gestational_age_days=171
    )
    answers.active_version(tmp_path)
    scan, _ = intake.receive(
        case, ContentFile(phantom_png()), modality="ultrasound", by=everybody, file_name="scan.png"
    )
    explanation = answers.explanation(answers.answer(scan.image.jobs.get()))
    other, _ = services.open_case(by=everybody, department=department, patient_id="P-2")
    unread, _ = intake.receive(
        other, ContentFile(phantom_png(seed=2)), modality="ultrasound", by=everybody, file_name="scan.png"
    )
    waiting = unread.image.jobs.get()
    jobs.submit(Job.Kind.CHECK, requested_by=everybody)
    points = Points(0, (1.0, 1.0), (4.0, 5.0))
    measurements.measure(scan, points, by=everybody, tool="distance")
    answers.advice(case)
    Image.objects.filter(pk=unread.image_id).update(row_spacing=None, column_spacing=None)
    unread.refresh_from_db()
    line = Points(0, (10.0, 10.0), (10.0, 60.0))
    calibrations.calibrate(unread, line, by=everybody, length_mm=20)
    stack = ContentFile(nifti_bytes(np.ones((2, 32, 40), np.uint8), (1.0, 1.0), 2.0))
    intake.receive(other, stack, modality="mri", by=everybody, file_name="volume.nii")
    session = uploads.open_session(case, "ultrasound", by=everybody)
    uploads.add_part(session, ContentFile(phantom_png(seed=3), name="third.png"), by=everybody)
    SavedView.objects.create(owner=everybody, name="Urgent", query="order=urgent")
    endpoint, _ = webhooks.create(
        by=everybody,
        department=department,
        name="viewer",
        address="http://127.0.0.1:9/x",
        events=("case.signed",),
    )
    webhooks.send_test(endpoint, by=everybody)
    tell("case.assigned", [everybody.pk], subject=str(case.pk), **events.about(scan).names, by="x")
    return SimpleNamespace(
        case=case,
        scan=scan,
        explanation=explanation,
        waiting=waiting,
        user=everybody,
        token=issue_token(everybody, lifetime=timedelta(hours=1)),
    )
