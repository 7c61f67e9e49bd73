"""Every address there is."""

from django.contrib import admin
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from config import views
from config.problems import api_not_found

api_v1 = [
    path(
        "schema/", SpectacularAPIView.as_view(permission_classes=[], authentication_classes=[]), name="schema"
    ),
    path("", include("cases.api.urls")),
    path("", include("inference.api.urls")),
]

urlpatterns = [
    path("healthz", views.alive),
    path("readyz", views.ready),
    path("admin/", admin.site.urls),
    path("account/", include("accounts.urls")),
    path("api/v1/", include((api_v1, "api"))),
    path(
        "api/docs/",
        SpectacularSwaggerSplitView.as_view(
            url_name="api:schema", permission_classes=[], authentication_classes=[]
        ),
        name="api-docs",
    ),
    re_path(r"^api/(.*)$", api_not_found),
    path("audit/", include("audit.urls")),
    path("", include("inference.urls")),
    path("", include("cases.urls")),
]
