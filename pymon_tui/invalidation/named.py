"""Whether Sentinels still name the server that a run is on."""

from __future__ import annotations

from dataclasses import dataclass

from pymon_tui.invalidation.pipe import open_pipe
from pymon_tui.model.link import Trouble
from pymon_tui.server.endpoint import Endpoint
from pymon_tui.server.reasons import LinkError
from pymon_tui.server.sentinel import primary_of


class Replaced(LinkError):  # noqa: N818 - what was found
    """Sentinels name another server than this one."""


@dataclass(frozen=True, slots=True)
class Named:
    """A server, and the service whose primary it is to be, if Sentinels were asked for that.

    Attributes:
        endpoint: Where it is reached.
        run_id: Of its process; empty where it doesn't tell.
    """

    endpoint: Endpoint
    run_id: str

    async def must_be(self) -> None:
        """Ask the Sentinels, if there are any, whether this is the primary.

        One that was cut off from the others, or has just come back, says so itself and takes writes, which are lost
        as soon as it follows the new one.

        Raises:
            Replaced: If they name another server.
            LinkError: If none of them answers.
        """
        service = self.endpoint.watched
        if service is None:
            return
        named = await primary_of(self.endpoint, service)
        if named.address == self.endpoint.address:
            return
        pipe = await open_pipe(named)
        await pipe.close()
        if not self.run_id or pipe.identity.run_id != self.run_id:
            what = f"{self.endpoint.label} is not the primary of {service.name} any more: that is {named.address}"
            raise Replaced(Trouble.UNREACHABLE, what, "begin anew there")

    async def may_be(self) -> None:
        """As ``must_be``, in the middle of the work: where no Sentinel answers nobody knows yet.

        Raises:
            Replaced: If they name another server.
        """
        try:
            await self.must_be()
        except Replaced:
            raise
        except LinkError:
            return
