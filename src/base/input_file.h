/* Files that somebody names: what is none is refused, and nothing waits for whoever might write to
 * a pipe of that name. */
#ifndef BASE_INPUT_FILE_H
#define BASE_INPUT_FILE_H

#include <stdio.h>

enum input_problem {
    INPUT_FAILED, /* errno says why */
    INPUT_IS_FOLDER,
    INPUT_IS_NO_FILE /* a pipe, a socket or a device */
};

/* A file to be read whole. What a shell hands over (`<(…)`, /dev/stdin) may be a pipe. NULL: with
 * the problem. */
FILE *input_file_open(const char *path, enum input_problem *problem);
/* One to be read as it comes: a pipe will do, whatever its name. */
FILE *input_stream_open(const char *path, enum input_problem *problem);

#endif
