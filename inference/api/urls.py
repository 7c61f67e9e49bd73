"""The inference part of the API."""

from django.urls import path

from inference.api import views

urlpatterns = [
    path("models/", views.Models.as_view(), name="models"),
    path("models/at/", views.Seats.as_view(), name="seats"),
    path("models/<uuid:pk>/", views.Model.as_view(), name="model"),
]
