"""Every address there is."""

from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularSwaggerSplitView

from config import admin, language_page, password_pages, token_pages, views
from config.problems import api_not_found

api_v1: list[URLPattern | URLResolver] = [
    path("schema/", views.schema, name="schema"),
    path("", include("cases.api.urls")),
    path("", include("inference.api.urls")),
]

urlpatterns = [
    path("admin/", admin.site.urls),
    path("account/language/", language_page.choose, name="choose_language"),
    path("account/new-password/", password_pages.new_password, name="account_new_password"),
    path("account/tokens/", token_pages.tokens, name="account_tokens"),
    path("account/tokens/all/", token_pages.everybodys_tokens, name="everybodys_tokens"),
    path("account/tokens/<str:digest>/revoke/", token_pages.revoke_token, name="account_revoke_token"),
    path("account/", include("accounts.urls")),
    path("api/v1/", include((api_v1, "api"))),
    path(
        "api/docs/",
        SpectacularSwaggerSplitView.as_view(
            url_name="api:schema",
            template_name="api/docs.html",
            permission_classes=[],
            authentication_classes=[],
        ),
        name="api-docs",
    ),
    re_path(r"^api/", api_not_found),  # whatever follows, line breaks too
    path("audit/", include("audit.urls")),
    path("notices/", include("notices.urls")),
    path("webhooks/", include("webhooks.urls")),
    path("", include("inference.urls")),
    path("", include("cases.urls")),
]

handler400 = "config.problems.bad_request"
handler500 = "config.problems.server_error"
