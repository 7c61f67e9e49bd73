"""The cases pages."""

from django.urls import path

from cases import pixel_views, upload_views, views

app_name = "cases"
urlpatterns = [
    path("", views.worklist_page, name="worklist"),
    path("cases/new/", views.open_case, name="open_case"),
    path("cases/<uuid:pk>/", views.case, name="case"),
    path("cases/<uuid:pk>/live/", views.live, name="live"),
    path("cases/<uuid:pk>/scans/", upload_views.upload, name="upload"),
    path("scans/<uuid:pk>/try-again/", views.try_again, name="try_again"),
    path("scans/<uuid:pk>/choose-frames/", views.choose_frames, name="choose_frames"),
    path("scans/<uuid:pk>/frames/<int:number>", pixel_views.frame, name="frame"),
    path("answers/<uuid:pk>/explain/", views.explain, name="explain"),
    path("answers/<uuid:pk>/run-again/", views.run_again, name="run_again"),
    path("explanations/<uuid:pk>/heatmap/<int:row>", pixel_views.heatmap, name="heatmap"),
    path("jobs/<uuid:pk>/cancel/", views.cancel_job, name="cancel_job"),
]
