"""The official libraries take our tokens and our token endpoint. SPDX-License-Identifier: MIT"""
import json
import os
import pathlib
import secrets
import subprocess

from livekit import api as livekit_api

from support.client import Api

SDK = pathlib.Path(__file__).with_name("sdk.mjs")


def sdk(*args):
    done = subprocess.run(["node", str(SDK), *args], capture_output=True, text=True, timeout=60,
                          env={**os.environ})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def a_call(stack):
    tail = secrets.token_hex(4)
    return Api(stack).post("/rooms", {"creator": f"ann-{tail}", "uids": [f"bob-{tail}"]}).json()


def test_python_server_library_verifies_our_token(livekit_stack):
    call = a_call(livekit_stack)
    env = livekit_stack.env
    claims = livekit_api.TokenVerifier(env["LIVEKIT_API_KEY"], env["LIVEKIT_API_SECRET"]).verify(call["token"])
    assert claims.identity == call["creator"]
    assert claims.video.room_join and claims.video.room == call["room_id"]
    assert not (claims.video.room_create or claims.video.room_list or claims.video.room_admin)
    assert claims.attributes == {"device_type": "app"}
    assert json.loads(claims.metadata) == {"device_type": "app"}


def test_javascript_server_library_verifies_our_token(livekit_stack):
    call = a_call(livekit_stack)
    env = livekit_stack.env
    claims = sdk("verify", env["LIVEKIT_API_KEY"], env["LIVEKIT_API_SECRET"], call["token"])
    assert claims["sub"] == call["creator"]
    assert claims["video"]["room"] == call["room_id"] and claims["video"]["roomJoin"] is True


def test_the_clients_own_token_source(livekit_stack):
    name, who = f"open-{secrets.token_hex(4)}", f"eve-{secrets.token_hex(4)}"
    ticket = Api(livekit_stack).ticket(who)
    answer = sdk("source", f"{livekit_stack.url}/api/v1/token", f"Bearer {ticket}", name, who)
    assert answer["serverUrl"].startswith("ws://127.0.0.1:")
    env = livekit_stack.env
    claims = sdk("verify", env["LIVEKIT_API_KEY"], env["LIVEKIT_API_SECRET"], answer["participantToken"])
    assert claims["sub"] == who and claims["video"]["room"] == name
