"""What has happened that concerns you."""
