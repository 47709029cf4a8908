package baton.peer;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.LettuceFutures;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.RedisURI;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** With Lettuce: its asynchronous commands, sent in batches instead of each on its own. */
final class LettuceRedis implements RedisWriter {
    private static final int BATCH = 500;
    private static final int UNANSWERED_MAX = 20 * BATCH;
    private static final int PATIENCE_SECONDS = 30;
    private static final byte[] KEY = "lead:".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] FIELD = "score".getBytes(StandardCharsets.US_ASCII);

    private final StatefulRedisConnection<byte[], byte[]> connection;
    private final RedisAsyncCommands<byte[], byte[]> commands;
    private final List<RedisFuture<?>> unanswered = new ArrayList<>();

    /** For the connections of all threads. */
    static RedisClient client(String path) {
        RedisClient client = RedisClient.create(RedisURI.Builder.socket(path).build());
        // flush() has a limit of its own; a timer per command would cost more than the command
        client.setOptions(ClientOptions.builder().timeoutOptions(TimeoutOptions.create()).build());
        return client;
    }

    LettuceRedis(RedisClient client) {
        connection = client.connect(ByteArrayCodec.INSTANCE);
        connection.setAutoFlushCommands(false);
        commands = connection.async();
    }

    @Override
    public void put(byte[] lead, long score) {
        byte[] key = new byte[KEY.length + lead.length];
        System.arraycopy(KEY, 0, key, 0, KEY.length);
        System.arraycopy(lead, 0, key, KEY.length, lead.length);
        unanswered.add(commands.hset(key, FIELD, Long.toString(score).getBytes(StandardCharsets.US_ASCII)));
        if (unanswered.size() == UNANSWERED_MAX) {
            flush();
        } else if (unanswered.size() % BATCH == 0) {
            connection.flushCommands();
        }
    }

    @Override
    public void flush() {
        connection.flushCommands();
        if (!LettuceFutures.awaitAll(PATIENCE_SECONDS, TimeUnit.SECONDS, unanswered.toArray(new RedisFuture<?>[0]))) {
            throw new IllegalStateException("Redis: no answer within " + PATIENCE_SECONDS + " s");
        }
        unanswered.clear();
    }

    @Override
    public void close() {
        connection.close();
    }
}
