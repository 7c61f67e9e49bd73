"""The language of whoever looks: words, numbers and dates. docs/languages.md explains it."""
