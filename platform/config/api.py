"""What every API list shares."""

from rest_framework.pagination import CursorPagination


class NewestFirst(CursorPagination):
    """Keyset pages: the millionth row costs what the first one does."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    ordering = "-opened_at"
