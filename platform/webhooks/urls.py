"""The administrators' pages of webhooks."""

from django.urls import path

from webhooks import views

app_name = "webhooks"
urlpatterns = [
    path("", views.endpoints, name="endpoints"),
    path("new/", views.create, name="create"),
    path("<uuid:pk>/", views.endpoint, name="endpoint"),
    path("<uuid:pk>/change/", views.change, name="change"),
    path("<uuid:pk>/rotate/", views.rotate, name="rotate"),
    path("<uuid:pk>/<slug:name>/", views.act, name="act"),
    path("messages/<uuid:pk>/send-again/", views.send_again, name="send_again"),
]
