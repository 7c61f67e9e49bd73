"""The models and queue pages."""

from django.urls import path

from inference.jobs import views as job_views
from inference.registry import views as registry_views

app_name = "inference"
urlpatterns = [
    path("models/", registry_views.models, name="models"),
    path("models/upload/", registry_views.upload, name="upload"),
    path("models/train/", job_views.train, name="train"),
    path("models/work/", job_views.all_work, name="all_work"),
    path("models/work/<uuid:pk>/", job_views.work, name="work"),
    path("models/at/", registry_views.seats, name="seats"),
    path("models/<uuid:pk>/", registry_views.model, name="model"),
    path("models/<uuid:pk>/compare/", registry_views.compare, name="compare"),
    path("models/<uuid:pk>/<slug:name>/", registry_views.move, name="move"),
    path("queue/", job_views.queue_page, name="queue"),
    path("queue/<uuid:pk>/cancel/", job_views.cancel_job, name="cancel_job"),
]
