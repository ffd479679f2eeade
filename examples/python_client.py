"""A pipe-rpc client for Linux, with nothing but Python's standard library. Section numbers are those of PROTOCOL.md.
    cargo run --example thesaurus -- thesaurus
    python3 examples/python_client.py thesaurus pipe
"""
import functools, json, os, socket, struct, sys
from types import SimpleNamespace

REQUEST, RESPONSE, REFUSED, FRAGMENT, ITEM, END, CANCEL, DONE, CREDIT, PING, _, GOAWAY, FAREWELL = range(1, 14)
OPENER, MORE, STREAM = 1, 2, 16  # flags, section 4
HEADER = struct.Struct("<IBBHII")  # 16 bytes: length, kind, flags, length of the head, slot, generation
JSON, MAX_PACKET, MAX_BODY, STREAM_BUFFER = 2, 65536, 128 << 20, 256 << 10


class Failed(Exception):
    """The method ran and returned this error."""


class Fault(Exception):
    """There is no result: code, outcome (1 it did not run, 2 it may have, 3 it did) and text. Section 8."""


class Client:
    def __init__(self, name, secret=None, timeout=5.0):
        uid = os.getuid()
        session = f"/run/user/{uid}"  # section 2
        is_ours = os.path.isdir(session) and os.stat(session).st_uid == uid and not os.stat(session).st_mode & 0o022
        self.pipe = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.pipe.settimeout(timeout)
        self.pipe.connect(f"{session if is_ours else f'/tmp/pipe-rpc-{uid}'}/{name}")
        if struct.unpack("3i", self.pipe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1] != uid:
            raise PermissionError(f"the server at {name} belongs to another user")
        ours = {2: bytes([JSON]), 7: struct.pack("<Q", MAX_BODY), 8: secret, 11: struct.pack("<Q", STREAM_BUFFER)}
        tags = b"".join(struct.pack("<HH", tag, len(value)) + value for tag, value in ours.items() if value is not None)
        self.pipe.send(struct.pack("<8sHHI", b"pipe-rpc", 1, 1, len(tags)) + tags)  # section 3
        packet, at = self.pipe.recv(MAX_PACKET), 16
        if packet[:8] == b"pipe-rej":
            raise ConnectionRefusedError(packet[24:].decode(errors="replace"))
        theirs = {2: b"", 3: MAX_PACKET.to_bytes(4, "little")}
        while at < len(packet):
            tag, size = struct.unpack_from("<HH", packet, at)
            theirs[tag], at = packet[at + 4:at + 4 + size], at + 4 + size
        if packet[:10] != b"pipe-rpc\1\0" or max(theirs) >= 0x8000 or JSON not in theirs[2]:
            raise ConnectionError("the server does not speak JSON in version 1 of pipe-rpc")
        max_packet, max_calls, max_body = (int.from_bytes(theirs.get(tag, b""), "little") for tag in (3, 4, 7))
        self.room = min(min(max_packet, MAX_PACKET) - HEADER.size - 28, max_body)  # for a request's body
        # Calls that are over, by slot and generation (section 7), and the open ones.
        self.free, self.calls = [(slot, 0) for slot in range(max_calls)], {}

    def call(self, service, method, *args, timeout=None, result=json.loads):
        """Calls a method. The server ends the call after `timeout` seconds; `TimeoutError` is for one that does not.
        Where the method has a `Bytes`, give `bytes`: as the only argument, and as the `result`."""
        call = self._request(service, method, args, timeout)
        while not call.is_over:
            self._receive(timeout and timeout + 1)
        check(call)
        return result(call.body)

    def stream(self, service, method, *args):  # section 7.1
        """Calls a method that returns a stream: its items, as they come. To close the generator cancels the call."""
        call, granted = self._request(service, method, args), STREAM_BUFFER
        try:
            while call.items or not call.is_over:
                if not call.items:
                    self._receive()
                    continue
                granted += len(call.items[0]) + 64
                if not call.is_over:
                    self._send(CREDIT, OPENER | STREAM, call.name, struct.pack("<Q", granted))
                yield json.loads(call.items.pop(0))
        finally:
            if not call.is_over:
                self._send(CANCEL, OPENER, call.name)
        check(call)

    def _request(self, service, method, args, timeout=None):  # section 6
        value = None if not args else args[0] if len(args) == 1 else args  # section 15
        body = value if isinstance(value, bytes) else json.dumps(value, allow_nan=False).encode()
        if len(body) > self.room:
            raise ValueError(f"{len(body)} bytes are more than a packet; this client sends no Fragments (section 9)")
        while not self.free:
            self._receive(timeout)
        slot, generation = self.free.pop()
        call = SimpleNamespace(name=(slot, (generation + 1) & 0xFFFFFFFF), is_over=False, is_stream=False, items=[])
        head = struct.pack("<IIQQI", name_id(service), name_id(method), 0, int((timeout or 0) * 1e6), 0)
        self.calls[call.name] = call
        self._send(REQUEST, OPENER, call.name, head, body)
        return call

    def _send(self, kind, flags=0, name=(0, 0), head=b"", body=b""):  # section 4
        self.pipe.send(HEADER.pack(len(head) + len(body), kind, flags, len(head), *name) + head + body)

    def _receive(self, timeout=None):
        self.pipe.settimeout(timeout)
        packet = self.pipe.recv(MAX_PACKET)
        if not packet:
            raise ConnectionError("the server has closed the connection")
        while packet:  # sections 4 and 5
            length, kind, flags, size, *name = HEADER.unpack_from(packet)
            name, frame, packet = tuple(name), packet[16:16 + length], packet[16 + length:]
            head, body, over = frame[:size], frame[size:], []
            if kind in (RESPONSE, REFUSED, FRAGMENT, ITEM, END):
                call = self.calls[name]
                if kind in (RESPONSE, REFUSED, END):
                    call.status = REFUSED if kind == REFUSED else head[0]
                    call.is_stream, call.body = flags & STREAM, bytearray()
                call.body += body
                if not flags & MORE and not call.is_stream:
                    over = [name]
                elif not flags & MORE and kind != RESPONSE:
                    call.items.append(bytes(call.body))
                    call.body.clear()
            elif kind == DONE:
                over = struct.iter_unpack("<II", body)
            elif kind in (PING, FAREWELL):
                self._send(kind + 1, head=head)  # Pong, FarewellAck
            elif kind < 128 and (kind, head) != (GOAWAY, b"\0\0"):
                raise ConnectionError(f"frame {kind} ends the connection: {body.decode(errors='replace')}")
            for name in over:
                self.calls.pop(name).is_over = True
                self.free.append(name)

    def close(self):  # section 12
        try:
            while self.calls:
                self._receive(1)
            self._send(FAREWELL)
            while True:
                self._receive(1)
        except OSError:  # FarewellAck has come, or a second has passed
            self.pipe.close()


def check(call):
    if call.status == 1:
        raise Failed(json.loads(call.body))
    if call.status != 0:
        code, outcome = struct.unpack_from("<HB", call.body.ljust(20, b"\0"))  # section 8
        raise Fault(code, 1 if call.status == REFUSED else outcome, call.body[20:].decode(errors="replace"))


def name_id(name):  # section 13
    return functools.reduce(lambda number, byte: (number ^ byte) * 0x01000193 & 0xFFFFFFFF, name.encode(), 0x811C9DC5)


if __name__ == "__main__":
    thesaurus = Client(sys.argv[1])
    print(*thesaurus.stream("Thesaurus", "words"))
    print(*thesaurus.call("Thesaurus", "synonyms", sys.argv[2], 2, timeout=2))
    thesaurus.close()
