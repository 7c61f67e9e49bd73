"""The cases pages."""

from django.urls import path

from cases.advice import views as advice_views
from cases.case_page import job_views, upload_views
from cases.case_page import views as case_views
from cases.report import views as report_views
from cases.review import views as review_views
from cases.uploads import views as uploads_views
from cases.viewer import views as viewer_views
from cases.worklist import views as worklist_views

app_name = "cases"
urlpatterns = [
    path("", worklist_views.worklist_page, name="worklist"),
    path("views/", worklist_views.save_view, name="save_view"),
    path("views/<uuid:pk>/forget/", worklist_views.forget_view, name="forget_view"),
    path("department/", worklist_views.department_page, name="department"),
    path("cases/next/", worklist_views.next_page, name="next"),
    path("cases/new/", case_views.open_case, name="open_case"),
    path("cases/<uuid:pk>/", case_views.case, name="case"),
    path("cases/<uuid:pk>/live/", case_views.live, name="live"),
    path("cases/<uuid:pk>/presence/", case_views.presence, name="presence"),
    path("cases/<uuid:pk>/scans/", upload_views.upload, name="upload"),
    path("cases/<uuid:pk>/uploads/", uploads_views.begin, name="begin_upload"),
    path("uploads/<uuid:pk>/", uploads_views.understood, name="understood"),
    path("uploads/<uuid:pk>/parts/", uploads_views.add_part, name="upload_parts"),
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
    path("scans/<uuid:pk>/calibrations/", review_views.calibrate, name="calibrate"),
    path("calibrations/<uuid:pk>/withdraw/", review_views.withdraw_calibration, name="withdraw_calibration"),
    path("scans/<uuid:pk>/withdraw/", upload_views.withdraw, name="withdraw_scan"),
    path("scans/<uuid:pk>/try-again/", case_views.try_again, name="try_again"),
    path("scans/<uuid:pk>/choose-frames/", case_views.choose_frames, name="choose_frames"),
    path("scans/<uuid:pk>/frames/<int:number>", viewer_views.frame, name="frame"),
    path("scans/<uuid:pk>/across/rows/<int:number>", viewer_views.cut, {"across": "rows"}, name="cut_rows"),
    path(
        "scans/<uuid:pk>/across/columns/<int:number>",
        viewer_views.cut,
        {"across": "columns"},
        name="cut_columns",
    ),
    path("scans/<uuid:pk>/depth-marks/<int:number>", viewer_views.depth_marks, name="depth_marks"),
    path("answers/<uuid:pk>/explain/", case_views.explain, name="explain"),
    path("answers/<uuid:pk>/run-again/", case_views.run_again, name="run_again"),
    path("explanations/<uuid:pk>/heatmap/<int:row>", viewer_views.heatmap, name="heatmap"),
    path("explanations/<uuid:pk>/pieces/<int:row>", viewer_views.pieces, name="pieces"),
    path("jobs/<uuid:pk>/cancel/", job_views.cancel_job, name="cancel_job"),
    path("jobs/<uuid:pk>/again/", job_views.ask_again, name="ask_again"),
]
