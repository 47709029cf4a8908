"""When transactions that carried offsets ended: read from the broker's own files, to the millisecond.

Batches of __consumer_offsets carry the producer's id, a time, and two bits: transactional, and control (its end).
Only the fixed heads of batches are read (Kafka's message format 2).
"""

import struct
from pathlib import Path

HEAD = struct.Struct(">qiibIhiqqqhii")      # offset, length, epoch, magic, crc, attributes, last, first time, …
TRANSACTIONAL, CONTROL = 0x10, 0x20


def batches(path):
    """(attributes, time in ms, producer id) of each batch of a segment; a half-written end is left out."""
    data, at = path.read_bytes(), 0
    while at + HEAD.size <= len(data):
        _, length, _, magic, _, attributes, _, _, newest_ms, producer, *_ = HEAD.unpack_from(data, at)
        if length <= 0 or magic != 2 or at + 12 + length > len(data):
            return
        yield attributes, newest_ms, producer
        at += 12 + length


def open_at(broker_folder, moment_ms):
    """Producers with offsets in a transaction that was open at that moment -> when it ended (None: is open still)."""
    found = {}
    for path in sorted(Path(broker_folder).glob("data/__consumer_offsets-*/*.log")):
        opened = {}
        for attributes, time_ms, producer in batches(path):
            if not attributes & TRANSACTIONAL:
                continue
            if not attributes & CONTROL:
                if time_ms <= moment_ms:
                    opened[producer] = True
            elif producer in opened:
                del opened[producer]
                if time_ms > moment_ms:
                    found[producer] = time_ms
        found.update(dict.fromkeys(opened))
    return found
