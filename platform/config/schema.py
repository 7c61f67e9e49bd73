"""The OpenAPI schema: how the API names its token, and every problem an operation may answer."""

from http import HTTPStatus
from typing import Any, Literal

from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from drf_spectacular.openapi import AutoSchema
from rest_framework.permissions import SAFE_METHODS, IsAuthenticated

from config.problems import MEDIA_TYPE, ProblemSerializer

Direction = Literal["request", "response"]


class TokenScheme(KnoxTokenScheme):  # type: ignore[no-untyped-call]  # registers itself by being defined
    """How the schema names our token authentication."""

    target_class = "accounts.tokens.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:  # noqa: ARG002
        """An `Authorization: Token ventra_...` header."""
        description = "`Authorization: Token ventra_...`, made by `manage.py service_account`."
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": description}


class DocumentedErrors(AutoSchema):
    """An operation's schema with every problem it can answer, so that no status is a surprise."""

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        responses: dict[str, Any] = super()._get_response_bodies(direction)
        for problem in self._problem_statuses():
            responses.setdefault(str(problem.value), {"description": problem.phrase})
        reference = self.resolve_serializer(ProblemSerializer(), "response").ref
        for status, response in responses.items():
            if status >= "400":
                response["content"] = {MEDIA_TYPE: {"schema": reference}}
        return dict(sorted(responses.items()))

    def _problem_statuses(self) -> list[HTTPStatus]:
        statuses = [HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_ACCEPTABLE, HTTPStatus.SERVICE_UNAVAILABLE]
        if "{" in self.path:
            statuses.append(HTTPStatus.NOT_FOUND)
        if self._takes_input():
            statuses.append(HTTPStatus.BAD_REQUEST)
        if self.method not in SAFE_METHODS:
            statuses += [HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE]
        if self.method not in SAFE_METHODS or self.view.permission_classes != [IsAuthenticated]:
            statuses.append(HTTPStatus.FORBIDDEN)
        return statuses

    def _takes_input(self) -> bool:
        return self.method not in SAFE_METHODS or self._is_list_view()

    def _map_basic_serializer(self, serializer: Any, direction: Direction) -> dict[str, Any]:
        """A request body says that it takes no other keys than these."""
        schema: dict[str, Any] = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        if direction == "request":
            schema["additionalProperties"] = False
        return schema
