"""A LiveKit whose API answers 500, says nothing or hangs up, while 16 clients make calls.

SPDX-License-Identifier: MIT
"""
import pytest

from fake_media import livekit, stack  # noqa: F401
from rings import LATE_MS, LIVEKIT_SILENT_MS, Rings
from support.rounds import rounds
from support.wait import wait_until

FAULTS = {
    "answers 500": lambda fake: fake.fail("*", 500),
    "is silent": lambda fake: fake.silent("*"),
    "hangs up": lambda fake: fake.hang_up("*"),
}


@pytest.mark.full
@pytest.mark.parametrize("fault", FAULTS)
def test_livekit(load, stack, livekit, fault):
    """Calls go on; rings end at most 10 s later than they should. Only in full: 3."""
    n, late = rounds(1, 3), []
    for _ in range(n):
        asked = len(livekit.calls)
        load.broke()
        FAULTS[fault](livekit)
        late.append(Rings(stack).begin().on_time(LIVEKIT_SILENT_MS + LATE_MS))
        wait_until(lambda: len(livekit.calls) > asked, 10, what="a call of LiveKit's API")
        livekit.heal()
        load.mended()
        load.recovered()
    late.append(Rings(stack).begin().on_time(LIVEKIT_SILENT_MS + LATE_MS))
    load.stop()
    figures = load.verify()
    assert figures.not_served == {}
    figures.write(f"LiveKit: its API {fault}", n, f"rings at most {max(late)} ms late")
