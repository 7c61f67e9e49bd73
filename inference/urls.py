"""The models and queue pages."""

from django.urls import path

from inference import views

app_name = "inference"
urlpatterns = [
    path("models/", views.models, name="models"),
    path("models/<uuid:pk>/", views.model, name="model"),
    path("queue/", views.queue_page, name="queue"),
    path("queue/<uuid:pk>/cancel/", views.cancel_job, name="cancel_job"),
]
