"""The cases part of the API."""

from django.urls import path

from cases.api import (
    advice,
    calibrations,
    files,
    patients,
    reading,
    results,
    submission,
    uploads,
    views,
    withdrawal,
)

urlpatterns = [
    path("cases/", views.Cases.as_view(), name="cases"),
    path("cases/<uuid:pk>/", views.OneCase.as_view(), name="case"),
    path("cases/<uuid:pk>/birth-date/", patients.CorrectBirthDate.as_view(), name="correct-birth-date"),
    path("cases/<uuid:pk>/reading/", reading.Reading.as_view(), name="reading"),
    path("cases/<uuid:pk>/advice/", advice.CurrentAdvice.as_view(), name="current-advice"),
    path("advice/<uuid:pk>/answers/", advice.AnswerAdvice.as_view(), name="answer-advice"),
    path("cases/<uuid:pk>/scans/", submission.Scans.as_view(), name="scans"),
    path("cases/<uuid:pk>/uploads/", uploads.OpenUpload.as_view(), name="uploads"),
    path("uploads/<uuid:pk>/", uploads.OneUpload.as_view(), name="upload"),
    path("uploads/<uuid:pk>/parts/", uploads.UploadParts.as_view(), name="upload-parts"),
    path("uploads/<uuid:pk>/commit/", uploads.CommitUpload.as_view(), name="commit-upload"),
    path("scans/<uuid:pk>/", views.OneScan.as_view(), name="scan"),
    path("scans/<uuid:pk>/original", files.Original.as_view(), name="original"),
    path("scans/<uuid:pk>/frames/<int:index>", files.Frame.as_view(), name="frame"),
    path("scans/<uuid:pk>/frames-to-read/", views.FramesToRead.as_view(), name="frames-to-read"),
    path("scans/<uuid:pk>/try-again/", views.TryAgain.as_view(), name="try-again"),
    path("scans/<uuid:pk>/calibrations/", calibrations.Calibrations.as_view(), name="calibrations"),
    path("scans/<uuid:pk>/depth-marks/<int:index>", calibrations.DepthMarks.as_view(), name="depth-marks"),
    path(
        "calibrations/<uuid:pk>/withdrawal/",
        calibrations.WithdrawCalibration.as_view(),
        name="withdraw-calibration",
    ),
    path("scans/<uuid:pk>/withdrawal/", withdrawal.WithdrawScan.as_view(), name="withdraw-scan"),
    path("jobs/<uuid:pk>/", results.OneJob.as_view(), name="job"),
    path("jobs/<uuid:pk>/cancel/", results.CancelJob.as_view(), name="cancel-job"),
    path("predictions/<uuid:pk>/", results.OnePrediction.as_view(), name="prediction"),
    path("predictions/<uuid:pk>/explanations/", results.Explain.as_view(), name="explain"),
    path("predictions/<uuid:pk>/repetitions/", results.RunAgain.as_view(), name="run-again"),
    path("explanations/<uuid:pk>/", results.OneExplanation.as_view(), name="explanation"),
    path("explanations/<uuid:pk>/heatmap", files.Heatmap.as_view(), name="heatmap"),
    path("explanations/<uuid:pk>/segments", files.Segments.as_view(), name="segments"),
]
