"""Does a request carry the right bearer token?"""

import secrets

from starlette.requests import Request


def has_token(request: Request, token: str) -> bool:
    """Whether the request's Authorization header is `Bearer` and this token."""
    expected = f"Bearer {token}".encode()
    return secrets.compare_digest(request.headers.get("Authorization", "").encode(), expected)
