/* The table of parameters. Private to this room. */
#ifndef CONFIG_PARAMETERS_H
#define CONFIG_PARAMETERS_H

#include "config/config.h"

enum parameter_type {
    PARAMETER_TEXT,
    PARAMETER_PATH,     /* of a file, relative to the configuration's folder */
    PARAMETER_FLAG,     /* true, false */
    PARAMETER_WHOLE,    /* a whole number */
    PARAMETER_DURATION, /* kept in ms */
    PARAMETER_SIZE,     /* kept in bytes */
    PARAMETER_CHOICE,   /* one of `choices`, kept as its index */
    PARAMETER_PAIRS     /* a mapping of texts to texts */
};

struct parameter {
    const char *name; /* with the names of its sections: kafka.brokers */
    enum parameter_type type;
    size_t offset;              /* of its field in struct config */
    const char *initial;        /* the default, as it would be written */
    int64_t least, most;        /* numbers: limits; texts: least and most bytes */
    const char *const *choices; /* ends with NULL */
    bool or_pairs; /* a choice that may be a mapping, too: then its index is the last one … */
    size_t pairs_offset; /* … and the mapping goes here */
    /* Why the value will not do, for what the limits cannot say; NULL: it does. May be NULL. */
    const char *(*problem)(const char *value);
    const char *(*pair_problem)(const char *name); /* the same for a name in a mapping */
    /* What the values of a mapping may be: fills in the names, at most PAIR_VALUES_MAX, and returns
     * how many; NULL: any text. */
    size_t (*pair_values)(const char **names);
    const char *text; /* what it means */
};

#define PAIR_VALUES_MAX 64

extern const struct parameter parameters[];
extern const size_t parameter_count;

#endif
