#include "redis/redis_scripts.h"

#include "base/crash_point.h"

#include <string.h>

/* KEYS: the unit's hash. ARGV: the new token. Gives the step and the hash as it was. */
static const char claim_text[] = "local before = redis.call('HGETALL', KEYS[1])\n"
                                 "local step = redis.call('HINCRBY', KEYS[1], 'step', 1)\n"
                                 "redis.call('HSET', KEYS[1], 'token', ARGV[1])\n"
                                 "return {step, before}\n";

static const char fence_text[] = "local held = redis.call('HMGET', KEYS[1], 'token', 'step')\n"
                                 "if held[1] ~= ARGV[1] or held[2] ~= ARGV[2] then return 0 end\n";

/* KEYS: the unit's hash, then other hashes. ARGV: token, step, then for each other key, and last
 * for the unit's hash: how many arguments to set (-1: remove the key), how many fields to delete,
 * and those. Most leads come in a short form that takes a quarter less of Redis: a1 to a4, score,
 * updated, and so many chunks; their stage stands there already. The unit's hash comes last and its
 * step at the very end: should Redis give up halfway (a key of another type), nothing later can
 * pass the fence. unpack has a limit of about 8,000 values. */
static const char write_text[] =
    "local call, argv, at = redis.call, ARGV, 3\n"
    "for k = 2, #KEYS + 1 do\n"
    "  local key, form = KEYS[k] or KEYS[1], argv[at]\n"
    "  if form == 'a2' then\n"
    "    call('HSET', key, 'score', argv[at + 1], 'updated', argv[at + 2],\n"
    "         'a', argv[at + 3], 'b', argv[at + 4])\n"
    "    at = at + 5\n"
    "  elseif form == 'a1' then\n"
    "    call('HSET', key, 'score', argv[at + 1], 'updated', argv[at + 2], 'a', argv[at + 3])\n"
    "    at = at + 4\n"
    "  elseif form == 'a3' then\n"
    "    call('HSET', key, 'score', argv[at + 1], 'updated', argv[at + 2],\n"
    "         'a', argv[at + 3], 'b', argv[at + 4], 'c', argv[at + 5])\n"
    "    at = at + 6\n"
    "  elseif form == 'a4' then\n"
    "    call('HSET', key, 'score', argv[at + 1], 'updated', argv[at + 2],\n"
    "         'a', argv[at + 3], 'b', argv[at + 4], 'c', argv[at + 5], 'd', argv[at + 6])\n"
    "    at = at + 7\n"
    "  else\n"
    "    local set, del = tonumber(form), tonumber(argv[at + 1])\n"
    "    at = at + 2\n"
    "    if set < 0 then call('UNLINK', key) set = 0 end\n"
    "    for i = at, at + set - 1, 1000 do\n"
    "      call('HSET', key, unpack(argv, i, math.min(i + 999, at + set - 1)))\n"
    "    end\n"
    "    at = at + set\n"
    "    for i = at, at + del - 1, 1000 do\n"
    "      call('HDEL', key, unpack(argv, i, math.min(i + 999, at + del - 1)))\n"
    "    end\n"
    "    at = at + del\n"
    "  end\n"
    "end\n"
    "call('HINCRBY', KEYS[1], 'step', 1)\n"
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
