/* What was judged of a promise in a period, as it goes through the log, and the list of what
 * stands. Whoever folds the same judgements comes to the same list. */
#ifndef PACT_JUDGEMENT_H
#define PACT_JUDGEMENT_H

#include "base/arena.h"

#include <baton/pact.h>

#define JUDGEMENTS_MAX 512
#define JUDGEMENT_TEXT_MAX 255 /* bytes of each of its texts */

enum judgement_text {
    JUDGEMENT_PROMISE,
    JUDGEMENT_PERIOD,
    JUDGEMENT_AGREEMENT, /* by which it was judged: its name … */
    JUDGEMENT_HASH,      /* … and hash */
    JUDGEMENT_OWNER,
    JUDGEMENT_UNIT, /* "leads", "percent", "days", a currency; empty: it has no figures, a date is
                       announced */
    JUDGEMENT_TEXTS
};

struct judgement {
    struct baton_text texts[JUDGEMENT_TEXTS];
    uint32_t version; /* of the agreement */
    enum baton_side side;
    int64_t time_ms; /* end of the period; beginning of the day that is announced */
    int64_t promised, actual;
    int64_t needed; /* -1: not known */
    bool missed;
    int64_t seen; /* how much of the log the figures hold: positions of all units together */
};

/* Longer texts are cut. The bytes are from the arena. */
size_t judgement_pack(const struct judgement *judgement, uint8_t **bytes, struct arena *arena);
/* Borrows the texts. False: damaged. */
bool judgement_unpack(struct judgement *judgement, const uint8_t *bytes, size_t size);
bool judgement_is_date(const struct judgement *judgement);

/* What stands of a promise in a period. */
struct judged {
    int32_t revision; /* 0: the first */
    int64_t first_ms; /* when the first judgement was written */
    int64_t promised, actual, needed, seen;
    bool missed;
};

/* One thread. */
struct judged_list;
struct judged_list *judged_create(void);
void judged_destroy(struct judged_list *list);
void judged_clear(struct judged_list *list);
/* NULL: not judged yet, or so long ago that it found no room. */
const struct judged *judged_find(const struct judged_list *list, struct baton_text promise,
                                 struct baton_text period);
/* Would this judgement change what stands? Not if it has seen less of the log, or says the same. */
bool judged_differs(const struct judged *stands, const struct judgement *judgement);
/* Takes a judgement that was written at this time; false where it changes nothing. *tell: it is to
 * be published, as this *revision: what is missed at first, and later whatever changes that, or its
 * figures while it is missed; a date always. */
bool judged_take(struct judged_list *list, const struct judgement *judgement, int64_t written_ms,
                 int32_t *revision, bool *tell);

bool judged_is_empty(const struct judged_list *list);
/* Since mark_clean, or the last clear. */
bool judged_is_dirty(const struct judged_list *list);
void judged_mark_clean(struct judged_list *list);
/* 0: nothing stands. */
size_t judged_pack(const struct judged_list *list, uint8_t **bytes, struct arena *arena);
/* Into an empty list; clean. False: damaged. */
bool judged_unpack(struct judged_list *list, const uint8_t *bytes, size_t size);

#endif
