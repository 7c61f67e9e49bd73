"""Many files on their way into a case: kept apart, looked at, shown, and only then made into scans."""
