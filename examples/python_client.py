"""A pipe-rpc client for Linux, with nothing but Python's standard library. Section numbers are those of PROTOCOL.md.

    cargo run --example thesaurus -- thesaurus
    python3 examples/python_client.py thesaurus pipe
"""
import functools, json, os, socket, struct, sys, time
from types import SimpleNamespace

(REQUEST, RESPONSE, REFUSED, FRAGMENT, ITEM, END, CANCEL, DONE, CREDIT, PING, PONG, GOAWAY, FAREWELL,
 FAREWELL_ACK) = range(1, 15)  # kinds, section 5
OPENER, MORE = 1, 2  # flags, section 4
HEADER = struct.Struct("<IBBHII")  # length, kind, flags, length of the head, slot, generation
JSON, MAX_PACKET, MAX_BODY = 2, 65536, 128 << 20


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
        self._greet({2: bytes([JSON]), 7: MAX_BODY.to_bytes(8, "little")} | ({8: secret} if secret else {}))
        self.free = list(range(self.max_calls))  # slots without an open call, section 7
        self.generations = [0] * self.max_calls
        self.answers = {}

    def _greet(self, ours):  # section 3
        tags = b"".join(struct.pack("<HH", tag, len(value)) + value for tag, value in ours.items())
        self.pipe.send(struct.pack("<8sHHI", b"pipe-rpc", 1, 1, len(tags)) + tags)
        packet, at = self.pipe.recv(MAX_PACKET), 16
        if packet[:8] == b"pipe-rej":
            raise ConnectionRefusedError(packet[24:].decode(errors="replace"))
        theirs = {2: b"", 3: MAX_PACKET.to_bytes(4, "little")}
        while at < len(packet):
            tag, size = struct.unpack_from("<HH", packet, at)
            theirs[tag], at = packet[at + 4:at + 4 + size], at + 4 + size
        if packet[:10] != b"pipe-rpc\1\0" or max(theirs) >= 0x8000 or JSON not in theirs[2]:
            raise ConnectionError("the server does not speak JSON in version 1 of pipe-rpc")
        max_packet, self.max_calls, max_body = (int.from_bytes(theirs.get(tag, b""), "little") for tag in (3, 4, 7))
        self.room = min(min(max_packet, MAX_PACKET) - HEADER.size - 28, max_body)  # for a request's body

    def call(self, service, method, *args, timeout=None, result=json.loads):
        """Calls a method; `timeout` is in seconds. For a `Bytes` of the method give `bytes`, as its only argument and
        as the `result`. `TimeoutError` is raised if there was no free slot to send the call in time."""
        deadline = timeout and time.monotonic() + timeout
        value = None if not args else args[0] if len(args) == 1 else args  # section 15
        body = value if isinstance(value, bytes) else json.dumps(value, allow_nan=False).encode()
        call = self._request(service, method, body, deadline)
        answer = self.answers[call] = SimpleNamespace(body=bytearray(), is_whole=False)
        try:
            while not answer.is_whole:
                self._receive(deadline)
        except TimeoutError:
            self._send(CANCEL, OPENER, call)  # its slot is free when the server says so
            raise Fault(2, 2, "the deadline passed") from None
        finally:
            del self.answers[call]
        if answer.kind == RESPONSE and answer.status == 0:
            return result(answer.body)
        if answer.kind == RESPONSE and answer.status == 1:
            raise Failed(json.loads(answer.body))
        code, outcome = struct.unpack_from("<HB", answer.body.ljust(20, b"\0"))
        raise Fault(code, 1 if answer.kind == REFUSED else outcome, answer.body[20:].decode(errors="replace"))

    def _request(self, service, method, body, deadline):  # section 6
        if len(body) > self.room:
            raise ValueError(f"{len(body)} bytes are more than a packet; this client sends no Fragments (section 9)")
        while not self.free:
            self._receive(deadline)
        slot = self.free.pop()
        self.generations[slot] = (self.generations[slot] + 1) & 0xFFFFFFFF
        call, left = (slot, self.generations[slot]), deadline and max(int((deadline - time.monotonic()) * 1e6), 1)
        head = struct.pack("<IIQQI", name_id(service), name_id(method), 0, left or 0, 0)
        self._send(REQUEST, OPENER, call, head, body)
        return call

    def _send(self, kind, flags=0, call=(0, 0), head=b"", body=b""):  # section 4
        self.pipe.settimeout(None)  # a server always reads
        self.pipe.send(HEADER.pack(len(head) + len(body), kind, flags, len(head), *call) + head + body)

    def _receive(self, deadline):
        self.pipe.settimeout(max(deadline - time.monotonic(), 1e-6) if deadline else None)
        packet = self.pipe.recv(MAX_PACKET)
        if not packet:
            raise ConnectionError("the server has closed the connection")
        while packet:
            length, kind, flags, head, *call = HEADER.unpack_from(packet)
            frame, packet = packet[HEADER.size:HEADER.size + length], packet[HEADER.size + length:]
            self._take(kind, flags, tuple(call), frame[:head], frame[head:])

    def _take(self, kind, flags, call, head, body):  # section 5
        if kind in (RESPONSE, REFUSED, FRAGMENT):
            if answer := self.answers.get(call):  # else nobody waits for it any more
                if kind != FRAGMENT:
                    answer.kind, answer.status = kind, head[:1] and head[0]
                answer.body += body
                answer.is_whole = not flags & MORE
            self.free += [] if flags & MORE else [call[0]]
        elif kind == DONE:
            self.free += [slot for slot, _ in struct.iter_unpack("<II", body)]
        elif kind in (PING, FAREWELL):
            self._send(kind + 1, head=head)  # Pong, FarewellAck
        elif kind < 128 and (kind, head) != (GOAWAY, b"\0\0"):
            raise ConnectionError(f"frame {kind} ends the connection: {body.decode(errors='replace')}")

    def close(self):  # section 12
        deadline = time.monotonic() + 1
        try:
            while len(self.free) < self.max_calls:
                self._receive(deadline)
            self._send(FAREWELL)
            while True:
                self._receive(deadline)
        except OSError:  # FarewellAck has come, or a second has passed
            self.pipe.close()


def name_id(name):  # section 13
    return functools.reduce(lambda number, byte: (number ^ byte) * 0x01000193 & 0xFFFFFFFF, name.encode(), 0x811C9DC5)


if __name__ == "__main__":
    thesaurus = Client(sys.argv[1])
    print(thesaurus.call("Thesaurus", "size"), "words")
    print(*thesaurus.call("Thesaurus", "synonyms", sys.argv[2], 2, timeout=2))
    thesaurus.close()
