"""The bell's pages."""

from django.urls import path

from notices import views

app_name = "notices"
urlpatterns = [
    path("", views.notices, name="notices"),
    path("bell/", views.bell, name="bell"),
    path("read/", views.read_all, name="read_all"),
    path("<int:pk>/", views.look, name="look"),
    path("<int:pk>/read/", views.read, name="read"),
]
