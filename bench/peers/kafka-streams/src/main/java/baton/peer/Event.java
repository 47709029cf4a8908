package baton.peer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A visit, click or form fill in the schema registry's framing, decoded by hand: only what the rules need is read, and
 * nothing behind it is looked at. One object per thread is filled again and again.
 */
final class Event {
    private static final int[] POINTS = {0, 1, 3, 10}; // by schema id: 1 Visit, 2 Click, 3 FormFill
    private static final int FRAME_BYTES = 5;

    byte[] leadId;
    int points;
    private byte[] bytes;
    private int at;
    private int idFrom;
    private int idSize;

    /** False: this is not one of the events. */
    boolean read(byte[] message) {
        if (message == null || message.length < FRAME_BYTES || message[0] != 0) {
            return false;
        }
        int schema = (message[1] & 0xff) << 24 | (message[2] & 0xff) << 16 | (message[3] & 0xff) << 8 | message[4] & 0xff;
        if (schema < 1 || schema >= POINTS.length) {
            return false;
        }
        points = POINTS[schema];
        bytes = message;
        at = FRAME_BYTES;
        idSize = textSize();
        idFrom = at;
        at += Math.max(idSize, 0);
        int size = textSize();
        if (idSize < 0 || size <= 0) {
            return false;
        }
        leadId = Arrays.copyOfRange(bytes, at, at + size);
        return true;
    }

    /** Text: few events need it. */
    String eventId() {
        return new String(bytes, idFrom, idSize, StandardCharsets.UTF_8);
    }

    /** The size of the text that begins here, `at` behind it; -1: there is none. */
    private int textSize() {
        long value = 0;
        for (int shift = 0; shift < 35; shift += 7) {
            if (at >= bytes.length) {
                return -1;
            }
            byte next = bytes[at++];
            value |= (long) (next & 0x7f) << shift;
            if (next >= 0) {
                long size = value >>> 1 ^ -(value & 1);
                return size >= 0 && size <= bytes.length - at ? (int) size : -1;
            }
        }
        return -1;
    }
}
