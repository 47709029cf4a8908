#include "codec/url.h"

#include "text/fold.h"

#include <string.h>

struct span {
    const char *at, *end;
};

static struct baton_text text_of(struct span span)
{
    return (struct baton_text){span.at, (uint32_t)(span.end - span.at)};
}

static const char *find(struct span span, char wanted)
{
    const char *found = memchr(span.at, wanted, (size_t)(span.end - span.at));
    return found ? found : span.end;
}

static const char *first_of_three(struct span span)
{
    const char *at = span.at;
    while (at < span.end && *at != '/' && *at != '?' && *at != '#')
        at++;
    return at;
}

static struct baton_text until_query(struct span span)
{
    const char *at = span.at;
    while (at < span.end && *at != '?' && *at != '#')
        at++;
    return text_of((struct span){span.at, at});
}

struct baton_text url_page(struct baton_text page)
{
    return until_query((struct span){page.data, page.data + page.size});
}

static struct baton_text lowered(struct arena *arena, struct span span)
{
    struct baton_text text = text_of(span);
    uint32_t i = 0;
    while (i < text.size && (text.data[i] < 'A' || text.data[i] > 'Z'))
        i++;
    if (i == text.size)
        return text;
    char *copy = arena_copy(arena, text.data, text.size);
    for (; i < text.size; i++)
        if (copy[i] >= 'A' && copy[i] <= 'Z')
            copy[i] = (char)(copy[i] + 'a' - 'A');
    return (struct baton_text){copy, text.size};
}

static struct baton_text host_of(struct arena *arena, struct span authority)
{
    const char *user_end = memrchr(authority.at, '@', (size_t)(authority.end - authority.at));
    struct span host = {user_end ? user_end + 1 : authority.at, authority.end};
    if (host.at < host.end && *host.at == '[') {
        const char *bracket = find(host, ']');
        host.end = bracket < host.end ? bracket + 1 : bracket;
    } else {
        host.end = find(host, ':');
    }
    return lowered(arena, host);
}

/* Takes the authority off the front; false: there is none. */
static bool take_authority(struct span *url, struct span *authority)
{
    const char *first = first_of_three(*url);
    if (first == url->at || url->end - first < 2 || first[0] != '/' || first[1] != '/')
        return false;
    *authority = (struct span){first + 2, url->end};
    authority->end = first_of_three(*authority);
    url->at = authority->end;
    return true;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static struct baton_text percent_decoded(struct arena *arena, struct span value)
{
    struct baton_text text = text_of(value);
    if (!memchr(text.data, '%', text.size) && !memchr(text.data, '+', text.size))
        return text;
    char *out = arena_take(arena, text.size);
    uint32_t size = 0;
    for (const char *at = value.at; at < value.end; at++) {
        char c = *at == '+' ? ' ' : *at;
        if (c == '%' && value.end - at > 2 && hex(at[1]) >= 0 && hex(at[2]) >= 0) {
            c = (char)(hex(at[1]) << 4 | hex(at[2]));
            at += 2;
        }
        out[size++] = c;
    }
    return text_is_utf8(out, size) ? (struct baton_text){out, size} : (struct baton_text){0};
}

static int parameter_of(struct span name)
{
    static const char *const names[URL_PARAMETERS] = {"source", "medium", "campaign", "term",
                                                      "content"};
    size_t size = (size_t)(name.end - name.at);
    if (size < 8 || memcmp(name.at, "utm_", 4) != 0)
        return -1;
    for (int i = 0; i < URL_PARAMETERS; i++)
        if (strlen(names[i]) == size - 4 && memcmp(name.at + 4, names[i], size - 4) == 0)
            return i;
    return -1;
}

static void read_query(struct arena *arena, struct span query, struct url_parts *parts)
{
    unsigned seen = 0;
    while (query.at < query.end) {
        struct span pair = {query.at, find(query, '&')};
        query.at = pair.end < query.end ? pair.end + 1 : query.end;
        if (pair.at == pair.end || *pair.at != 'u')
            continue;
        struct span name = {pair.at, find(pair, '=')};
        int parameter = parameter_of(name);
        if (parameter < 0 || seen & 1u << parameter)
            continue;
        seen |= 1u << parameter;
        if (name.end < pair.end)
            parts->utm[parameter] = percent_decoded(arena, (struct span){name.end + 1, pair.end});
    }
}

void url_read(struct arena *arena, struct baton_text url, struct url_parts *parts)
{
    struct span rest = {url.data, url.data + url.size}, authority;
    *parts = (struct url_parts){0};
    if (take_authority(&rest, &authority))
        parts->host = host_of(arena, authority);
    struct span path = {first_of_three(rest), rest.end};
    parts->page =
        path.at < path.end && *path.at == '/' ? until_query(path) : (struct baton_text){"/", 1};
    struct span query = {rest.at, find(rest, '#')};
    query.at = find(query, '?');
    if (query.at < query.end) {
        query.at++;
        read_query(arena, query, parts);
    }
}
