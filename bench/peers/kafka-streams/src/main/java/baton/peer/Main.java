package baton.peer;

import io.lettuce.core.RedisClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** A lead scorer on Kafka Streams, exactly once: runs until SIGTERM. */
public final class Main {
    private static final String USAGE = """
            usage: run --brokers B --topic T --group G --redis unix:///path/of/socket --promotions TOPIC
                       [--threads 2] [--store rocksdb|memory] [--redis-client lettuce|own] [--set NAME=VALUE]...
            Scores leads until SIGTERM: click 3, visit 1, form fill 10; a promotion at 100.
            Hash field `score` of key lead:ID in Redis. The application id is G.
            --set: any setting of Kafka Streams, in place of ours.
            """;
    private static final Set<String> NEEDED = Set.of("brokers", "topic", "group", "redis", "promotions");
    private static final Map<String, String> DEFAULTS =
            Map.of("threads", "2", "store", "rocksdb", "redis-client", "lettuce", "set", "");

    private Main() {
    }

    public static void main(String[] arguments) throws Exception {
        Map<String, String> options = readOptions(arguments);
        Path stateFolder = Files.createTempDirectory("kafka-streams-peer");
        ThreadLocal<RedisWriter> redis = ThreadLocal.withInitial(redisWriters(options));
        redis.get().close(); // fail at once where there is none
        redis.remove();
        KafkaStreams streams = new KafkaStreams(topology(options, redis), settings(options, stateFolder),
                new RedisFirstClients(redis));
        CountDownLatch failed = new CountDownLatch(1);
        streams.setUncaughtExceptionHandler(cause -> {
            cause.printStackTrace();
            failed.countDown();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            streams.close(new KafkaStreams.CloseOptions().leaveGroup(true).timeout(Duration.ofSeconds(20)));
            remove(stateFolder);
            Runtime.getRuntime().halt(failed.getCount() == 0 ? 1 : 0);
        }));
        streams.start();
        failed.await();
        System.exit(1);
    }

    private static Map<String, String> readOptions(String[] arguments) {
        Map<String, String> options = new HashMap<>(DEFAULTS);
        for (int i = 0; i < arguments.length; i += 2) {
            String name = arguments[i].startsWith("--") ? arguments[i].substring(2) : "";
            if (i + 1 == arguments.length || !NEEDED.contains(name) && !DEFAULTS.containsKey(name)) {
                refuse();
            }
            options.merge(name, arguments[i + 1], (before, value) -> name.equals("set") ? before + "\n" + value : value);
        }
        if (!options.keySet().containsAll(NEEDED) || !options.get("threads").matches("[1-9][0-9]?")
                || !Set.of("rocksdb", "memory").contains(options.get("store"))
                || !Set.of("lettuce", "own").contains(options.get("redis-client"))
                || !options.get("redis").startsWith("unix://")) {
            refuse();
        }
        return options;
    }

    private static void refuse() {
        System.err.print(USAGE);
        System.exit(2);
    }

    private static Supplier<RedisWriter> redisWriters(Map<String, String> options) {
        String path = options.get("redis").substring("unix://".length()).replaceFirst("\\?.*", "");
        if (options.get("redis-client").equals("own")) {
            return () -> new OwnRedis(path);
        }
        RedisClient client = LettuceRedis.client(path);
        return () -> new LettuceRedis(client);
    }

    private static Topology topology(Map<String, String> options, ThreadLocal<RedisWriter> redis) {
        // No cache before the store: it saves changelog records, and costs as much or more.
        StoreBuilder<KeyValueStore<byte[], Long>> store = scores(options.get("store").equals("memory")
                ? Stores.inMemoryKeyValueStore(Scorer.STORE) : Stores.persistentKeyValueStore(Scorer.STORE));
        return new Topology()
                .addSource("events", Serdes.ByteArray().deserializer(), Serdes.ByteArray().deserializer(),
                        options.get("topic"))
                .addProcessor("scorer", () -> new Scorer(redis), "events")
                .addStateStore(store, "scorer")
                .addSink("promotions", options.get("promotions"), Serdes.ByteArray().serializer(),
                        Serdes.ByteArray().serializer(), "scorer");
    }

    private static StoreBuilder<KeyValueStore<byte[], Long>> scores(KeyValueBytesStoreSupplier supplier) {
        return Stores.keyValueStoreBuilder(supplier, Serdes.ByteArray(), Serdes.Long()).withLoggingEnabled(Map.of());
    }

    private static Properties settings(Map<String, String> options, Path stateFolder) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, options.get("brokers"));
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, options.get("group"));
        settings.put(StreamsConfig.STATE_DIR_CONFIG, stateFolder.toString());
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, options.get("threads"));
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
        settings.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 10000);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 10000);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG), 4 << 20);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.FETCH_MAX_BYTES_CONFIG), 64 << 20);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG), 100);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.RECEIVE_BUFFER_CONFIG), 1 << 20);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.CHECK_CRCS_CONFIG), false); // as librdkafka
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "lz4");
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 256 << 10);
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 100);
        options.get("set").lines().map(line -> line.split("=", 2)).filter(pair -> pair.length == 2)
                .forEach(pair -> settings.put(pair[0], pair[1]));
        return settings;
    }

    private static void remove(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            List<Path> inside = files.sorted(Comparator.reverseOrder()).toList();
            for (Path path : inside) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
