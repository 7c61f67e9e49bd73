"""Dates in English pages: as ISO 8601 writes them, which no country reads the wrong way round."""

DATE_FORMAT = SHORT_DATE_FORMAT = "Y-m-d"
DATETIME_FORMAT = SHORT_DATETIME_FORMAT = "Y-m-d H:i"
TIME_FORMAT = "H:i"
SECOND_FORMAT = "Y-m-d H:i:s"
CLOCK_FORMAT = "H:i:s"
RECENT_FORMAT = "d M H:i"
DAY_FORMAT = "d M"
