"""What every address of the API shares: pages of lists, and the limit of a body."""

from collections.abc import Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext
from rest_framework.exceptions import ErrorDetail, NotFound, ParseError, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.parsers import JSONParser
from rest_framework.request import Request

if TYPE_CHECKING:  # the framework loads this module while it defines its own views
    from rest_framework.views import APIView


class KeysetPages(CursorPagination):
    """Keyset pages: the millionth row costs what the first one does. A view may set `ordering`."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    ordering = "-opened_at"

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: "APIView") -> Any:  # noqa: ARG002
        """The view's own ordering; no client chooses one."""
        return (getattr(view, "ordering", self.ordering),)

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: "APIView | None" = None
    ) -> list[Any] | None:
        """As the framework does it, but a forged cursor is the client's error and never ours."""
        self._refuse_misunderstood(request, view)
        try:
            return super().paginate_queryset(queryset, request, view)
        except (NotFound, DjangoValidationError, ValueError):
            raise ValidationError({"cursor": gettext("Not one of ours: follow next and previous.")}) from None

    def _refuse_misunderstood(self, request: Request, view: "APIView | None") -> None:
        """A parameter that is misspelt or empty must not quietly list everything."""
        filters: set[str] = set(getattr(getattr(view, "filterset_class", None), "base_filters", ()))
        known = filters | {self.cursor_query_param, self.page_size_query_param}
        unknown = ErrorDetail(gettext("There is no such parameter."), "unknown")
        empty = ErrorDetail(gettext("Give a value, or leave it out."), "empty")
        sent = request.query_params
        wrong = {name: unknown for name in sent if name not in known}
        wrong |= {name: empty for name in filters if sent.get(name) == ""}
        if wrong:
            raise ValidationError(wrong)

    def get_page_size(self, request: Request) -> int:
        """Between 1 and max_page_size; anything else is refused, not silently replaced."""
        asked = request.query_params.get(self.page_size_query_param or "", str(self.page_size))
        if not (asked.isascii() and asked.isdecimal() and 1 <= int(asked[:9]) <= self.max_page_size):
            sentence = gettext("A whole number from 1 to {most}.").format(most=self.max_page_size)
            raise ValidationError({"page_size": sentence})
        return int(asked)

    def get_schema_operation_parameters(self, view: "APIView") -> list[dict[str, Any]]:
        """The page size with its bounds."""
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            if parameter["name"] == self.page_size_query_param:
                parameter["schema"] |= {"minimum": 1, "maximum": self.max_page_size}
        return parameters


class BoundedJSONParser(JSONParser):
    """JSON up to DATA_UPLOAD_MAX_MEMORY_SIZE: the framework itself would read a body of any length."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The decoded body; ParseError also for JSON nested beyond what Python can hold."""
        context = dict(parser_context or {})
        length = context["request"].META.get("CONTENT_LENGTH") or 0
        if int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise RequestDataTooBig
        try:
            return super().parse(stream, media_type, context)
        except RecursionError:
            raise ParseError(gettext("JSON parse error - nested too deeply.")) from None
