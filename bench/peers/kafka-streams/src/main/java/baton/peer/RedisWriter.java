package baton.peer;

/** Writes scores to Redis, one {@code HSET lead:ID score N} per event, without waiting for each. For one thread. */
interface RedisWriter extends AutoCloseable {
    void put(byte[] lead, long score);

    /** Returns when Redis has answered every write so far; throws when one failed. */
    void flush();

    @Override
    void close();
}
