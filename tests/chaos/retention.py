"""Has a broker drop the beginning of a topic, as retention would: one DeleteRecords request on a plain connection."""
import socket
import struct

DELETE_RECORDS, VERSION = 21, 1


def _text(value):
    return struct.pack(">h", len(value)) + value.encode()


def _read(connection, size):
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise RuntimeError("the broker closed the connection")
        data += more
    return data


def take(brokers, topic, offsets, seconds=30):
    """offsets: {partition: first offset that stays}. For a broker that leads them all."""
    body = struct.pack(">i", 1) + _text(topic) + struct.pack(">i", len(offsets))
    body += b"".join(struct.pack(">iq", partition, offset) for partition, offset in sorted(offsets.items()))
    request = struct.pack(">hhi", DELETE_RECORDS, VERSION, 1) + _text("chaos") + body + struct.pack(">i", seconds * 1000)
    host, _, port = brokers.rpartition(":")
    with socket.create_connection((host, int(port)), seconds) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        answer = _read(connection, struct.unpack(">i", _read(connection, 4))[0])
    # correlation id, throttle time, one topic, its name, its partitions: (number, first offset, error)
    place = 12 + 2 + len(topic)
    count, = struct.unpack_from(">i", answer, place)
    found = [struct.unpack_from(">iqh", answer, place + 4 + 14 * n) for n in range(count)]
    wrong = [one for one in found if one[2]]
    if wrong or count != len(offsets):
        raise RuntimeError(f"DeleteRecords of {topic}: (partition, first offset, error) {wrong or found}")
