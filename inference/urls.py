"""The models and queue pages."""

from django.urls import path

from inference import registry_views, views, work_views

app_name = "inference"
urlpatterns = [
    path("models/", views.models, name="models"),
    path("models/upload/", registry_views.upload, name="upload"),
    path("models/train/", work_views.train, name="train"),
    path("models/work/", work_views.all_work, name="all_work"),
    path("models/work/<uuid:pk>/", work_views.work, name="work"),
    path("models/at/", registry_views.seats, name="seats"),
    path("models/<uuid:pk>/", views.model, name="model"),
    path("models/<uuid:pk>/compare/", registry_views.compare, name="compare"),
    path("models/<uuid:pk>/<slug:name>/", registry_views.move, name="move"),
    path("queue/", views.queue_page, name="queue"),
    path("queue/<uuid:pk>/cancel/", views.cancel_job, name="cancel_job"),
]
