"""Takes a task's secrets out of what it wrote, before anybody else has it.

Invariant: a secret is found also where it comes in several pieces; what may be the beginning of one waits for what follows.
"""

MASK = b"(secret)"


class SecretMask:
    """For one stream."""

    def __init__(self, secrets):
        # Of two that begin alike the longer one counts.
        self.secrets = sorted((secret.encode() for secret in secrets if secret), key=len, reverse=True)
        self.longest = len(self.secrets[0]) if self.secrets else 0
        self.held = b""

    def push(self, data: bytes) -> bytes:
        if not self.secrets:
            return data
        data = self.held + data
        done, self.held = self._masked(data, len(data) - self._begun(data))
        return done

    def end(self) -> bytes:
        """What was held back."""
        done, self.held = self._masked(self.held, len(self.held))
        return done

    def text(self, text: str) -> str:
        return self._masked(text.encode(), len(text.encode()))[0].decode(errors="replace")

    def rest(self, data: bytes, since: int) -> bytes:
        """The end of something that was read from its middle: what begins before `since` is left out."""
        _, rest = self._masked(data, since)
        return self._masked(rest, len(rest))[0]

    def _masked(self, data: bytes, limit: int) -> tuple[bytes, bytes]:
        """What lies before `limit`, and what begins there; a secret that reaches over it is masked whole."""
        parts, at = [], 0
        while (found := self._next(data, at)) is not None and found[0] < limit:
            parts += [data[at : found[0]], MASK]
            at = found[1]
        end = max(at, limit)
        return b"".join([*parts, data[at:end]]), data[end:]

    def _next(self, data: bytes, since: int) -> tuple[int, int] | None:
        places = [(at, at + len(secret)) for secret in self.secrets if (at := data.find(secret, since)) >= 0]
        return min(places, key=lambda place: place[0], default=None)

    def _begun(self, data: bytes) -> int:
        """Bytes at the end that may be the beginning of a secret."""
        lengths = range(min(self.longest - 1, len(data)), 0, -1)
        return next((n for n in lengths if any(len(one) > n and one.startswith(data[-n:]) for one in self.secrets)), 0)
