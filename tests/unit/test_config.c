#include "config/config.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct config *parse(const char *text)
{
    struct config *config;
    struct text_buffer messages = {0};
    enum status status = config_parse("folder/baton.yaml", text, strlen(text), &config, &messages);
    cr_assert_eq(status, STATUS_OK, "%s", messages.data ? messages.data : "");
    text_buffer_fini(&messages);
    return config;
}

static void refuses(const char *text, const char *expected)
{
    struct config *config;
    struct text_buffer messages = {0};
    cr_expect_eq(config_parse("f", text, strlen(text), &config, &messages), STATUS_STOP, "%s",
                 text);
    cr_expect_null(config);
    cr_expect(messages.data && strstr(messages.data, expected), "%s\n%s", text,
              messages.data ? messages.data : "");
    text_buffer_fini(&messages);
}

Test(config, an_empty_file_is_all_defaults)
{
    struct config *config = parse("");
    cr_expect_str_eq(config->agreement, "folder/agreement.yaml");
    cr_expect_str_eq(config->kafka.brokers, "127.0.0.1:9092");
    cr_expect_str_eq(config->kafka.instance, "");
    cr_expect_eq(config->kafka.properties.count, 0);
    cr_expect_str_eq(config->topics.dead, "lead-events-dead");
    cr_expect_str_eq(config->topics.breaches, "lead-breaches");
    cr_expect_eq(config->topics.retention_ms, INT64_C(2592000000));
    cr_expect_eq(config->input.lead_id, CONFIG_LEAD_ID_VALUE);
    cr_expect_eq(config->input.max_ahead_ms, 300000);
    cr_expect_eq(config->input.form_profile, CONFIG_FORM_AUTO);
    cr_expect_eq(config->output.format, CONFIG_OUTPUT_AVRO);
    cr_expect_str_eq(config->redis.address.host, "127.0.0.1");
    cr_expect_eq(config->redis.address.port, 6379);
    cr_expect_eq(config->workers, 2);
    cr_expect_eq(config->emit.pace_ms, 15);
    cr_expect_eq(config->checkpoint.dirty, 200000);
    cr_expect_eq(config->leads.memory_bytes, 512 << 20);
    cr_expect_eq(config->shutdown.timeout_ms, 5000);
    config_destroy(config);
}

Test(config, every_parameter_can_be_set)
{
    struct config *config = parse(
        "agreement: /etc/a.yaml\n"
        "kafka: {brokers: 'a:1,b:2', group: g, instance: i-1, embedded: true,\n"
        "  properties: {security.protocol: ssl, client.id: x}, consumer: {session.timeout.ms: "
        "6000},\n"
        "  producer: {compression.type: lz4}}\n"
        "topics: {events: e, promotions: p, stages: s, dead: d, partitions: 16, replication: 3,\n"
        "  retention: 12h}\n"
        "input: {lead_id: key, max_ahead: 0, fields: {ts: time}, form_profile: {mail: email},\n"
        "  kind: {field: type, values: {form_submit: form_fill}}}\n"
        "schemas: {directory: s, registry: 'http://r/apis', unknown_wait: 1m}\n"
        "output: {format: registry, source: /x}\n"
        "redis: {url: 'unix:///r.sock?db=3', password: 'p w', prefix: q}\n"
        "workers: 4\nemit: {linger: 0, pace: 1s}\ncommit: {interval: 100ms}\n"
        "checkpoint: {interval: 1s, dirty: 100}\nleads: {memory: 2GB}\nstats: {interval: 1s}\n"
        "shutdown: {timeout: 1m}\n");
    cr_expect_str_eq(config->agreement, "/etc/a.yaml");
    cr_expect(config->kafka.embedded);
    cr_assert_eq(config->kafka.properties.count, 2);
    cr_expect_str_eq(config->kafka.properties.items[1].name, "client.id");
    cr_expect_str_eq(config->kafka.properties.items[1].value, "x");
    cr_expect_str_eq(config->kafka.consumer.items[0].value, "6000");
    cr_expect_eq(config->topics.replication, 3);
    cr_expect_eq(config->topics.retention_ms, 43200000);
    cr_expect_eq(config->input.lead_id, CONFIG_LEAD_ID_KEY);
    cr_expect_str_eq(config->input.fields.items[0].name, "ts");
    cr_expect_str_eq(config->input.kind.field, "type");
    cr_expect_str_eq(config->input.kind.values.items[0].value, "form_fill");
    cr_expect_eq(config->input.form_profile, CONFIG_FORM_MAPPED);
    cr_expect_str_eq(config->input.form_fields.items[0].value, "email");
    cr_expect_str_eq(config->schemas.directory, "folder/s");
    cr_expect_eq(config->output.format, CONFIG_OUTPUT_REGISTRY);
    cr_expect_str_eq(config->redis.address.socket_path, "/r.sock");
    cr_expect_str_eq(config->redis.address.host, "");
    cr_expect_eq(config->redis.address.database, 3);
    cr_expect_str_eq(config->redis.address.password, "p w");
    cr_expect_eq(config->leads.memory_bytes, INT64_C(2) << 30);
    cr_expect_eq(config->emit.linger_ms, 0);
    config_destroy(config);
}

Test(config, a_key_without_a_value_keeps_its_default)
{
    struct config *config = parse("kafka:\n  instance:\n  group: ~\nworkers:\nredis:\n");
    cr_expect_str_eq(config->kafka.group, "baton");
    cr_expect_eq(config->workers, 2);
    config_destroy(config);
}

Test(config, all_errors_come_at_once_with_their_places)
{
    refuses("kafka: {broker: a}\nworkers: 0\nemit: {linger: 5}\n",
            "f:1:9: error: unknown key `broker` in `kafka`; did you mean `brokers`?\n"
            "f:2:10: error: `workers` must be from 1 to 256\n"
            "f:3:16: error: `emit.linger` must be a time like 5ms, 10s, 5m, 4h or 30d\n");
    refuses("chekpoint: {}\n", "f:1:1: error: unknown key `chekpoint`; did you mean `checkpoint`?");
    refuses("kafka.brokers: a\n", "f:1:1: error: unknown key `kafka.brokers`");
    refuses("workers: '2'\n", "must stand without quotes");
    refuses("workers: [2]\n", "`workers` must be one value, not a list");
    refuses("stats: 4\n",
            "f:1:8: error: a section must be a mapping of keys to values, not a text");
    refuses("- a\n", "the file must be a mapping");
    refuses("kafka: {embedded: yes}\n", "must be true or false");
    refuses("leads: {memory: 512}\n", "must be from 16MB to 1024GB");
    refuses("output: {format: xml}\n", "must be avro, json or registry");
    refuses("agreement: ''\n", "must not be empty");
    refuses("agreement: *a*\n", "put quotes around it");
}

Test(config, two_input_topics_are_an_error_that_says_why)
{
    refuses("topics: {events: [a, b]}\n",
            "f:1:18: error: `topics.events` must be one topic, not a list");
}

Test(config, a_mapping_to_something_unknown_has_its_place)
{
    refuses("input: {fields: {ts: tme}}\n",
            "f:1:22: error: `input.fields` cannot map to `tme`; did you mean `time`?");
    refuses("input: {fields: {h: host}}\n", "`input.fields` cannot map to `host`");
    refuses("input: {kind: {field: t, values: {a: form_submit}}}\n",
            "`input.kind.values` cannot map to `form_submit`");
    refuses("input: {form_profile: {a: mail}}\n", "cannot map to `mail`; did you mean `email`?");
    refuses("kafka: {consumer: {a: [b]}}\n", "`a` must be a text, not a list");
}

Test(config, what_does_not_go_together_is_refused)
{
    refuses("topics: {stages: lead-events}\n",
            "f:1:18: error: `topics.stages` names a topic that is used for something else");
    refuses("output: {format: registry}\n", "needs `schemas.registry`");
    refuses("input: {kind: {values: {a: click}}}\n", "needs `input.kind.field`");
    refuses("redis: {url: 'redis://:a@h/0', password: b}\n", "give one of them");
    refuses("redis: {prefix: 'a{b}'}\n", "cannot hold braces");
    refuses("topics: {dead: 'a b'}\n", "must have letters");
}

Test(config, properties_that_exactly_once_depends_on_are_refused_with_the_reason)
{
    static const char *const names[] = {"enable.auto.commit",
                                        "enable.auto.offset.store",
                                        "auto.offset.reset",
                                        "isolation.level",
                                        "partition.assignment.strategy",
                                        "group.instance.id",
                                        "group.id",
                                        "group.protocol",
                                        "transactional.id",
                                        "enable.idempotence",
                                        "enable.partition.eof",
                                        "transaction.timeout.ms"};
    static const char *const sections[] = {"properties", "consumer", "producer"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        for (size_t k = 0; k < 3; k++) {
            char text[200], expected[200];
            snprintf(text, sizeof text, "kafka:\n  %s: {%s: x}\n", sections[k], names[i]);
            snprintf(expected, sizeof expected, "error: `%s` cannot be given here: ", names[i]);
            refuses(text, expected);
        }
        cr_expect_not_null(config_refused_property(names[i]));
    }
    cr_expect_null(config_refused_property("session.timeout.ms"));
}

static void url_gives(const char *url, const char *host, int port, const char *path, int database,
                      const char *user, const char *password)
{
    char text[300];
    snprintf(text, sizeof text, "redis: {url: '%s'}", url);
    struct config *config = parse(text);
    const struct config_redis_address *address = &config->redis.address;
    cr_expect_str_eq(address->host, host, "%s", url);
    cr_expect_eq(address->port, port, "%s", url);
    cr_expect_str_eq(address->socket_path, path, "%s", url);
    cr_expect_eq(address->database, database, "%s", url);
    cr_expect_str_eq(address->user, user, "%s", url);
    cr_expect_str_eq(address->password, password, "%s", url);
    config_destroy(config);
}

Test(config, a_redis_url_has_all_parts_or_only_a_host)
{
    url_gives("redis://h", "h", 6379, "", 0, "", "");
    url_gives("redis://h:1/", "h", 1, "", 0, "", "");
    url_gives("redis://u:p%40%3a@h:65535/15", "h", 65535, "", 15, "u", "p@:");
    url_gives("redis://:p@q@h/1", "h", 6379, "", 1, "", "p@q");
    url_gives("redis://[::1]:70/3", "::1", 70, "", 3, "", "");
    url_gives("redis://[::1]", "::1", 6379, "", 0, "", "");
    url_gives("unix:///a/b.sock", "", 0, "/a/b.sock", 0, "", "");
    url_gives("unix:///a%20b?db=2&user=u&password=%26", "", 0, "/a b", 2, "u", "&");
}

Test(config, a_redis_url_that_is_none_is_refused)
{
    static const char *const bad[] = {"h:6379",          "rediss://h",      "redis://",
                                      "redis://h:0",     "redis://h:99999", "redis://h/x",
                                      "redis://h?db=1",  "redis://h/-1",    "redis://[::1",
                                      "redis://h:",      "redis://%zz",     "redis://a%0",
                                      "redis://u:%00@h", "unix://a",        "unix:///",
                                      "unix:///a?b",     "unix:///a?x=1",   "unix:///a?db=x",
                                      "redis://:1",      "http://h"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[200];
        snprintf(text, sizeof text, "redis: {url: '%s'}", bad[i]);
        refuses(text, "`redis.url` ");
    }
}

Test(config, the_reference_names_every_parameter_once_and_is_json_on_demand)
{
    char *page = NULL, *json = NULL;
    size_t page_size = 0, json_size = 0;
    FILE *out = open_memstream(&page, &page_size);
    config_print_reference(out, false);
    fclose(out);
    out = open_memstream(&json, &json_size);
    config_print_reference(out, true);
    fclose(out);
    cr_expect(
        strstr(page, "checkpoint.interval: 500ms\n    time; 10ms to 1m; units: ms, s, m, h, d\n"));
    cr_expect(strstr(page, "leads.memory: 512MB\n    size; 16MB to 1024GB; units: KB"));
    cr_expect(strstr(page, "input.form_profile: auto\n    choice; auto | none | a mapping\n"));
    cr_expect(strstr(json, "{\"name\":\"workers\",\"type\":\"whole "
                           "number\",\"default\":\"2\",\"limits\":\"1 to 256\""));
    cr_expect(json[0] == '[' && strcmp(json + json_size - 2, "]\n") == 0);
    free(page);
    free(json);
}
