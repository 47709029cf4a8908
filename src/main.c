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
          {"--unsigned", 0, NULL,
           "take an agreement that both sides have not signed, too: to try it out"},
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
     .text =
         "A unit is a partition of the events topic. Ends with 1 when a unit has stopped. Where "
         "both sides promised\n"
         "something, it tells how today goes.",
     .options = {{"--lang", 0, "LANGUAGE",
                  "how today goes in en, pt or es; without it, output.lang of the configuration"}}},
    {.name = "report",
     .run = command_report,
     .arguments = "",
     .summary = "what marketing and sales promised each other, and what came of it",
     .text = "Promises, funnel, channels with their costs, segments, reasons, what each rule is "
             "worth: one set of\n"
             "figures for both. Reads Redis only, no Kafka, and no single lead.",
     .options =
         {{"--period", 0, "DAYS",
           "2026-11-03, 2026-W45, 2026-11, 2026-Q4, 2026, 2026-11-03..2026-11-20, today, "
           "yesterday, this-week, last-month, …; without it, this-month"},
          {"--since-last-meeting", 0, NULL, "from the last day of `meeting` before today on"},
          {"--attribution", 0, "HOW",
           "to what channel and campaign a lead counts: the first, the last, or linear: a part to "
           "each touch"},
          {"--format", 0, "FORMAT",
           "text, markdown, json or html; without it, by the name of --out, else text"},
          {"--out", 0, "FILE", "write there, and not to standard output"},
          {"--lang", 0, "LANGUAGE", "en, pt or es; without it, output.lang of the configuration"}}},
    {.name = "init",
     .run = command_init,
     .arguments = "[AGREEMENT]",
     .arguments_most = 1,
     .summary = "write a first agreement: asks for conversion, key pages and goal",
     .text = "Writes agreement.yaml, or the file that is named; - prints it. On a terminal it asks "
             "for what no "
             "option says;\n"
             "elsewhere --form must be given. What it writes passes baton check.",
     .options = {{"--name", 0, "NAME", "of the agreement"},
                 {"--form", 0, "FORMS",
                  "forms of those who want to talk to sales (a,b for several)"},
                 {"--page", 0, "PAGES", "pages that show interest in buying: /pricing*"},
                 {"--title", 0, "WORDS", "words in the job titles of those who decide"},
                 {"--goal", 0, "N", "customers that sales wants to win …"},
                 {"--per", 0, "PERIOD", "… per working day, day, week, month, quarter or year"},
                 {"--one-in", 0, "N", "of so many leads handed over one becomes a customer"},
                 {"--zone", 0, "ZONE", "time zone of the days, like America/Sao_Paulo"},
                 {"--lang", 0, "LANGUAGE", "questions and comments in en, pt or es"},
                 {"--force", 0, NULL, "write over a file that is there"}}},
    {.name = "check",
     .run = command_check,
     .arguments = "[AGREEMENT]",
     .arguments_most = 1,
     .summary = "check an agreement and read it back in plain sentences",
     .text = "Without a file: the configuration, and the agreement that it names. Errors come all "
             "at once, each with\n"
             "file, line and column. With the configuration, what baton has counted so far is held "
             "against the goals:\n"
             "one above the best period ever seen is a warning.",
     .options = {{"--lang", 0, "LANGUAGE",
                  "sentences and findings in en, pt or es; without it, output.lang of the "
                  "configuration"}}},
    {.name = "sign",
     .run = command_sign,
     .arguments = "[AGREEMENT]",
     .arguments_most = 1,
     .summary = "sign an agreement for marketing or for sales",
     .text = "Writes the side's name, the date and the hash of the text into `signed`; every other "
             "byte stays as it is.\n"
             "What was signed is kept as signed/HASH.yaml beside it. A text that changes later is "
             "not signed any more;\n"
             "baton check tells what has changed since. Without a file: the agreement of the "
             "configuration.",
     .options = {{"--as", 0, "SIDE", "marketing or sales"},
                 {"--by", 0, "NAME", "who signs for that side"},
                 {"--date", 0, "DATE", "2026-11-01; without it, today"},
                 {"--lang", 0, "LANGUAGE",
                  "sentences in en, pt or es; without it, output.lang of the configuration"}}},
    {.name = "diff",
     .run = command_diff,
     .arguments = "OLD NEW",
     .arguments_least = 2,
     .arguments_most = 2,
     .summary = "say what a second text of an agreement changes, rule by rule",
     .text = "A rule with other points re-prices what was counted; one that means something else "
             "counts anew.",
     .options = {{"--lang", 0, "LANGUAGE",
                  "sentences in en, pt or es; without it, output.lang of the configuration"}}},
    {.name = "show",
     .run = command_show,
     .arguments = "LEAD",
     .arguments_least = 1,
     .arguments_most = 1,
     .summary = "show a lead: score, stage, what sales owes, points per rule, touches",
     .text = "The score is that of the present, as half-lives have run on since the lead's newest "
             "event.\n"
             "An id that begins with - stands behind --.",
     .options =
         {{"--at", 0, "TIME",
           "score as of then: RFC 3339, ms since 1970, or `newest` (the lead's newest event)"}}},
    {.name = "explain",
     .run = command_explain,
     .arguments = "LEAD",
     .arguments_least = 1,
     .arguments_most = 1,
     .summary =
         "say why a lead has its score, what is missing for the next gate, and what sales owes",
     .text =
         "In sentences that sales can read. Scores are those of the present, as half-lives have "
         "run on since the\n"
         "lead's newest event. An id that begins with - stands behind --.",
     .options =
         {{"--lang", 0, "LANGUAGE", "en, pt or es; without it, output.lang of the configuration"},
          {"--at", 0, "TIME",
           "as of then: RFC 3339, ms since 1970, or `newest` (the lead's newest event)"}}},
    {.name = "top",
     .run = command_top,
     .arguments = "",
     .summary = "show the leads with the highest scores",
     .text = "Scans all leads in Redis. Scores are as stored: as of each lead's newest event.",
     .options = {{"--number", 'n', "N", "how many, 10 without it"},
                 {"--stage", 0, "STAGE", "only leads of this stage: lead, mql, sql, accepted, …"}}},
    {.name = "leads",
     .run = command_leads,
     .arguments = "",
     .summary = "list leads: by stage, by how new, by how near they are to a gate",
     .text = "The best first. Scores are as stored: as of each lead's newest event. In CSV, an id "
             "that a "
             "spreadsheet\n"
             "would take for a formula begins with an apostrophe.",
     .options =
         {{"--stage", 0, "STAGES",
           "of these stages: lead, mql, sql, accepted, customer, rejected, recycled (a,b for "
           "several)"},
          {"--since", 0, "TIME", "with an event in the last 7d, 12h, 30m, or since 2026-11-01"},
          {"--near", 0, "GATE",
           "not beyond the gate mql or sql, and at most 20 points below its score (sql:10: at "
           "most 10)"},
          {"--number", 'n', "N", "so many at most"},
          {"--csv", 0, NULL, "print CSV, for spreadsheets"},
          {"--lang", 0, "LANGUAGE",
           "sentences in en, pt or es; without it, output.lang of the configuration"}}},
    {.name = "tail",
     .run = command_tail,
     .arguments = "",
     .summary = "follow promotions and changes of stage as they are published",
     .text = "A line per record, with the time of the event that did it in UTC, until Ctrl-C. "
             "Reads what is "
             "committed, joins\n"
             "no group, changes nothing.",
     .options = {{"--promotions", 0, NULL, "promotions only"},
                 {"--stages", 0, NULL, "the topic of stages only, promotions as changes of stage"},
                 {"--breaches", 0, NULL,
                  "reminders, promises that were not kept, corrections and announcements"},
                 {"--dead", 0, NULL, "messages that cannot be read: why, and where they stand"},
                 {"--lead", 0, "LEAD", "of this lead"},
                 {"--stage", 0, "STAGES", "into these stages: mql, sql, … (a,b for several)"},
                 {"--change", 0, "CHANGES",
                  "promotion, stage, ignored, adjusted, merged, erased, reminder, breach, "
                  "correction, announcement, dead (a,b for several)"},
                 {"--since", 0, "TIME",
                  "begin with what was published 7d, 12h, 30m ago, or on 2026-11-01"},
                 {"--end", 0, NULL,
                  "stop where the topics end; without --since, begin where they begin"},
                 {"--number", 'n', "N", "stop after so many lines"}}},
    {.name = "try",
     .run = command_try,
     .arguments = "AGREEMENT EVENTS.jsonl",
     .arguments_least = 2,
     .arguments_most = 2,
     .summary = "score a file of events, without Kafka and Redis",
     .text = "One JSON event per line; - reads standard input. Each event is taken as received "
             "when it happened.\n"
             "With -c, the `input` of that configuration says how events are read.",
     .options = {{"--until", 0, "TIME",
                  "look at promises of sales as of this time, like 2026-11-01T12:00:00Z, and not "
                  "of the last event"}}},
    {.name = "replay",
     .run = command_replay,
     .arguments = "[FOLDER | EVENTS.jsonl]",
     .arguments_most = 1,
     .summary = "fold all events again under another agreement, and compare",
     .text = "Reads the events topic from its beginning, a FOLDER that --save has made of it, or a "
             "file as `baton try`\n"
             "does, on all cores, and tells who would have been promoted, and what became of them. "
             "It joins no group and\n"
             "changes nothing. The same events and the same agreement give the same records, "
             "however many threads there are.",
     .options = {{"--agreement", 0, "FILE",
                  "the agreement to fold under; a folder: each of its versions from its day on"},
                 {"--against", 0, "FILE", "another one to compare with"},
                 {"--from", 0, "TIME",
                  "count promotions whose event is of this time or later: 2026-11-01, 30d"},
                 {"--to", 0, "TIME", "… and before this time"},
                 {"--out", 0, "FILE",
                  "write promotions and changes of stage under --agreement, as JSON Lines"},
                 {"--save", 0, "FOLDER",
                  "keep the log in FOLDER, a new one, too: replays of that are faster, and need no "
                  "Kafka"},
                 {"--threads", 0, "N", "so many threads; without it, one per core"},
                 {"--lang", 0, "LANGUAGE",
                  "sentences in en, pt or es; without it, output.lang of the configuration"}}},
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
    {.name = "man",
     .run = command_man,
     .arguments = "[COMMAND]",
     .arguments_most = 1,
     .summary = "print the manual page of a command, for man -l -",
     .text =
         "Without a command: that of baton itself. An installation has them all: man baton-check.",
     .options = {{"--all", 0, "FOLDER", "write every page into this folder"}}},
    {.name = "completion",
     .run = command_completion,
     .arguments = "SHELL",
     .arguments_least = 1,
     .arguments_most = 1,
     .summary = "print what a shell needs to complete commands and options",
     .text = "For bash: source <(baton completion bash). For fish: baton completion fish | source. "
             "For zsh: "
             "write it to _baton\n"
             "in a folder of $fpath. An installation puts all three in place.",
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
