"""Log in, log out, change password: allauth's views in our pages."""

from django.urls import include, path

urlpatterns = [
    path("", include("allauth.account.urls")),
]
