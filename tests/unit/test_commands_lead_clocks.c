/* What sales owes on a lead, as `show` and `explain` tell it. */
#include "base/text_buffer.h"
#include "commands/explain_parts.h"
#include "commands/lead_clocks.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_MS 3600000
#define NOON_MS 1793534400000 /* 2026-11-01T12:00:00Z: 09:00 in São Paulo */
#define DUE_MS (NOON_MS + 4 * HOUR_MS)
#define REMIND_MS (NOON_MS + 3 * HOUR_MS)

static const char text[] =
    "agreement: clocks\n"
    "version: 1\n"
    "zone: America/Sao_Paulo\n"
    "behaviour: [{id: any, event: visit, points: 1}]\n"
    "gates: {mql: {score: 1}, sql: {score: 1}}\n"
    "sales:\n"
    "  first_contact: {within: 4h, remind: 1h, owner: Ana, escalate_to: Rui}\n"
    "  verdict: {within: 3d}\n"
    "  next_update: {within: 10d}\n";

static struct agreement *agreement;
static struct baton_history history;
static struct baton_lead lead;
static struct lead_clock clocks[BATON_CLOCKS];

static void start(void)
{
    struct text_buffer messages;
    text_buffer_init(&messages);
    cr_assert_eq(
        agreement_parse("clocks.yaml", text, sizeof text - 1, NULL, 0, &agreement, &messages),
        STATUS_OK, "%s", messages.data);
    text_buffer_fini(&messages);
    baton_lead_init(&lead);
    history = (struct baton_history){0};
    lead.history = &history;
    lead.events = 1;
    history.clocks[BATON_CLOCK_CONTACT] =
        (struct baton_clock){.start_ms = NOON_MS, .due_ms = DUE_MS, .remind_ms = REMIND_MS};
}

static void end(void)
{
    agreement_destroy(agreement);
}

TestSuite(lead_clocks, .init = start, .fini = end);

static const struct lead_clock *the_contact(int64_t told_ms, int64_t at_ms)
{
    cr_assert_eq(lead_clocks(&lead, agreement_compiled(agreement), told_ms, at_ms, clocks), 1);
    cr_expect_eq(clocks[0].id, BATON_CLOCK_CONTACT);
    return &clocks[0];
}

static void is(const char *state, const char *told, int64_t told_ms, int64_t at_ms)
{
    const struct lead_clock *clock = the_contact(told_ms, at_ms);
    cr_expect_str_eq(lead_clock_state_name(clock->state), state);
    const char *was_told = lead_clock_told(clock);
    cr_expect_str_eq(was_told ? was_told : "-", told, "of %s", state);
}

static void met(int64_t time_ms, enum baton_report report)
{
    history.clocks[BATON_CLOCK_CONTACT].stop_ms = time_ms;
    history.clocks[BATON_CLOCK_CONTACT].stop_report = (uint8_t)report;
}

/* ---- States ---- */

Test(lead_clocks, run_until_they_are_due)
{
    is("running", "-", NOON_MS, NOON_MS);
    is("running", "-", REMIND_MS - 1, DUE_MS - 1);
    is("reminded", "reminder", REMIND_MS, DUE_MS - 1);
    is("reminded", "reminder", DUE_MS - 1, DUE_MS - 1);
}

Test(lead_clocks, that_are_due_are_broken_when_that_was_told)
{
    is("overdue", "-", NOON_MS, DUE_MS);
    is("overdue", "-", DUE_MS - 1, DUE_MS + HOUR_MS);
    is("broken", "broken", DUE_MS, DUE_MS);
    is("broken", "broken", DUE_MS, NOON_MS);
}

Test(lead_clocks, that_were_met_are_kept_or_late)
{
    met(DUE_MS, BATON_REPORT_CONTACTED);
    is("kept", "-", DUE_MS + HOUR_MS, DUE_MS + HOUR_MS);
    met(DUE_MS + 1, BATON_REPORT_CONTACTED);
    is("late", "broken", NOON_MS, NOON_MS);
    met(DUE_MS + 1, BATON_REPORT_NONE); /* told where the lead came from, and not answered */
    is("broken", "broken", DUE_MS + HOUR_MS, DUE_MS + HOUR_MS);
}

Test(lead_clocks, of_whom_nothing_is_known_are_none)
{
    history.clocks[BATON_CLOCK_CONTACT] = (struct baton_clock){0};
    cr_expect_eq(lead_clocks(&lead, agreement_compiled(agreement), 0, 0, clocks), 0);
    lead.history = NULL;
    cr_expect_eq(lead_clocks(&lead, agreement_compiled(agreement), 0, 0, clocks), 0);
}

/* ---- Told ---- */

static void shows(int64_t told_ms, int64_t at_ms, const char *expected)
{
    struct text_buffer out;
    text_buffer_init(&out);
    (void)the_contact(told_ms, at_ms);
    lead_clocks_add(clocks, 1, agreement, &out);
    cr_expect_str_eq(out.data, expected);
    text_buffer_fini(&out);
}

Test(lead_clocks, in_a_table_have_the_times_of_the_zone)
{
    shows(NOON_MS, NOON_MS,
          "clocks     first_contact running: began 2026-11-01 09:00:00, due 2026-11-01 13:00:00, "
          "reminder 2026-11-01 12:00:00 (America/Sao_Paulo); owner Ana; escalated to Rui\n");
    shows(REMIND_MS, NOON_MS,
          "clocks     first_contact reminded: began 2026-11-01 09:00:00, due 2026-11-01 13:00:00, "
          "reminded 2026-11-01 12:00:00 (America/Sao_Paulo); owner Ana; escalated to Rui\n");
    met(NOON_MS + HOUR_MS, BATON_REPORT_MEETING);
    shows(REMIND_MS, NOON_MS,
          "clocks     first_contact kept: began 2026-11-01 09:00:00, due 2026-11-01 13:00:00, "
          "met 2026-11-01 10:00:00 by meeting (America/Sao_Paulo); owner Ana; escalated to Rui\n");
}

Test(lead_clocks, for_programs)
{
    met(DUE_MS + 1, BATON_REPORT_CONTACTED);
    history.clocks[BATON_CLOCK_VERDICT] =
        (struct baton_clock){.start_ms = NOON_MS, .due_ms = NOON_MS + 72 * HOUR_MS};
    size_t count =
        lead_clocks(&lead, agreement_compiled(agreement), DUE_MS + 2, DUE_MS + 2, clocks);
    json_t *list = lead_clocks_json(clocks, count, agreement);
    char *printed = json_dumps(list, JSON_COMPACT);
    cr_expect_str_eq(
        printed,
        "[{\"promise\":\"first_contact\",\"state\":\"late\",\"started\":\"2026-11-01T12:00:00."
        "000Z\","
        "\"due\":\"2026-11-01T16:00:00.000Z\",\"due_local\":\"2026-11-01T13:00:00.000-03:00\","
        "\"reminder\":\"2026-11-01T15:00:00.000Z\",\"told\":\"broken\","
        "\"met\":\"2026-11-01T16:00:00.001Z\",\"report\":\"contacted\",\"owner\":\"Ana\","
        "\"escalate_to\":\"Rui\",\"estimated\":false},"
        "{\"promise\":\"verdict\",\"state\":\"running\",\"started\":\"2026-11-01T12:00:00.000Z\","
        "\"due\":\"2026-11-04T12:00:00.000Z\",\"due_local\":\"2026-11-04T09:00:00.000-03:00\","
        "\"reminder\":null,\"told\":null,\"met\":null,\"report\":null,\"owner\":\"Ana\","
        "\"escalate_to\":null,\"estimated\":false}]");
    free(printed);
    json_decref(list);
}

static void explains(enum language language, int64_t told_ms, int64_t at_ms, const char *expected)
{
    struct text_buffer out;
    struct speech speech;
    text_buffer_init(&out);
    speech_init(&speech, language, &out);
    struct explanation explanation = {.source = agreement,
                                      .agreement = agreement_compiled(agreement),
                                      .lead = &lead,
                                      .told_ms = told_ms,
                                      .at_ms = at_ms,
                                      .speech = &speech,
                                      .data = json_object()};
    explain_clocks(&explanation);
    cr_expect_str_eq(out.data ? out.data : "", expected);
    cr_expect_eq(json_array_size(json_object_get(explanation.data, "clocks")), *expected ? 1 : 0);
    json_decref(explanation.data);
    speech_fini(&speech);
    text_buffer_fini(&out);
}

Test(lead_clocks, that_run_in_sentences)
{
    explains(
        LANGUAGE_EN, NOON_MS, NOON_MS,
        "\nWhat sales promised on it:\n"
        "  first contact: runs since 2026-11-01 09:00, due on 2026-11-01 13:00; a reminder goes "
        "out on 2026-11-01 12:00. Owner: Ana. Escalated to: Rui.\n");
    explains(
        LANGUAGE_PT, REMIND_MS, REMIND_MS,
        "\nO que Vendas prometeu sobre ele:\n"
        "  primeiro contato: o prazo corre desde 01/11/2026 09:00 e acaba em 01/11/2026 13:00; "
        "o lembrete saiu em 01/11/2026 12:00. Responsável: Ana. O caso sobe para: Rui.\n");
    explains(
        LANGUAGE_ES, NOON_MS, DUE_MS,
        "\nLo que Ventas prometió sobre él:\n"
        "  primer contacto: el plazo empezó el 01/11/2026 09:00 y terminó el 01/11/2026 13:00; "
        "no se informó nada, y hasta ahora no se avisó a nadie. Responsable: Ana. El caso se "
        "eleva a: Rui.\n");
}

Test(lead_clocks, that_are_over_in_sentences)
{
    explains(
        LANGUAGE_EN, DUE_MS, DUE_MS,
        "\nWhat sales promised on it:\n"
        "  first contact: broken. It began on 2026-11-01 09:00 and was due on 2026-11-01 13:00; "
        "that it is late was told on lead-breaches. Owner: Ana. Escalated to: Rui.\n");
    met(DUE_MS + HOUR_MS, BATON_REPORT_PROPOSAL);
    explains(
        LANGUAGE_PT, DUE_MS, DUE_MS,
        "\nO que Vendas prometeu sobre ele:\n"
        "  primeiro contato: promessa descumprida. O prazo começou em 01/11/2026 09:00 e acabou "
        "em 01/11/2026 13:00; a resposta veio tarde demais, em 01/11/2026 14:00 com o relato "
        "`proposal`. Responsável: Ana. O caso sobe para: Rui.\n");
    met(NOON_MS + HOUR_MS, BATON_REPORT_CONTACTED);
    explains(LANGUAGE_ES, DUE_MS, DUE_MS,
             "\nLo que Ventas prometió sobre él:\n"
             "  primer contacto: promesa cumplida. El plazo empezó el 01/11/2026 09:00 e iba hasta "
             "el 01/11/2026 13:00; la respuesta llegó el 01/11/2026 10:00 con el informe "
             "`contacted`. Responsable: Ana. El caso se eleva a: Rui.\n");
    met(NOON_MS + HOUR_MS, BATON_REPORT_NONE);
    explains(LANGUAGE_EN, DUE_MS, DUE_MS,
             "\nWhat sales promised on it:\n"
             "  first contact: kept. It began on 2026-11-01 09:00 and was due on 2026-11-01 13:00; "
             "it was met on 2026-11-01 10:00. Owner: Ana. Escalated to: Rui.\n");
    lead.history = NULL;
    explains(LANGUAGE_EN, DUE_MS, DUE_MS, "");
}
