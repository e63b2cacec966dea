"""The one exception root: every error a user may meet derives from it."""


class NeoError(Exception):
    """Something a user can act on; the message says what was wrong, what was given, what is allowed."""


class RefusedError(NeoError):
    """A command was refused; nothing changed."""
