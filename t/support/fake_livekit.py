"""LiveKit's RoomService as far as muting needs it, in a thread: for what real nodes do only with media.

SPDX-License-Identifier: MIT
"""
import http.server
import json
import threading

import jwt


class FakeLiveKit:
    def __init__(self, secret):
        self.secret, self.people, self.calls, self.refuse = secret, {}, [], None
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                method = self.path.rpartition("/")[2]
                claims = jwt.decode(self.headers["Authorization"].removeprefix("Bearer "), fake.secret, ["HS256"])
                fake.calls.append((method, body, claims["video"]))
                status, answer = fake.answer(method, body)
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, method, body):
        tracks = self.people.get((body["room"], body["identity"]))
        if tracks is None:
            return 404, {"code": "not_found", "msg": "participant does not exist"}
        if method == "GetParticipant":
            return 200, {"sid": "PA_1", "identity": body["identity"], "tracks": tracks}
        if self.refuse:
            return self.refuse, {"code": "failed_precondition", "msg": "remote unmute not enabled"}
        track = next(t for t in tracks if t["sid"] == body["track_sid"])
        track["muted"] = body["muted"]
        return 200, {"track": track}

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def with_media(db, room, uid):
    """As if LiveKit had told of a media session of that person."""
    with db.cursor() as c:
        assert c.execute("UPDATE rtc_participant SET sid = 'PA_1' WHERE room_id = %s AND uid = %s", (room, uid)) == 1
