"""What a person sees of a program on a terminal."""

from __future__ import annotations

import pyte

from tests.ui.pty_run import PtyRun


class Eyes:
    """What a person sees of a run, by a terminal that obeys everything it is sent."""

    def __init__(self, run: PtyRun, size: tuple[int, int]) -> None:
        self.screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self.screen)
        self._run = run
        self._fed = 0

    def see(self, text: str) -> bool:
        """Whether the text stands on the screen now."""
        new, self._fed = self._run.output[self._fed :], len(self._run.output)
        self._stream.feed(new)
        try:
            return any(text in line for line in self.screen.display)
        except IndexError:  # so far only half of what stands where a wide character stood
            return False

    def until(self, *texts: str) -> None:
        """Wait until one of the texts is seen."""
        try:
            self._run.until(lambda: any(self.see(text) for text in texts))
        except AssertionError:
            raise AssertionError("\n".join((f"never saw {texts}:", *self.screen.display))) from None

    def until_not(self, text: str) -> None:
        """Wait until the text is seen no more."""
        self._run.until(lambda: not self.see(text))


def walk(run: PtyRun, eyes: Eyes, *steps: tuple[bytes, str]) -> None:
    """Type each of the keys, and wait for what is then seen."""
    for keys, seen in steps:
        run.send(keys)
        eyes.until(seen)
