/* What a function that can fail returns, and the text that goes with it. Callers act by family:
 * RETRY waits and tries again, REJECT makes the message a dead letter, STOP ends the unit or the
 * process with the text, FENCED (only from a store) means that a unit is no longer ours as we knew
 * it. */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

enum status { STATUS_OK, STATUS_RETRY, STATUS_REJECT, STATUS_STOP, STATUS_FENCED };

/* One line for a person: where it is, and what to do. */
struct error {
    char text[768];
};

__attribute__((format(printf, 3, 4))) enum status error_set(struct error *error, enum status status,
                                                            const char *format, ...);

#endif
