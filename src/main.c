#include "commands/commands.h"

static const struct command commands[] = {
    {.name = "run",
     .run = command_run,
     .arguments = "",
     .summary = "score events from Kafka, publish promotions, checkpoint in Redis",
     .text = "Runs until SIGTERM or SIGINT, then commits and checkpoints what it has. Any number "
             "of processes may\n"
             "share the partitions; each goes on by itself when Kafka or Redis was away.",
     .options =
         {{"--instance", 0, "NAME", "this process' slot, in place of kafka.instance"},
          {"--rebuild", 0, NULL,
           "rebuild units whose state is gone from Redis, from what Kafka still holds"},
          {"--yes", 0, NULL,
           "rebuild even if leads could be promoted again because Kafka no longer holds all"},
          {"--crash-points", 0, NULL, "list where a test can end the process (builds for tests)"}}},
    {.name = "topics",
     .run = command_topics,
     .arguments = "",
     .summary = "look at the topics in Kafka, or make those that are missing",
     .text = "Partitions, replication and retention come from `topics` in the configuration.",
     .options = {{"--create", 0, NULL, "make the topics that are missing"}}},
    {.name = "status",
     .run = command_status,
     .arguments = "",
     .summary = "show each unit: position, lag, age of its checkpoint",
     .text = "A unit is a partition of the events topic. Ends with 1 when a unit has stopped.",
     .options = {{0}}},
    {.name = "check",
     .run = command_check,
     .arguments = "[AGREEMENT]",
     .arguments_most = 1,
     .summary = "check an agreement and read it back in plain sentences",
     .text = "Without a file: the configuration, and the agreement that it names. Errors come all "
             "at once, each with\n"
             "file, line and column.",
     .options = {{0}}},
    {.name = "show",
     .run = command_show,
     .arguments = "LEAD",
     .arguments_least = 1,
     .arguments_most = 1,
     .summary = "show a lead: score, stage, points per rule, touches",
     .text = "The score is that of the present, as half-lives have run on since the lead's newest "
             "event.",
     .options =
         {{"--at", 0, "TIME",
           "score as of then: RFC 3339, ms since 1970, or `newest` (the lead's newest event)"}}},
    {.name = "top",
     .run = command_top,
     .arguments = "",
     .summary = "show the leads with the highest scores",
     .text = "Scans all leads in Redis. Scores are as stored: as of each lead's newest event.",
     .options = {{"--number", 'n', "N", "how many, 10 without it"},
                 {"--stage", 0, "STAGE", "only leads of this stage: lead, mql or sql"}}},
    {.name = "try",
     .run = command_try,
     .arguments = "AGREEMENT EVENTS.jsonl",
     .arguments_least = 2,
     .arguments_most = 2,
     .summary = "score a file of events, without Kafka and Redis",
     .text = "One JSON event per line; - reads standard input. Each event is taken as received "
             "when it happened.\n"
             "With -c, the `input` of that configuration says how events are read.",
     .options = {{0}}},
    {.name = "config",
     .run = command_config,
     .arguments = "",
     .summary = "print every parameter with default, limits, unit and meaning",
     .options = {{0}}},
    {.name = "accept",
     .run = command_accept,
     .arguments = "",
     .summary = "let a unit go on that has stopped because something differs",
     .text = "Stop reasons that an operator may accept say so. The owner of the unit takes it over "
             "again at once.",
     .options = {{"--unit", 0, "N", "the unit: what Redis holds at the committed offset stands"},
                 {"--schema", 0, "ID",
                  "lift the verdict that nobody knows this schema (stop baton run first)"}}},
    {.name = "help",
     .run = command_help,
     .arguments = "[COMMAND]",
     .arguments_most = 1,
     .summary = "tell what the commands do",
     .options = {{0}}},
    {.name = "version",
     .run = command_version,
     .arguments = "",
     .summary = "print the version, and those of the libraries found at run time",
     .options = {{0}}},
};

int main(int argc, char **argv)
{
    return commands_main(commands, sizeof commands / sizeof *commands, argc, argv);
}
