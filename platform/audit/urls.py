"""The audit pages."""

from django.urls import path, re_path

from audit import views

app_name = "audit"
urlpatterns = [
    path("", views.trail, name="trail"),
    path("check/", views.check, name="check"),
    re_path(r"^export\.(?P<form>csv|jsonl)$", views.download, name="export"),
]
