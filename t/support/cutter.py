"""A wire between a worker and the database that can be cut at the worst moment. SPDX-License-Identifier: MIT"""
import socket
import threading


class Cutter:
    """Listens on `path` and carries everything to the socket `target`. While armed, the next COMMIT is not
    carried: both ends are closed instead, so that nobody can know what became of it."""

    def __init__(self, path, target):
        self.path, self.target, self.armed, self.cuts = str(path), target, False, 0
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
            threading.Thread(target=self._carry, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._carry, args=(server, client, False), daemon=True).start()

    def _carry(self, source, target, from_client):
        try:
            while data := source.recv(65536):
                if from_client and self.armed and b"\x03COMMIT" in data.upper():
                    self.armed, self.cuts = False, self.cuts + 1
                    break
                target.sendall(data)
        except OSError:
            pass
        for one in (source, target):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.close()
