#include "config/redis_url.h"

#include "config/units.h"

#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decoded copy; NULL where an escape is malformed or gives NUL. */
static const char *decoded(struct arena *arena, const char *text, size_t size)
{
    char *copy = arena_take(arena, size + 1), *to = copy;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (c == '%') {
            int high = i + 2 < size ? hex_digit(text[i + 1]) : -1;
            int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
            if (low < 0 || (high == 0 && low == 0))
                return NULL;
            c = (char)(high << 4 | low);
            i += 2;
        }
        *to++ = c;
    }
    *to = 0;
    return copy;
}

static const char *const bad_escape = "has a % without two hexadecimal digits";

static const char *read_database(const char *text, struct config_redis_address *address)
{
    if (!units_whole(text, &address->database) || address->database < 0 ||
        address->database > 1000000)
        return "must have a number as its database (a password with @ : / ? or # belongs into "
               "redis.password, or percent-encoded)";
    return NULL;
}

static const char *read_user(struct arena *arena, const char *text, size_t size,
                             struct config_redis_address *address)
{
    const char *colon = memchr(text, ':', size);
    size_t user_size = colon ? (size_t)(colon - text) : size;
    address->user = decoded(arena, text, user_size);
    address->password = colon ? decoded(arena, colon + 1, size - user_size - 1) : "";
    return address->user && address->password ? NULL : bad_escape;
}

static const char *read_host(struct arena *arena, const char *text, size_t size,
                             struct config_redis_address *address)
{
    const char *end = text + size, *host_end = end, *port = NULL;
    if (size && *text == '[') { /* an IPv6 address */
        host_end = memchr(text, ']', size);
        if (!host_end)
            return "lacks a ]";
        text++;
        port = host_end + 1 < end ? host_end + 1 : NULL;
    } else if ((port = memchr(text, ':', size))) {
        host_end = port;
    }
    if (host_end == text)
        return "lacks a host";
    address->host = decoded(arena, text, (size_t)(host_end - text));
    if (!address->host)
        return bad_escape;
    if (!port)
        return NULL;
    int64_t number = 0;
    const char *digits = *port == ':' ? decoded(arena, port + 1, (size_t)(end - port - 1)) : NULL;
    if (!digits || !units_whole(digits, &number) || number < 1 || number > 65535)
        return "must have a port from 1 to 65535";
    address->port = (uint16_t)number;
    return NULL;
}

static const char *read_tcp(struct arena *arena, const char *rest,
                            struct config_redis_address *address)
{
    size_t size = strcspn(rest, "/?#");
    const char *path = rest + size, *at = NULL;
    for (size_t i = 0; i < size; i++)
        if (rest[i] == '@')
            at = rest + i;
    const char *problem = NULL;
    if (at) {
        problem = read_user(arena, rest, (size_t)(at - rest), address);
        size -= (size_t)(at + 1 - rest);
        rest = at + 1;
    }
    if (!problem)
        problem = read_host(arena, rest, size, address);
    if (problem || !*path || strcmp(path, "/") == 0)
        return problem;
    if (*path != '/')
        return "may have only a database after the port: redis://host:port/0";
    return read_database(path + 1, address);
}

static const char *read_option(struct arena *arena, const char *text, size_t size,
                               struct config_redis_address *address)
{
    const char *equals = memchr(text, '=', size);
    size_t name_size = equals ? (size_t)(equals - text) : size;
    const char *value = equals ? decoded(arena, equals + 1, size - name_size - 1) : NULL;
    if (!value)
        return "has an option that is not name=value";
    if (name_size == 2 && memcmp(text, "db", 2) == 0)
        return read_database(value, address);
    if (name_size == 8 && memcmp(text, "password", 8) == 0)
        address->password = value;
    else if (name_size == 4 && memcmp(text, "user", 4) == 0)
        address->user = value;
    else
        return "may have the options db, password and user only";
    return NULL;
}

static const char *read_socket(struct arena *arena, const char *rest,
                               struct config_redis_address *address)
{
    size_t size = strcspn(rest, "?");
    address->port = 0;
    address->socket_path = decoded(arena, rest, size);
    if (!address->socket_path)
        return bad_escape;
    if (*rest != '/' || size < 2)
        return "must have an absolute path: unix:///path/to.sock";
    if (strlen(address->socket_path) > 107)
        return "has a path that is too long for a socket (107 bytes)";
    for (const char *option = rest + size; *option;) {
        option++;
        size_t option_size = strcspn(option, "&");
        const char *problem = read_option(arena, option, option_size, address);
        if (problem)
            return problem;
        option += option_size;
    }
    return NULL;
}

const char *redis_url_parse(struct arena *arena, const char *url,
                            struct config_redis_address *address)
{
    *address = (struct config_redis_address){
        .host = "", .port = 6379, .socket_path = "", .database = 0, .user = "", .password = ""};
    if (strncmp(url, "redis://", 8) == 0)
        return read_tcp(arena, url + 8, address);
    if (strncmp(url, "unix://", 7) == 0)
        return read_socket(arena, url + 7, address);
    if (strncmp(url, "rediss://", 9) == 0)
        return "cannot use TLS yet; write redis:// or unix://";
    return "must begin with redis:// or unix://";
}
