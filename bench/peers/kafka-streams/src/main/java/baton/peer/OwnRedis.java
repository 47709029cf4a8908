package baton.peer;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;

/**
 * Without a library: pipelined over the unix socket of Java itself. While Redis works on one buffer of commands the next
 * is filled.
 */
final class OwnRedis implements RedisWriter {
    private static final int BUFFER_BYTES = 32 * 1024; // some 500 commands
    private static final byte[] HEAD = "*4\r\n$4\r\nHSET\r\n$".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] KEY = "\r\nlead:".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] FIELD = "\r\n$5\r\nscore\r\n$".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] END = "\r\n".getBytes(StandardCharsets.US_ASCII);
    private static final int COMMAND_BYTES_MAX = 128 + 256; // a lead's id has at most 256

    private final SocketChannel channel;
    private final byte[] text = new byte[BUFFER_BYTES];
    private final ByteBuffer out = ByteBuffer.allocateDirect(BUFFER_BYTES);
    private final ByteBuffer in = ByteBuffer.allocateDirect(16 * 1024);
    private final byte[] digits = new byte[20];
    private int size;
    private int queued; // in `text`
    private int sent; // not answered

    OwnRedis(String path) {
        try {
            channel = SocketChannel.open(StandardProtocolFamily.UNIX);
            channel.connect(UnixDomainSocketAddress.of(path));
        } catch (IOException e) {
            throw new UncheckedIOException("Redis at " + path, e);
        }
    }

    @Override
    public void put(byte[] lead, long score) {
        if (lead.length > 256) {
            throw new IllegalArgumentException("lead id of " + lead.length + " bytes");
        }
        if (size + COMMAND_BYTES_MAX > text.length) {
            send();
        }
        append(HEAD);
        appendNumber(lead.length + 5);
        append(KEY);
        append(lead);
        append(FIELD);
        appendNumber(digitsOf(score));
        append(END);
        appendNumber(score);
        append(END);
        queued++;
    }

    @Override
    public void flush() {
        send();
        awaitAnswers();
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void append(byte[] bytes) {
        System.arraycopy(bytes, 0, text, size, bytes.length);
        size += bytes.length;
    }

    private static int digitsOf(long value) {
        int count = 1;
        for (; value >= 10; value /= 10) {
            count++;
        }
        return count;
    }

    private void appendNumber(long value) {
        int from = digits.length;
        do {
            digits[--from] = (byte) ('0' + value % 10);
            value /= 10;
        } while (value > 0);
        System.arraycopy(digits, from, text, size, digits.length - from);
        size += digits.length - from;
    }

    /** At most one buffer is on its way: its answers are taken before the next is sent. */
    private void send() {
        awaitAnswers();
        out.clear();
        out.put(text, 0, size).flip();
        try {
            while (out.hasRemaining()) {
                channel.write(out);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Redis", e);
        }
        sent = queued;
        queued = 0;
        size = 0;
    }

    /** HSET answers ":0" or ":1", each with a line end. */
    private void awaitAnswers() {
        try {
            while (sent > 0) {
                in.clear();
                if (channel.read(in) < 0) {
                    throw new IOException("connection closed");
                }
                in.flip();
                while (in.hasRemaining()) {
                    byte next = in.get();
                    if (next == '-') {
                        throw new IOException("error reply: -" + StandardCharsets.UTF_8.decode(in));
                    }
                    if (next == '\n') {
                        sent--;
                    }
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Redis", e);
        }
    }
}
