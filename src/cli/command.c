#include "cli/command.h"

#include "registry_commands.h"

#include <string.h>

const struct command *const commands[] = {REGISTRY_commands NULL};

const char *const command_group_title[COMMAND_GROUPS] = {
    [GROUP_EXPERIMENT] = "write and train",
    [GROUP_SAMPLES] = "use what was trained",
    [GROUP_RESULTS] = "read results",
    [GROUP_TOOLS] = "the machine and the files",
};

const struct command *command_find(const char *name)
{
    for (const struct command *const *c = commands; *c; c++)
        if (!strcmp((*c)->name, name))
            return *c;
    return NULL;
}
