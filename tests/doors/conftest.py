"""A person at the terminal, and runs that don't wait to feel an idle server."""

from __future__ import annotations

from tests.removing.conftest import _at_once as _at_once
from tests.removing.conftest import answers as answers
