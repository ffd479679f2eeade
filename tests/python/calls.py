"""What the Python client and a server make of each other: one function for each test of tests/python.rs."""
import os, sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "examples"))
from python_client import Client, Failed, Fault

SERVICE = "Workshop"


def raised(kind, call):
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


def fault(call):
    return raised(Fault, call).args


def values(client):
    everything = {"text": "ß\n\0\U0001f600", "number": -(2**63), "big": 2**127 - 1, "float": 0.1, "maybe": None,
                  "list": [["x", True]], "map": {"1": "one"}, "shape": {"Circle": {"radius": 1.5}}}
    assert client.call(SERVICE, "same", everything) == everything
    assert client.call(SERVICE, "same", everything | {"maybe": "x", "new": [1, {}]}) == everything | {"maybe": "x"}
    assert client.call(SERVICE, "nothing") is None
    assert client.call(SERVICE, "add", 1, 2) == 3
    assert client.call(SERVICE, "reverse", b"abc\xff", result=bytes) == b"\xffcba"
    assert client.call(SERVICE, "reverse", b"", result=bytes) == b""


def errors(client):
    assert raised(Failed, lambda: client.call(SERVICE, "divide", 1, 0)).args == ({"ByZero": {"dividend": 1}},)
    assert client.call(SERVICE, "divide", 6, 3) == 2


def faults(client):
    assert fault(lambda: client.call("Nowhere", "add"))[:2] == (5, 1)
    assert fault(lambda: client.call(SERVICE, "nowhere"))[:2] == (6, 1)
    code, outcome, text = fault(lambda: client.call(SERVICE, "add", "one", 2))
    assert (code, outcome) == (10, 1) and 'invalid type: string "one", expected u32 at line 1 column 6' in text, text
    code, outcome, text = fault(lambda: client.call(SERVICE, "add", 1, 2, 3))
    assert (code, outcome) == (10, 1) and "trailing" in text, text
    code, outcome, text = fault(lambda: client.call(SERVICE, "not_a_number"))
    assert (code, outcome) == (9, 3) and "NaN" in text, text
    assert fault(lambda: client.call(SERVICE, "panic")) == (11, 3, "on purpose")
    assert client.call(SERVICE, "add", 1, 2) == 3


def large(client):
    for size in [65535, 65536, 5 << 20]:
        assert client.call(SERVICE, "give", size, result=bytes) == b"\x07" * size
    word = "ß" * 10000
    assert client.call(SERVICE, "repeat", word, 50) == [word] * 50
    for size in [client.room - 2, client.room - 1]:
        call = lambda: client.call(SERVICE, "length", "x" * size)
        assert size == client.room - 1 and raised(ValueError, call) or call() == size


def deadline(client):
    for _ in range(3 * len(client.free)):
        assert fault(lambda: client.call(SERVICE, "never", timeout=0.002))[::2] == (2, "")
    assert client.call(SERVICE, "add", 1, 2, timeout=60) == 3


def streams(client):
    items = []
    count = lambda: [items.append(item) for item in client.stream(SERVICE, "count", 1000)]
    assert raised(Failed, count).args == ({"ByZero": {"dividend": 1}},)
    assert items == list(range(1000))
    sizes = [0, 1, 65520, 65536, 300_000, 2, 1 << 20, 3]
    assert [len(item) for item in client.stream(SERVICE, "fill", sizes)] == sizes
    assert list(client.stream(SERVICE, "fill", [])) == []
    assert raised(Failed, lambda: list(client.stream(SERVICE, "perhaps"))).args == ({"ByZero": {"dividend": 2}},)
    half = client.stream(SERVICE, "half")
    assert [next(half), next(half)] == [0, 1]
    assert fault(lambda: next(half))[:2] == (11, 3)
    for item, again in zip(client.stream(SERVICE, "forever"), range(500)):
        assert item == again and client.call(SERVICE, "add", item, 1) == item + 1


def closing(client):
    for _ in range(3):
        forever = client.stream(SERVICE, "forever")
        assert [next(forever) for _ in range(5_000)] == list(range(5_000))  # more than is granted at first
        assert client.call(SERVICE, "listeners") == 1
        forever.close()
        while client.calls:  # the Done is yet to come
            client._receive()
        assert client.call(SERVICE, "listeners") == 0


def many(client):
    for number in range(2000):
        assert client.call(SERVICE, "add", number, 1) == number + 1


def farewell(client):
    assert client.call(SERVICE, "add", 1, 2) == 3
    seen = []
    receive = client._receive

    def record(timeout):
        try:
            receive(timeout)
        except OSError as error:
            seen.append(str(error))
            raise

    client._receive = record
    client.close()
    assert seen == ["frame 14 ends the connection: "], seen


def leaving(client):
    assert client.call(SERVICE, "add", 1, 2) == 3
    print("called", flush=True)
    receive_all = lambda: [client._receive() for _ in range(10)]  # Goaway, Farewell and the end in any packets
    assert "closed the connection" in str(raised(ConnectionError, receive_all))


def secret(_):
    wrong = lambda secret: str(raised(ConnectionRefusedError, lambda: Client(sys.argv[1], secret)))
    assert "the secret is missing or wrong" in wrong(None) and "secret" in wrong(b"guess")
    assert Client(sys.argv[1], b"open sesame").call(SERVICE, "add", 1, 2) == 3


def codec(_):
    refusal = str(raised(ConnectionRefusedError, lambda: Client(sys.argv[1])))
    assert refusal == "no codec that both ends offer; this one offers 1 (bincode)", refusal


if __name__ == "__main__":
    test = globals()[sys.argv[2]]
    test(None if sys.argv[2] in ("secret", "codec") else Client(sys.argv[1]))
