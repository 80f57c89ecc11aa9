"""A wire between a worker and the database that can be cut at the worst moment. SPDX-License-Identifier: MIT"""
import socket
import threading

BEFORE, AFTER, HOLD = "before", "after", "hold"


class Cutter:
    """Listens on `path` and carries everything to the socket `target`. While armed, the next COMMIT is the last thing
    for its connection, so that nobody at the worker's end can know what became of it:

    BEFORE (or True)  it is not carried, both ends are closed
    AFTER             it is carried; both ends are closed when the server has answered, and the answer is lost
    HOLD              it is carried, and its answer kept back: holding is set then, until let_go() or the worker's end
    """

    def __init__(self, path, target):
        self.path, self.target, self.armed, self.cuts = str(path), target, False, 0
        self.lock = threading.Lock()
        self.holding, self.released = threading.Event(), threading.Event()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.target)
            line = {"how": None}
            threading.Thread(target=self._carry, args=(client, server, self._to_server, line), daemon=True).start()
            threading.Thread(target=self._carry, args=(server, client, self._to_worker, line), daemon=True).start()

    def _to_server(self, data, line):
        """Whether what the worker says is carried."""
        if not self.armed or b"\x03COMMIT" not in data.upper():
            return True
        with self.lock:
            how, self.armed = self.armed, False
            self.cuts += bool(how)
        line["how"] = how if how in (AFTER, HOLD) else None
        return how not in (BEFORE, True)

    def _to_worker(self, _, line):
        if line["how"] == HOLD:
            self.holding.set()
            self.released.wait()
        return line["how"] != AFTER

    def _carry(self, source, target, carries, line):
        try:
            while (data := source.recv(65536)) and carries(data, line):
                target.sendall(data)
        except OSError:
            pass
        for one in (source, target):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def hold(self):
        self.holding.clear()
        self.released.clear()
        self.armed = HOLD

    def let_go(self):
        self.released.set()

    def close(self):
        self.listener.close()
        self.let_go()
