"""Microsoft's own Durable extension behind the local host: a program beside it that calls functions through a door."""

from local.extension.microsoft_extension import ExtensionUnusable, MicrosoftExtension

__all__ = ["ExtensionUnusable", "MicrosoftExtension"]
