/* The port clock on the operating system's clocks. Stateless: any thread. */
#ifndef COMMANDS_SYSTEM_CLOCK_H
#define COMMANDS_SYSTEM_CLOCK_H

#include "pipeline/ports.h"

struct clock *system_clock(void);

#endif
