package baton.peer;

import java.nio.charset.StandardCharsets;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/** Click 3, visit 1, form fill 10: the score into the store and to Redis, a promotion when it reaches 100. */
final class Scorer implements Processor<byte[], byte[], byte[], byte[]> {
    static final String STORE = "scores";
    private static final long PROMOTED_AT = 100;

    private final ThreadLocal<RedisWriter> redisOfThread;
    private final Event event = new Event();
    private ProcessorContext<byte[], byte[]> context;
    private KeyValueStore<byte[], Long> scores;

    Scorer(ThreadLocal<RedisWriter> redisOfThread) {
        this.redisOfThread = redisOfThread;
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> processorContext) {
        context = processorContext;
        scores = context.getStateStore(STORE);
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        if (!event.read(record.value())) {
            return;
        }
        Long before = scores.get(event.leadId);
        long score = (before == null ? 0 : before) + event.points;
        scores.put(event.leadId, score);
        redisOfThread.get().put(event.leadId, score);
        if (score >= PROMOTED_AT && score - event.points < PROMOTED_AT) {
            String text = "{\"score\":" + score + ",\"event_id\":\"" + event.eventId() + "\"}";
            context.forward(new Record<>(event.leadId, text.getBytes(StandardCharsets.UTF_8), record.timestamp()));
        }
    }
}
