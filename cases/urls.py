"""The cases pages."""

from django.urls import path

from cases import advice_views, job_views, pixel_views, review_views, upload_views, views
from cases.report import views as report_views

app_name = "cases"
urlpatterns = [
    path("", views.worklist_page, name="worklist"),
    path("views/", views.save_view, name="save_view"),
    path("views/<uuid:pk>/forget/", views.forget_view, name="forget_view"),
    path("department/", views.department_page, name="department"),
    path("cases/new/", views.open_case, name="open_case"),
    path("cases/<uuid:pk>/", views.case, name="case"),
    path("cases/<uuid:pk>/live/", views.live, name="live"),
    path("cases/<uuid:pk>/scans/", upload_views.upload, name="upload"),
    path("cases/<uuid:pk>/reads/", review_views.file_read, name="file_read"),
    path("cases/<uuid:pk>/draft/", review_views.keep_draft, name="keep_draft"),
    path("cases/<uuid:pk>/joint/", review_views.joint, name="joint"),
    path("cases/<uuid:pk>/sign/", review_views.sign, name="sign"),
    path("cases/<uuid:pk>/addenda/", review_views.add_addendum, name="add_addendum"),
    path("cases/<uuid:pk>/report.pdf", report_views.report_pdf, name="report"),
    path("cases/<uuid:pk>/report/", report_views.report_page, name="report_page"),
    path("cases/<uuid:pk>/assign/", review_views.assign, name="assign"),
    path("cases/<uuid:pk>/atria/", review_views.state_atrium, name="state_atrium"),
    path("cases/<uuid:pk>/birth-date/", review_views.correct_birth_date, name="correct_birth_date"),
    path("cases/<uuid:pk>/findings/", review_views.findings, name="findings"),
    path("scans/<uuid:pk>/measurements/", review_views.measure, name="measure"),
    path("advice/<uuid:pk>/answer/", advice_views.answer_advice, name="answer_advice"),
    path("measurements/<uuid:pk>/withdraw/", review_views.withdraw, name="withdraw"),
    path("scans/<uuid:pk>/withdraw/", upload_views.withdraw, name="withdraw_scan"),
    path("scans/<uuid:pk>/try-again/", views.try_again, name="try_again"),
    path("scans/<uuid:pk>/choose-frames/", views.choose_frames, name="choose_frames"),
    path("scans/<uuid:pk>/frames/<int:number>", pixel_views.frame, name="frame"),
    path("answers/<uuid:pk>/explain/", views.explain, name="explain"),
    path("answers/<uuid:pk>/run-again/", views.run_again, name="run_again"),
    path("explanations/<uuid:pk>/heatmap/<int:row>", pixel_views.heatmap, name="heatmap"),
    path("explanations/<uuid:pk>/pieces/<int:row>", pixel_views.pieces, name="pieces"),
    path("jobs/<uuid:pk>/cancel/", job_views.cancel_job, name="cancel_job"),
    path("jobs/<uuid:pk>/again/", job_views.ask_again, name="ask_again"),
]
