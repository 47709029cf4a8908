#include "commands/commands.h"
#include "config/config.h"

#include <stdio.h>

int command_config(const struct invocation *invocation)
{
    config_print_reference(stdout, invocation->json);
    return EXIT_CODE_OK;
}
