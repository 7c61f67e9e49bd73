"""Log in, log out, change password: allauth's views in our pages.

Only these: what else allauth can do (a reset by e-mail, more addresses) needs a mail server, and an
administrator hands out a one-time link instead (config.password_pages).
"""

from allauth.account import views
from django.urls import path

from accounts.views import login, overview

urlpatterns = [
    path("", overview, name="account_overview"),
    path("login/", login, name="account_login"),
    path("logout/", views.logout, name="account_logout"),
    path("password/change/", views.password_change, name="account_change_password"),
    path("signup/", views.signup, name="account_signup"),  # says that nobody signs up here
    path("inactive/", views.account_inactive, name="account_inactive"),
]
