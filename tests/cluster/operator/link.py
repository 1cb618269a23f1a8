"""The way from an operator to the API server, which a test can stall or cut."""

import contextlib
import selectors
import socket
import threading

CHUNK_BYTES = 65_536


class Link:
    """Forwards TCP from a port of its own to the API server, in threads."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._flows = threading.Event()
        self._flows.set()
        self._is_cut = False
        self._ended = False
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def stall(self) -> None:
        """Open connections stay, and nothing passes; new ones wait too."""
        self._flows.clear()

    def cut(self) -> None:
        """All connections end, and new ones end at once."""
        self._is_cut = True
        self._close_all()

    def heal(self) -> None:
        """As at the beginning."""
        self._is_cut = False
        self._flows.set()

    def stop(self) -> None:
        self._ended = True
        self._flows.set()
        self._listener.close()
        self._close_all()

    def _close_all(self) -> None:
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def _accept(self) -> None:
        while not self._ended:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._is_cut:
                near.close()
                continue
            far = socket.create_connection(self._target)
            self._open += [near, far]
            threading.Thread(target=self._forward, args=(near, far), daemon=True).start()

    def _forward(self, near: socket.socket, far: socket.socket) -> None:
        with near, far, selectors.DefaultSelector() as selector:
            selector.register(near, selectors.EVENT_READ, far)
            selector.register(far, selectors.EVENT_READ, near)
            with contextlib.suppress(OSError):
                while not self._ended:
                    for key, _ in selector.select(1.0):
                        source = key.fileobj
                        assert isinstance(source, socket.socket)
                        data = source.recv(CHUNK_BYTES)
                        self._flows.wait()
                        if not data:
                            return
                        key.data.sendall(data)
