"""What a bad peer says to the workers' socket, in FastCGI and not.

SPDX-License-Identifier: MIT
"""
import random
import socket
import struct

from support import fcgi_client as fcgi

BODY = b'{"creator": "alice"}'
POST = fcgi.params_of("POST", "/api/v1/rooms", BODY)
HEAD = fcgi.head(POST)
WHOLE = HEAD + fcgi.stream(fcgi.STDIN, BODY)
PLAIN = fcgi.head(fcgi.params_of()) + fcgi.stream(fcgi.STDIN, b"")
# Eight known names: more than libfcgi's answer has room for. It ends the process ("stack smashing detected").
OVERRUN = fcgi.record(fcgi.GET_VALUES, fcgi.pairs([("FCGI_MAX_CONNS", "")] * 8), 0)
KILLER = HEAD + OVERRUN + fcgi.record(fcgi.STDIN)


def raw_pair(name_length, value_length, rest):
    return struct.pack(">II", name_length | 0x80000000, value_length | 0x80000000) + rest


def params_record(content):
    return fcgi.begin() + fcgi.record(fcgi.PARAMS, content) + fcgi.record(fcgi.PARAMS)


def with_params(extra):
    return fcgi.head(fcgi.params_of() + extra) + fcgi.record(fcgi.STDIN)


def hang_up(c):
    c.sock.shutdown(socket.SHUT_WR)


def answer(c):
    """status None: hung up on."""
    try:
        return c.response()
    except ConnectionResetError:
        return fcgi.Response(b"", b"", False)


def says(s, data):
    with s.connect() as c:
        try:
            c.send(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return answer(c)


# No head that a server sends: hung up on, unanswered.
HUNG_UP_ON = {
    "HTTP": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "another version": b"\x02" + PLAIN[1:],
    "zeroes": bytes(64),
    "noise": random.Random(1).randbytes(5000),
    "an authorizer": fcgi.begin(fcgi.AUTHORIZER) + HEAD[16:],
    "a filter": fcgi.begin(fcgi.FILTER) + HEAD[16:],
    "role 0": fcgi.begin(0) + HEAD[16:],
    "role 257": fcgi.begin(257) + HEAD[16:],
    "BEGIN of nobody": fcgi.begin(request_id=0) + HEAD[16:],
    "BEGIN of 16 bytes": fcgi.record(fcgi.BEGIN_REQUEST, b"\0\1" + bytes(14)) + HEAD[16:],
    "no BEGIN": HEAD[16:] + fcgi.record(fcgi.STDIN),
    "two BEGINs": fcgi.begin() + PLAIN,
    "another's params": fcgi.begin() + fcgi.stream(fcgi.PARAMS, fcgi.pairs(POST), 2),
    "no params": fcgi.begin() + fcgi.stream(fcgi.STDIN, BODY),
    "aborted before it began": fcgi.record(fcgi.ABORT_REQUEST) + PLAIN,
    "aborted before its params": fcgi.begin() + fcgi.record(fcgi.ABORT_REQUEST) + PLAIN[16:],
    "an unknown type": fcgi.record(99) + PLAIN,
    "an unknown type in the params": fcgi.begin() + fcgi.record(99, b"x" * 8) + PLAIN[16:],
    "questions": fcgi.record(fcgi.GET_VALUES, fcgi.pairs({"FCGI_MAX_CONNS": ""}), 0),
    "questions that kill libfcgi": OVERRUN,
    "the same before the params": fcgi.begin() + OVERRUN + PLAIN[16:],
    "lengths that kill libfcgi": params_record(raw_pair(0x7ffffffe, 2, b"AB")),
    "INT_MAX and INT_MAX": params_record(raw_pair(0x7fffffff, 0x7fffffff, b"AB")),
    "a name longer than all": params_record(b"\x7f\x01AB"),
    "a value longer than all": params_record(raw_pair(1, 0x10000, b"AB")),
    "half a length": params_record(b"\x01"),
}

# What follows a head that is well: libfcgi's to read, ours to answer. (the status of a route that reads its body; ANY:
# libfcgi's own affair)
ANY = None
AFTER_THE_HEAD = {
    "whole": (fcgi.stream(fcgi.STDIN, BODY), 503),
    "in single bytes": (b"".join(fcgi.record(fcgi.STDIN, BODY[i:i + 1]) for i in range(len(BODY)))
                        + fcgi.record(fcgi.STDIN), 503),
    "aborted at once": (fcgi.record(fcgi.ABORT_REQUEST), 400),
    "aborted in the middle": (fcgi.record(fcgi.STDIN, BODY[:5]) + fcgi.record(fcgi.ABORT_REQUEST), 400),
    "aborted after all of it": (fcgi.record(fcgi.STDIN, BODY) + fcgi.record(fcgi.ABORT_REQUEST), 400),
    "shorter": (fcgi.stream(fcgi.STDIN, BODY[:-1]), 400),
    "longer": (fcgi.stream(fcgi.STDIN, BODY + b" "), 400),
    "a lot longer": (fcgi.stream(fcgi.STDIN, BODY + b" " * 1_000_000), 400),
    "none": (fcgi.record(fcgi.STDIN), 400),
    "another's": (fcgi.stream(fcgi.STDIN, BODY, 2) + fcgi.stream(fcgi.STDIN, BODY), ANY),
    "another BEGIN": (fcgi.begin(request_id=2) + fcgi.stream(fcgi.STDIN, BODY), 503),
    "BEGIN of its own again": (fcgi.begin() + fcgi.stream(fcgi.STDIN, BODY), ANY),
    "params again": (fcgi.stream(fcgi.PARAMS, fcgi.pairs(POST)) + fcgi.stream(fcgi.STDIN, BODY), 400),
    "an unknown type": (fcgi.record(99) + fcgi.stream(fcgi.STDIN, BODY), 400),
    "an unknown question": (fcgi.record(99, b"", 0) + fcgi.stream(fcgi.STDIN, BODY), 503),
    "a question": (fcgi.record(fcgi.GET_VALUES, fcgi.pairs({"FCGI_MAX_CONNS": ""}), 0)
                   + fcgi.stream(fcgi.STDIN, BODY), 503),
    "another version": (b"\x02" + fcgi.stream(fcgi.STDIN, BODY)[1:], 400),
    "noise": (random.Random(2).randbytes(5000), 400),
}
