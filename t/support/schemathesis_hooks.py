"""For the walks of test_schemathesis.py: each begins with a call of its own, of people who are free. Left to
chance most would end at once, at a creator who is in another call. SPDX-License-Identifier: MIT"""
import itertools

import schemathesis

_walk = itertools.count(1)


@schemathesis.hook("map_body").apply_to(method="POST", path="/rooms")
def people_of_its_own(_context, body):
    if not isinstance(body, dict):
        return body
    n = next(_walk)
    return {**body, "creator": f"walker-{n}", "uids": [f"callee-{n}", f"other-{n}"], "room_id": None,
            "max_participants": 9}
