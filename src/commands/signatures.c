#include "commands/signatures.h"

#include "agreement/diff.h"
#include "agreement/signing.h"

#include <string.h>

const char *signatures_command(struct speech *speech, const char *side, const char *file)
{
    return speech_print(speech, "baton sign --as %s --by NAME %s", side, file);
}

const char *signatures_side(struct speech *speech, const char *side)
{
    return phrase_plain(speech, strcmp(side, signing_side_name(SIGNING_SALES)) == 0
                                    ? MESSAGE_SIDE_SALES
                                    : MESSAGE_SIDE_MARKETING);
}

/* What was signed, where it can be read: it is beside the file, and is what it says that it is. */
static struct agreement *signed_text(const char *file, const char *hash, struct text_buffer *path)
{
    struct text_buffer ignored;
    struct agreement *agreement;
    signing_kept_path(file, hash, path);
    text_buffer_init(&ignored);
    if (agreement_load(path->data, &agreement, &ignored) == STATUS_OK &&
        strcmp(agreement_hash(agreement), hash) != 0) {
        agreement_destroy(agreement);
        agreement = NULL;
    }
    text_buffer_fini(&ignored);
    return agreement;
}

static void say_other(const struct agreement *agreement, const struct signature *signature,
                      const char *file, struct speech *speech)
{
    struct text_buffer path;
    text_buffer_init(&path);
    struct agreement *before = signed_text(file, signature->hash, &path);
    say(speech, before ? MESSAGE_SIGNED_OTHER : MESSAGE_SIGNED_LOST, {"by", signature->by},
        {"side", signatures_side(speech, signing_side_name(signature->side))},
        {"date", speech_date(speech, signature->date)}, {"path", path.data});
    text_buffer_add_text(speech->out, "\n");
    if (before)
        agreement_diff(before, agreement, speech->language, "  ", speech->out);
    agreement_destroy(before);
    text_buffer_fini(&path);
}

static void say_side(const struct agreement *agreement, enum signing_side side, const char *file,
                     struct speech *speech)
{
    const struct signature *signature = agreement_signature(agreement, side);
    const char *name = signing_side_name(side), *word = signatures_side(speech, name);
    const char *command = signatures_command(speech, name, file);
    if (signature && signature->hash && !agreement_is_signed(agreement, signature)) {
        say_other(agreement, signature, file, speech);
        return;
    }
    if (!signature)
        say(speech, MESSAGE_SIGNED_NOBODY, {"side", word}, {"command", command});
    else
        say(speech, signature->hash ? MESSAGE_SIGNED_THIS : MESSAGE_SIGNED_NAME,
            {"by", signature->by}, {"side", word}, {"date", speech_date(speech, signature->date)},
            {"command", command});
    text_buffer_add_text(speech->out, "\n");
}

void signatures_say(const struct agreement *agreement, const char *file, enum language language,
                    struct text_buffer *out)
{
    struct speech speech;
    speech_init(&speech, language, out);
    for (int side = 0; side < SIGNING_SIDES; side++)
        say_side(agreement, (enum signing_side)side, file, &speech);
    speech_fini(&speech);
}

/* ---- For programs ---------------------------------------------------------------------------- */

static json_t *text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

json_t *changes_json(const struct agreement *before, const struct agreement *after,
                     enum language language)
{
    struct agreement_changes changes;
    json_t *list = json_array();
    agreement_changes_init(&changes, before, after, language);
    for (size_t i = 0; i < changes.count; i++) {
        const struct agreement_change *change = &changes.items[i];
        json_t *item = json_object();
        json_object_set_new(item, "kind", json_string(agreement_change_name(change->kind)));
        json_object_set_new(item, "word", json_string(change->word));
        if (change->id)
            json_object_set_new(item, "id", json_string(change->id));
        json_object_set_new(item, "before", text_or_null(change->before));
        json_object_set_new(item, "after", text_or_null(change->after));
        json_object_set_new(item, "text", json_string(change->text));
        json_array_append_new(list, item);
    }
    agreement_changes_fini(&changes);
    return list;
}

static json_t *changes_since(const struct agreement *agreement, const struct signature *signature,
                             const char *file, enum language language)
{
    struct text_buffer path;
    text_buffer_init(&path);
    struct agreement *before = signed_text(file, signature->hash, &path);
    json_t *changes = before ? changes_json(before, agreement, language) : json_null();
    agreement_destroy(before);
    text_buffer_fini(&path);
    return changes;
}

json_t *signatures_json(const struct agreement *agreement, const char *file, enum language language)
{
    json_t *list = json_array();
    for (int side = 0; side < SIGNING_SIDES; side++) {
        const struct signature *signature = agreement_signature(agreement, (enum signing_side)side);
        bool same = agreement_is_signed(agreement, signature);
        const char *state = !signature         ? "none"
                            : !signature->hash ? "name"
                            : same             ? "same"
                                               : "another";
        json_t *item = json_object();
        json_object_set_new(item, "side", json_string(signing_side_name((enum signing_side)side)));
        json_object_set_new(item, "state", json_string(state));
        json_object_set_new(item, "by", text_or_null(signature ? signature->by : NULL));
        json_object_set_new(item, "date", text_or_null(signature ? signature->date : NULL));
        json_object_set_new(item, "hash", text_or_null(signature ? signature->hash : NULL));
        if (signature && signature->hash && !same)
            json_object_set_new(item, "changes",
                                changes_since(agreement, signature, file, language));
        json_array_append_new(list, item);
    }
    return list;
}
