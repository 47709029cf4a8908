"""What the hash of a lead in Redis says: shares nothing with the program's reading of it."""

FIELDS = ("score", "stage", "a")


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 0x80:
            return value, at


def newest(first_chunk):
    """Time of the newest event, from field `a`: the size, then the packed form (version, checksum, size, flags,
    position, that time, ...). None where it does not tell."""
    try:
        _, at = varint(first_chunk, 0)
        at += 5
        for _ in range(3):
            _, at = varint(first_chunk, at)
        return varint(first_chunk, at)[0]
    except (IndexError, TypeError):
        return None


def told(score, stage, first_chunk):
    """Of the values of FIELDS: score and stage as text, the newest time as a number. A stage that does not stand there
    is the first one."""
    stage = b"lead" if stage is None and score is not None else stage
    return (None if score is None else score.decode(), None if stage is None else stage.decode(), newest(first_chunk))


def packed(newest_ms):
    """A first chunk that says this time, and nothing else that could be read."""
    number = bytearray()
    while newest_ms >= 0x80:
        number.append(newest_ms & 0x7F | 0x80)
        newest_ms >>= 7
    return bytes([20, 2, 0, 0, 0, 0, 20, 0, 0]) + bytes(number) + bytes([newest_ms])
