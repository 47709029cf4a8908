#include "base/crash_point.h"
#include "commands/commands.h"
#include "commands/run_process.h"
#include "commands/setup.h"

#include <stdio.h>

static int print_crash_points(const struct invocation *invocation)
{
#ifdef BATON_CRASH_POINTS
    (void)invocation;
    size_t count;
    const char *const *names = crash_point_names(&count);
    for (size_t i = 0; i < count; i++)
        (void)puts(names[i]);
    return EXIT_CODE_OK;
#else
    return command_fail(invocation, EXIT_CODE_USAGE,
                        "this build has no crash points: build with the preset debug");
#endif
}

int command_run(const struct invocation *invocation)
{
    if (invocation_option(invocation, "--crash-points"))
        return print_crash_points(invocation);
    struct config *config;
    int code = setup_config(invocation, &config);
    if (code != EXIT_CODE_OK)
        return code;
    struct run_options options = {.instance = invocation_option(invocation, "--instance"),
                                  .rebuild = invocation_option(invocation, "--rebuild") != NULL,
                                  .yes = invocation_option(invocation, "--yes") != NULL,
                                  .unsigned_too =
                                      invocation_option(invocation, "--unsigned") != NULL};
    code = run_process(config, &options);
    config_destroy(config);
    return code;
}
