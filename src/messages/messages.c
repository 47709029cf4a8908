#include "messages/messages.h"

#include "messages/catalogues.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *const *const catalogues[LANGUAGES] = {catalogue_en, catalogue_pt, catalogue_es};
static const char *const names[LANGUAGES] = {"en", "pt", "es"};

const char *language_name(enum language language)
{
    assert(language < LANGUAGES);
    return names[language];
}

bool language_find(const char *name, enum language *language)
{
    for (int i = 0; i < LANGUAGES; i++) {
        if (strcmp(name, names[i]) != 0)
            continue;
        *language = (enum language)i;
        return true;
    }
    return false;
}

const char *message_text(enum language language, enum message_id id)
{
    assert(language < LANGUAGES && id < MESSAGES);
    return catalogues[language][id];
}

const char *message_name(enum message_id id)
{
#define MESSAGE_NAME(name) #name,
    static const char *const ids[MESSAGES] = {MESSAGE_LIST(MESSAGE_NAME)};
#undef MESSAGE_NAME
    assert(id < MESSAGES);
    return ids[id];
}

void speech_init(struct speech *speech, enum language language, struct text_buffer *out)
{
    assert(language < LANGUAGES);
    *speech = (struct speech){.language = language, .out = out};
    arena_init(&speech->arena, 4096);
}

void speech_fini(struct speech *speech)
{
    arena_fini(&speech->arena);
}

/* ---- Filling in ---- */

static const char *value_of(const struct message_hole *holes, const char *name, size_t size)
{
    for (const struct message_hole *hole = holes; hole && hole->name; hole++)
        if (strlen(hole->name) == size && memcmp(hole->name, name, size) == 0)
            return hole->text;
    return NULL;
}

/* Prepositions that grow together with the article behind them: "em a meta" is "na meta". The hole
 * is one that the catalogue itself fills, not what somebody wrote. */
static const struct {
    enum language language;
    const char *before, *article, *both;
} contractions[] = {
    {LANGUAGE_PT, " em ", "o ", " no "},   {LANGUAGE_PT, " em ", "a ", " na "},
    {LANGUAGE_PT, " em ", "os ", " nos "}, {LANGUAGE_PT, " em ", "as ", " nas "},
    {LANGUAGE_PT, " de ", "o ", " do "},   {LANGUAGE_PT, " de ", "a ", " da "},
    {LANGUAGE_PT, " de ", "os ", " dos "}, {LANGUAGE_PT, " de ", "as ", " das "},
    {LANGUAGE_ES, " a ", "el ", " al "},   {LANGUAGE_ES, " de ", "el ", " del "},
};

static void add_with_article(struct text_buffer *out, enum language language, const char *value)
{
    for (size_t i = 0; i < sizeof contractions / sizeof *contractions; i++) {
        size_t size = strlen(contractions[i].before);
        if (contractions[i].language != language || out->size < size ||
            memcmp(out->data + out->size - size, contractions[i].before, size) != 0 ||
            strncmp(value, contractions[i].article, strlen(contractions[i].article)) != 0)
            continue;
        out->size -= size;
        text_buffer_add_text(out, contractions[i].both);
        value += strlen(contractions[i].article);
        break;
    }
    text_buffer_add_text(out, value);
}

/* What stands between the braces: `name` or `name|one|many`. */
static void fill_hole(struct text_buffer *out, enum language language, const char *text,
                      size_t size, const struct message_hole *holes)
{
    const char *one = memchr(text, '|', size), *end = text + size;
    const char *value = value_of(holes, text, one ? (size_t)(one - text) : size);
    assert(value);
    if (!one && size == 4 && memcmp(text, "what", 4) == 0) {
        add_with_article(out, language, value);
        return;
    }
    if (!one) {
        text_buffer_add_text(out, value);
        return;
    }
    const char *many = memchr(one + 1, '|', (size_t)(end - one - 1));
    assert(many);
    if (strcmp(value, "1") == 0 || strcmp(value, "-1") == 0)
        text_buffer_add(out, one + 1, (size_t)(many - one - 1));
    else
        text_buffer_add(out, many + 1, (size_t)(end - many - 1));
}

static void fill_in(struct text_buffer *out, enum language language, enum message_id id,
                    const struct message_hole *holes)
{
    const char *text = message_text(language, id);
    while (*text) {
        size_t plain = strcspn(text, "{");
        text_buffer_add(out, text, plain);
        text += plain;
        if (!*text)
            break;
        const char *end = strchr(text, '}');
        assert(end);
        fill_hole(out, language, text + 1, (size_t)(end - text - 1), holes);
        text = end + 1;
    }
}

void speech_add(struct speech *speech, enum message_id id, const struct message_hole *holes)
{
    fill_in(speech->out, speech->language, id, holes);
}

static const char *keep(struct speech *speech, struct text_buffer *text)
{
    const char *kept = arena_copy(&speech->arena, text->data ? text->data : "", text->size + 1);
    text_buffer_fini(text);
    return kept;
}

const char *speech_part(struct speech *speech, enum message_id id, const struct message_hole *holes)
{
    struct text_buffer text;
    text_buffer_init(&text);
    fill_in(&text, speech->language, id, holes);
    return keep(speech, &text);
}

const char *speech_print(struct speech *speech, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    assert(size >= 0);
    char *text = arena_take(&speech->arena, (size_t)size + 1);
    (void)vsnprintf(text, (size_t)size + 1, format, again);
    va_end(again);
    return text;
}

/* ---- Numbers, dates and lists ---- */

static const char *write_number(struct speech *speech, bool minus, const char *digits,
                                const char *fraction)
{
    const char *group = speech->language == LANGUAGE_EN ? "," : ".";
    const char *point = speech->language == LANGUAGE_EN ? "." : ",";
    struct text_buffer text;
    text_buffer_init(&text);
    text_buffer_add_text(&text, minus ? "-" : "");
    for (size_t left = strlen(digits); left > 0; left--, digits++) {
        text_buffer_add(&text, digits, 1);
        if (left > 1 && left % 3 == 1)
            text_buffer_add_text(&text, group);
    }
    text_buffer_add_text(&text, *fraction ? point : "");
    text_buffer_add_text(&text, fraction);
    return keep(speech, &text);
}

static uint64_t magnitude(int64_t number)
{
    return number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
}

const char *speech_count(struct speech *speech, int64_t count)
{
    char digits[24];
    (void)snprintf(digits, sizeof digits, "%" PRIu64, magnitude(count));
    return write_number(speech, count < 0, digits, "");
}

const char *speech_points(struct speech *speech, int64_t hundredths)
{
    char digits[24], fraction[4] = "";
    uint64_t size = magnitude(hundredths);
    unsigned rest = (unsigned)(size % 100);
    (void)snprintf(digits, sizeof digits, "%" PRIu64, size / 100);
    if (rest % 10)
        (void)snprintf(fraction, sizeof fraction, "%02u", rest);
    else if (rest)
        (void)snprintf(fraction, sizeof fraction, "%u", rest / 10);
    return write_number(speech, hundredths < 0, digits, fraction);
}

const char *speech_percent(struct speech *speech, int64_t permyriad)
{
    return speech_print(speech, "%s%%", speech_points(speech, permyriad));
}

const char *speech_money(struct speech *speech, int64_t hundredths, const char *currency)
{
    char digits[24], cents[4] = "";
    uint64_t size = magnitude(hundredths);
    (void)snprintf(digits, sizeof digits, "%" PRIu64, size / 100);
    if (size % 100)
        (void)snprintf(cents, sizeof cents, "%02u", (unsigned)(size % 100));
    const char *amount = write_number(speech, hundredths < 0, digits, cents);
    if (!*currency)
        return amount;
    return speech->language == LANGUAGE_EN ? speech_print(speech, "%s %s", currency, amount)
                                           : speech_print(speech, "%s %s", amount, currency);
}

const char *speech_date(struct speech *speech, const char *iso_date)
{
    assert(strlen(iso_date) == 10);
    if (speech->language == LANGUAGE_EN)
        return speech_print(speech, "%s", iso_date);
    return speech_print(speech, "%.2s/%.2s/%.4s", iso_date + 8, iso_date + 5, iso_date);
}

const char *speech_time(struct speech *speech, int64_t local_ms)
{
    struct text_buffer text;
    text_buffer_init(&text);
    text_buffer_add_time(&text, local_ms);
    const char *iso = keep(speech, &text);
    if (strlen(iso) != 24) /* beyond the year 9999 */
        return iso;
    const char *date = speech_date(speech, speech_print(speech, "%.10s", iso));
    return speech_print(speech, "%s %.5s", date, iso + 11);
}

const char *speech_duration(struct speech *speech, int64_t duration_ms)
{
    int64_t minutes = duration_ms / 60000;
    bool days = minutes % (24 * 60) == 0, hours = minutes % 60 == 0;
    int64_t count = days ? minutes / (24 * 60) : hours ? minutes / 60 : minutes;
    return phrase(speech,
                  days    ? MESSAGE_DAYS
                  : hours ? MESSAGE_HOURS
                          : MESSAGE_MINUTES,
                  {"count", speech_count(speech, count)});
}

/* Spanish says `e` before the sound of i, and `u` before that of o. */
static bool begins_with_sound(const char *item, enum speech_join join)
{
    item += *item == '"' || *item == '`' ? 1 : 0;
    const char *sound = item + (*item == 'h' || *item == 'H' ? 1 : 0);
    if (join == SPEECH_OR)
        return *sound == 'o' || *sound == 'O' || *item == '8';
    bool i = *sound == 'i' || *sound == 'I';
    return i && !(sound > item && (sound[1] == 'e' || sound[1] == 'a'));
}

static const char *last_join(const struct speech *speech, const char *item, enum speech_join join)
{
    static const char *const words[LANGUAGES][2] = {
        [LANGUAGE_EN] = {" and ", " or "},
        [LANGUAGE_PT] = {" e ", " ou "},
        [LANGUAGE_ES] = {" y ", " o "},
    };
    if (speech->language == LANGUAGE_ES && begins_with_sound(item, join))
        return join == SPEECH_AND ? " e " : " u ";
    return words[speech->language][join];
}

const char *speech_list(struct speech *speech, const char *const *items, size_t count,
                        enum speech_join join)
{
    struct text_buffer text;
    text_buffer_init(&text);
    for (size_t i = 0; i < count; i++) {
        bool last = i + 1 == count;
        if (i > 0)
            text_buffer_add_text(&text, last ? last_join(speech, items[i], join) : ", ");
        text_buffer_add_text(&text, items[i]);
    }
    return keep(speech, &text);
}
