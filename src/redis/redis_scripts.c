#include "redis/redis_scripts.h"

#include "base/crash_point.h"

#include <string.h>

/* KEYS: the unit's hash. ARGV: the new token. Gives the step and the hash as it was; a step that is
 * none is given as the text that it is, and nothing is claimed. */
static const char claim_text[] = "local before = redis.call('HGETALL', KEYS[1])\n"
                                 "local held = redis.call('HGET', KEYS[1], 'step')\n"
                                 "if held and held ~= '0' and\n"
                                 "   (#held > 15 or not held:find('^[1-9][0-9]*$')) then\n"
                                 "  return {held, before}\n"
                                 "end\n"
                                 "local step = redis.call('HINCRBY', KEYS[1], 'step', 1)\n"
                                 "redis.call('HSET', KEYS[1], 'token', ARGV[1])\n"
                                 "return {step, before}\n";

static const char fence_text[] = "local held = redis.call('HMGET', KEYS[1], 'token', 'step')\n"
                                 "if held[1] ~= ARGV[1] or held[2] ~= ARGV[2] then return 0 end\n";

/* KEYS: the unit's hash, then other hashes, last those of leads in the short form. ARGV: token,
 * step, how many keys are in the short form of one chunk, of two, … of SCRIPT_SHORT_CHUNKS, how
 * many other keys there are; for each of those: how many arguments to set (-1: remove the key), how
 * many fields to delete, and those; for each in the short form: score and chunks; for the unit's
 * hash: as for other keys.
 *
 * Most leads come in the short form, as their stage stands there already: it takes a third less of
 * Redis than names of fields and numbers would. The unit's hash comes last and its step at the very
 * end: should Redis give up halfway (a key of another type), nothing later can pass the fence.
 * unpack has a limit of about 8,000 values. */
static const char write_text[] =
    "local call, keys, argv, k, at = redis.call, KEYS, ARGV, 2, 12\n"
    "local function put(key)\n"
    "  local set, del = tonumber(argv[at]), tonumber(argv[at + 1])\n"
    "  at = at + 2\n"
    "  if set < 0 then call('UNLINK', key) set = 0 end\n"
    "  for i = at, at + set - 1, 1000 do\n"
    "    call('HSET', key, unpack(argv, i, math.min(i + 999, at + set - 1)))\n"
    "  end\n"
    "  at = at + set\n"
    "  for i = at, at + del - 1, 1000 do\n"
    "    call('HDEL', key, unpack(argv, i, math.min(i + 999, at + del - 1)))\n"
    "  end\n"
    "  at = at + del\n"
    "end\n"
    "for i = k, k + argv[11] - 1 do\n"
    "  put(keys[i])\n"
    "  k = k + 1\n"
    "end\n"
    "for i = k, k + argv[3] - 1 do\n"
    "  call('HSET', keys[i], 'score', argv[at], 'a', argv[at + 1])\n"
    "  k, at = k + 1, at + 2\n"
    "end\n"
    "for i = k, k + argv[4] - 1 do\n"
    "  call('HSET', keys[i], 'score', argv[at], 'a', argv[at + 1], 'b', argv[at + 2])\n"
    "  k, at = k + 1, at + 3\n"
    "end\n"
    "for i = k, k + argv[5] - 1 do\n"
    "  call('HSET', keys[i], 'score', argv[at], 'a', argv[at + 1], 'b', argv[at + 2],\n"
    "       'c', argv[at + 3])\n"
    "  k, at = k + 1, at + 4\n"
    "end\n"
    "for i = k, k + argv[6] - 1 do\n"
    "  call('HSET', keys[i], 'score', argv[at], 'a', argv[at + 1], 'b', argv[at + 2],\n"
    "       'c', argv[at + 3], 'd', argv[at + 4])\n"
    "  k, at = k + 1, at + 5\n"
    "end\n"
    "for i = k, k + argv[7] - 1 do\n"
    "  call('HSET', keys[i], 'score', argv[at], 'a', argv[at + 1], 'b', argv[at + 2],\n"
    "       'c', argv[at + 3], 'd', argv[at + 4], 'e', argv[at + 5])\n"
    "  k, at = k + 1, at + 6\n"
    "end\n"
    "for i = k, k + argv[8] - 1 do\n"
    "  call('HSET', keys[i], 'score', argv[at], 'a', argv[at + 1], 'b', argv[at + 2],\n"
    "       'c', argv[at + 3], 'd', argv[at + 4], 'e', argv[at + 5], 'f', argv[at + 6])\n"
    "  k, at = k + 1, at + 7\n"
    "end\n"
    "for i = k, k + argv[9] - 1 do\n"
    "  call('HSET', keys[i], 'score', argv[at], 'a', argv[at + 1], 'b', argv[at + 2],\n"
    "       'c', argv[at + 3], 'd', argv[at + 4], 'e', argv[at + 5], 'f', argv[at + 6],\n"
    "       'g', argv[at + 7])\n"
    "  k, at = k + 1, at + 8\n"
    "end\n"
    "for i = k, k + argv[10] - 1 do\n"
    "  call('HSET', keys[i], 'score', argv[at], 'a', argv[at + 1], 'b', argv[at + 2],\n"
    "       'c', argv[at + 3], 'd', argv[at + 4], 'e', argv[at + 5], 'f', argv[at + 6],\n"
    "       'g', argv[at + 7], 'h', argv[at + 8])\n"
    "  k, at = k + 1, at + 9\n"
    "end\n"
    "put(keys[1])\n"
    "call('HINCRBY', keys[1], 'step', 1)\n"
    "return 1\n";

bool fence_is_ignored(void)
{
    return SEEDED_FAULT("no_fence");
}

static enum status load_one(char sha[41], const char *text, struct connection *connection,
                            struct error *error)
{
    const char *words[] = {"SCRIPT", "LOAD", text};
    const struct reply *reply;
    connection_words(connection, 3, words);
    enum status status = connection_answer(connection, &reply, error);
    if (status != STATUS_OK)
        return status;
    if (reply->type != REPLY_TEXT || reply->size != 40)
        return error_set(error, STATUS_STOP,
                         "Redis at %s cannot run scripts: baton needs SCRIPT and EVALSHA",
                         connection_place(connection));
    memcpy(sha, reply->data, 41);
    return STATUS_OK;
}

enum status scripts_load(struct scripts *scripts, struct connection *connection,
                         struct error *error)
{
    char fenced[sizeof fence_text + sizeof write_text];
    strcpy(fenced, fence_is_ignored() ? "" : fence_text);
    strcat(fenced, write_text);
    enum status status = load_one(scripts->sha[SCRIPT_CLAIM], claim_text, connection, error);
    return status == STATUS_OK ? load_one(scripts->sha[SCRIPT_WRITE], fenced, connection, error)
                               : status;
}
