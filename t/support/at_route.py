"""A call and what the route answers its people. The stack has a RoutedNode as stack.node and an Api as stack.api.

SPDX-License-Identifier: MIT
"""
import requests

from support import cluster

IN = (200, "")
OUT = (401, "permissions denied: removed from the call")
OVER = (401, "permissions denied: the call is over")


def ask(stack, path="/rtc/validate", token=None, headers=None):
    return requests.get(stack.url + path, params={"access_token": token} if token else None, headers=headers, timeout=20)


class Call:
    """A call of three: its creator and bob are in it, cid rings. token(uid) is of before anything happened."""

    def __init__(self, stack):
        self.stack, self.api = stack, stack.api
        self.room, (self.ann, self.bob, self.cid), answer = cluster.new_call(stack, 3, max_participants=9)
        self.tokens = {self.ann: cluster.joined(stack, self.room, self.ann)["token"],
                       self.bob: cluster.joined(stack, self.room, self.bob)["token"],
                       self.cid: cluster.access_token(stack, self.room, self.cid)}

    def of(self, uid, what="", body=None, method="post"):
        path = f"/rooms/{self.room}/participants/{uid}{what}"
        answer = getattr(self.api, method)(path, body) if body is not None else getattr(self.api, method)(path)
        assert answer.status_code == 200, answer.text

    def post(self, what, body=None):
        answer = self.api.post(f"/rooms/{self.room}/{what}", body)
        assert answer.status_code == 200, answer.text

    def says(self, uid, forget=False, headers=None):
        """What the route answers that person, and whether it reached the node."""
        if forget:
            self.stack.redis().delete(f"tgo:room:{self.room}")
        self.stack.node.came()
        return self.told(ask(self.stack, token=self.tokens[uid], headers=headers))

    def told(self, answer):
        assert bool(self.stack.node.came()) == (answer.status_code == 200), answer.text
        return answer.status_code, "" if answer.status_code == 200 else answer.text

    def always_says(self, uid, wanted):
        """From Redis, from MySQL, and from what Redis learned of it."""
        assert [self.says(uid), self.says(uid, forget=True), self.says(uid)] == [wanted] * 3
