#!/usr/bin/env python3
"""Tests of the reference scorer: the words that concern a lead's whole way, by hand from the language and docs."""

import hashlib
import json
import random
import sys
import unittest

import generate
import machines
from persons import Identity
from scorer import TRY_OPTIONS, expected, try_records
from test_reference import DAY, NOON, agreement, behaviour, event, fit, run as run_today
from words import WORDS, told

ALL = frozenset(WORDS)
GATES = "gates: {mql: {score: 10}, sql: {score: 20}}\n"
VISITS = behaviour("id: v, event: visit, points: 10")


def run(text, *events):
    lines = b"\n".join(json.dumps(e).encode() for e in events)
    return expected(text, try_records(lines), TRY_OPTIONS, words=ALL)


def lead(text, *events):
    return run(text, *events)["leads"]["l"]


def said(number, kind, time=NOON, **fields):
    return {"kind": kind, "event_id": f"s{number}", "lead_id": "l", "time": time, **fields}


def text_of(*lines):
    return agreement(*lines, gates=GATES)


def sql(*more, lines=()):
    """Events that make an sql of 20 points, and then these."""
    return (text_of(VISITS, *lines), event(1), event(2), *more)


def changes(result, lead_id="l"):
    return [(one["change"], one["stage"], one["generation"]) for one in result["leads"][lead_id]["changes"]]


class While(unittest.TestCase):
    TEXT = text_of("zone: Europe/Berlin", behaviour("id: w, event: visit, points: 15, while: {times: 3, within: 7d}"))

    def test_it_holds_while_there_are_enough_in_the_window(self):
        visits = [event(n, NOON + n * DAY) for n in (0, 3, 6)]
        self.assertEqual(lead(self.TEXT, *visits[:2])["behaviour"], 0)
        self.assertEqual(lead(self.TEXT, *visits)["behaviour"], 15)
        self.assertEqual(lead(self.TEXT, *visits, event(7, NOON + 7 * DAY, "click"))["behaviour"], 0)

    def test_the_points_are_there_once(self):
        self.assertEqual(lead(self.TEXT, *[event(n) for n in range(6)])["behaviour"], 15)

    def test_a_day_of_25_hours_is_one_day(self):
        # 2026-10-25 in Berlin: 22:30 UTC of that day is still the 25th, 23:30 the 26th.
        end = 1792967400000                     # 2026-10-25T22:30Z
        text = self.TEXT.replace("within: 7d", "within: 1d")
        visits = [event(n, end) for n in range(2)]
        self.assertEqual(lead(text, *visits, event(2, end - 24 * 3600_000))["behaviour"], 15)
        self.assertEqual(lead(text, *visits, event(2, end + 3600_000))["behaviour"], 0)

    def test_points_do_not_depend_on_the_order_and_what_is_too_late_is_counted(self):
        days = [event(n, NOON + n * DAY) for n in (6, 0, 3)]
        self.assertEqual(lead(self.TEXT, *days)["behaviour"], 15)
        result = run(self.TEXT, event(9, NOON + 9 * DAY), *days)
        self.assertEqual((result["too_late"], result["leads"]["l"]["behaviour"]), (1, 15))

    def test_it_is_hit_by_the_event_at_which_it_comes_to_hold(self):
        result = run(self.TEXT, *[event(n) for n in range(5)])
        self.assertEqual(len(result["leads"]["l"]["touches"]), 1)
        again = [event(n, NOON + 20 * DAY) for n in range(10, 13)]
        self.assertEqual(len(lead(self.TEXT, *[event(n) for n in range(3)], *again)["touches"]), 2)


class Verdicts(unittest.TestCase):
    def test_the_whole_way_and_back(self):
        result = run(*sql(said(1, "feedback", report="assigned", seller="Ana"), said(2, "feedback", verdict="accepted"),
                          said(3, "feedback", report="verdict", verdict="customer"),
                          said(4, "feedback", report="churned")))
        self.assertEqual(changes(result), [(None, "mql", 1), (None, "sql", 1), (None, "accepted", 1),
                                           (None, "customer", 1), (None, "rejected", 1)])

    def test_what_cannot_be_is_told_and_changes_nothing(self):
        result = run(text_of(VISITS), event(1), said(1, "feedback", report="accepted"))
        self.assertEqual(changes(result), [(None, "mql", 1), ("ignored", "mql", 1)])
        self.assertEqual((result["events"], result["notices"][0]["why"]), (2, "not handed over"))

    def test_a_rejection_needs_a_reason_of_the_list(self):
        reasons = ("sales: {reasons: [no budget, São Paulo]}",)
        for reason, stage in (("NO BUDGET", "rejected"), ("sao paulo", "rejected"), ("other", "sql"), (None, "sql")):
            self.assertEqual(lead(*sql(said(1, "feedback", report="rejected", reason=reason), lines=reasons))["stage"],
                             stage)
        self.assertEqual(lead(*sql(said(1, "feedback", report="rejected")))["stage"], "rejected")

    def test_a_report_of_another_generation_is_ignored(self):
        self.assertEqual(lead(*sql(said(1, "feedback", report="accepted", generation=2)))["stage"], "sql")
        self.assertEqual(lead(*sql(said(1, "feedback", report="accepted", generation=1)))["stage"], "accepted")

    def test_reports_that_are_none(self):
        for fields in ({}, {"report": "won"}, {"report": "verdict"}, {"report": ["accepted"]}, {"at": "x"},
                       {"report": "accepted", "generation": 0}):
            self.assertEqual(run(*sql(said(1, "feedback", **fields)))["dead"], [(0, 2, "bad_content")])


class Recycle(unittest.TestCase):
    LINES = ("recycle: {after: 30d, score: 15}",)
    REJECTED = said(1, "feedback", report="rejected")

    def test_the_next_event_after_the_time_recycles(self):
        got = run(*sql(self.REJECTED, event(3, NOON + 30 * DAY - 1), event(4, NOON + 30 * DAY), lines=self.LINES))
        self.assertEqual(changes(got)[2:], [(None, "rejected", 1), (None, "recycled", 2), (None, "mql", 2),
                                            (None, "sql", 2)])
        self.assertEqual(got["leads"]["l"]["promotions"][1]["earlier"],
                         [{"generation": 1, "stage": "rejected", "reason": None}])

    def test_the_gate_is_higher_in_each_generation(self):
        got = run(*sql(self.REJECTED, event(4, NOON + 30 * DAY), lines=self.LINES))
        self.assertEqual((got["leads"]["l"]["stage"], got["leads"]["l"]["score"]), ("mql", 30))
        got = run(*sql(self.REJECTED, event(4, NOON + 30 * DAY), event(5, NOON + 30 * DAY), lines=self.LINES))
        self.assertEqual((got["leads"]["l"]["stage"], got["leads"]["l"]["generation"]), ("sql", 2))

    def test_a_recheck_recycles_without_an_event(self):
        got = run(*sql(self.REJECTED, said(2, "recheck", NOON + 30 * DAY), lines=self.LINES))
        self.assertEqual((got["leads"]["l"]["stage"], got["events"]), ("mql", 3))

    def test_a_gate_without_score_asks_for_the_addition(self):
        text = agreement(VISITS, *self.LINES, gates="gates: {mql: {needs_one_of: [v]}, sql: {needs_one_of: [v]}}\n")
        text = text.replace("points: 10", "points: 7")
        got = run(text, event(1), self.REJECTED, event(2, NOON + 30 * DAY), event(3, NOON + 30 * DAY))
        self.assertEqual([one["score"] for one in got["promotions"]], [7, 21])


class Adjust(unittest.TestCase):
    def adjusted(self, *events, **fields):
        return lead(text_of(VISITS, "limits: {behaviour: 10}"), *events,
                    said(1, "adjust", **{"by": "Eva", "reason": "fair", **fields}))

    def test_points_count_beside_the_limits(self):
        got = self.adjusted(event(1), event(2), points=5)
        self.assertEqual((got["score"], got["behaviour"], got["adjusted"]), (15, 10, 5))

    def test_points_may_open_a_gate(self):
        self.assertEqual(self.adjusted(points=20)["stage"], "sql")

    def test_a_stage_by_hand_promotes(self):
        got = self.adjusted(stage="sql")
        self.assertEqual((got["stage"], len(got["promotions"]), got["generation"]), ("sql", 1, 1))

    def test_a_step_back_begins_the_next_generation(self):
        got = self.adjusted(event(1), stage="recycled")
        self.assertEqual((got["stage"], got["generation"]), ("mql", 2))

    def test_a_stage_of_the_same_rank_begins_the_next_generation(self):
        got = self.adjusted(stage="recycled")
        self.assertEqual((got["stage"], got["generation"]), ("recycled", 2))

    def test_what_was_not_handed_over_is_no_earlier_promotion(self):
        by_hand = {"by": "Eva", "reason": "spam"}
        got = lead(text_of(VISITS), said(2, "adjust", stage="rejected", **by_hand), event(1), event(2),
                   said(3, "adjust", stage="lead", **by_hand))
        self.assertEqual([one["earlier"] for one in got["promotions"]], [[]])
        got = lead(text_of(VISITS), event(1), event(2), said(2, "adjust", stage="rejected", **by_hand),
                   said(3, "adjust", stage="lead", **by_hand))
        self.assertEqual(got["promotions"][1]["earlier"], [{"generation": 1, "stage": "rejected", "reason": "spam"}])

    def test_without_recycle_a_later_generation_has_the_same_gate(self):
        got = lead(text_of(VISITS), event(1), said(3, "adjust", stage="recycled", by="x", reason="x"), event(2))
        self.assertEqual((got["stage"], got["generation"], got["score"]), ("sql", 2, 20))

    def test_never_is_never(self):
        text = text_of(VISITS, "never: [{consent: false}]")
        got = lead(text, event(1, kind="profile", consent=False),
                   said(1, "adjust", by="Eva", reason="x", stage="sql", points=7))
        self.assertEqual((got["stage"], got["adjusted"]), ("lead", 0))

    def test_who_and_why_must_be_said(self):
        for fields in ({"points": 5, "by": None}, {"points": 5, "reason": ""}, {}, {"points": 10001}, {"points": 1.5},
                       {"stage": "won"}, {"points": 0}):
            message = {"by": "Eva", "reason": "fair", **fields}
            self.assertEqual(run(text_of(VISITS), said(1, "adjust", **message))["dead"], [(0, 0, "bad_content")])


class Personas(unittest.TestCase):
    TEXT = text_of(fit("id: all, where: {country: BR}, points: 1"), "limits: {fit: 30}",
                   "personas:\n  - {id: p, fit: [{id: a, where: {name: ana}, points: 5}, {id: b, where: {age: '5'}, "
                   "points: -9}]}\n  - {id: q, fit: [{id: c, where: {company: acme}, points: 5}], gates: {mql: "
                   "{score: 6}}}\nassign: [{where: {persona: q}, to: Carla}, {to: [Duda, Enzo]}]")

    def test_the_greatest_sum_and_at_a_tie_the_first(self):
        got = lead(self.TEXT, event(1, kind="profile", name="Ana", company="Acme", country="BR"))
        self.assertEqual((got["persona"], got["fit"], got["rules"]), ("p", 6, {"a": 5, "all": 1}))
        got = lead(self.TEXT, event(1, kind="profile", name="Ana", age=5, company="Acme"))
        self.assertEqual(got["persona"], "q")
        self.assertIsNone(lead(self.TEXT, event(1, kind="profile", age=5))["persona"])

    def test_a_gate_of_its_own(self):
        stage = [lead(self.TEXT, event(1, kind="profile", country="BR", **who))["stage"]
                 for who in ({"company": "Acme"}, {"name": "Ana"})]
        self.assertEqual(stage, ["mql", "lead"])

    def test_turns(self):
        by_hand = {"by": "x", "reason": "x", "stage": "sql"}
        events = [{**said(n, "adjust", **by_hand), "lead_id": f"l{n}"} for n in range(3)]
        carla = [{**event(9, kind="profile", company="acme"), "lead_id": "c"},
                 {**said(9, "adjust", **by_hand), "lead_id": "c"}]
        owners = [one["owner"] for one in run(self.TEXT, *events[:1], *carla, *events[1:])["promotions"]]
        self.assertEqual(owners, ["Duda", "Carla", "Enzo", "Duda"])


class Merges(unittest.TestCase):
    def merged(self, text, *events):
        return run(text, *events)

    def of(self, lead_id, one):
        return {**one, "lead_id": lead_id}

    def test_scores_add_and_later_events_follow(self):
        got = run(text_of(VISITS), event(1), self.of("m", event(2)), said(1, "merge", into="m"), event(3), event(1))
        self.assertEqual((got["leads"]["m"]["score"], got["leads"]["l"]["merged_into"], got["duplicates"]), (30, "m", 1))
        self.assertEqual(got["leads"]["m"]["stage"], "sql")

    def test_a_cap_holds_for_both_together(self):
        text = text_of(behaviour("id: v, event: visit, points: 1, at_most: {times: 3, per: day}"))
        one = [event(n) for n in range(2)] + [event(9, NOON - DAY)]
        other = [self.of("m", event(n)) for n in range(20, 23)]
        self.assertEqual(run(text, *one, *other, said(1, "merge", into="m"))["leads"]["m"]["score"], 4)

    def test_the_newer_value_of_a_field_wins(self):
        text = text_of(fit("id: f, where: {name: ana}, points: 5"))
        for later, points in ((0, 0), (1, 5)):
            got = run(text, event(1, NOON + later, "profile", name="Ana"),
                      self.of("m", event(2, kind="profile", name="Eva")), said(1, "merge", into="m"))
            self.assertEqual(got["leads"]["m"]["fit"], points)

    def test_the_further_stage_is_adopted_and_never_promoted_again(self):
        got = run(text_of(VISITS), event(1), event(2), self.of("m", event(3, kind="click")), said(1, "merge", into="m"),
                  event(4))
        self.assertEqual((len(got["promotions"]), got["leads"]["m"]["stage"]), (1, "sql"))
        self.assertEqual(changes(got, "m"), [(None, "sql", 1)])

    def test_an_accepted_one_beside_a_rejected_one_begins_a_generation(self):
        other = [self.of("m", one) for one in (event(11), event(12), said(11, "feedback", report="rejected"))]
        got = run(text_of(VISITS), event(1), event(2), said(1, "feedback", report="accepted"), *other,
                  said(2, "merge", into="m"))
        self.assertEqual((got["leads"]["m"]["stage"], got["leads"]["m"]["generation"]), ("accepted", 2))

    def test_chains_cycles_and_itself(self):
        into = [said(1, "merge", into="m"), self.of("m", said(2, "merge", into="n")), event(3)]
        got = run(text_of(VISITS), event(1), *into, self.of("n", said(4, "merge", into="l")), said(5, "merge", into="l"))
        self.assertEqual(got["leads"]["n"]["score"], 20)
        self.assertEqual([reason for _, _, reason in got["dead"]], ["merge_cycle", "merge_into_itself"])

    def test_who_was_merged_is_not_merged_into_again(self):
        cross = [said(1, "merge", into="m"), self.of("m", event(2)), self.of("m", said(3, "merge", into="l"))]
        for after in ([event(4)], [self.of("m", event(4))]):
            got = run(text_of(VISITS), *cross, *after)
            self.assertEqual((got["leads"]["m"]["score"], got["leads"]["l"]), (20, {"lead_id": "l", "merged_into": "m"}))
            self.assertEqual([reason for _, _, reason in got["dead"]], ["merge_cycle"])
        del cross[1]                            # even if nothing was known of either
        got = run(text_of(VISITS), *cross, self.of("m", event(4)), event(5))
        self.assertEqual((got["leads"]["m"]["score"], len(got["dead"])), (20, 1))

    def test_a_lead_that_nothing_is_known_of_gives_its_id_alone(self):
        got = run(text_of(VISITS), said(1, "merge", into="m"))
        self.assertEqual(got["leads"]["l"], {"lead_id": "l", "merged_into": "m"})
        self.assertEqual((got["leads"]["m"]["score"], got["leads"]["m"]["stage"]), (0, "lead"))

    def test_the_same_merge_again_and_a_recheck_of_the_old_id_are_nothing(self):
        got = run(text_of(VISITS), event(1), said(1, "merge", into="m"), said(2, "merge", into="m"),
                  said(3, "recheck", NOON + 900 * DAY))
        self.assertEqual((got["duplicates"], got["dead"], len(got["notices"])), (1, [], 1))
        got = run(text_of(VISITS), event(1), said(1, "merge", into="m"), said(2, "merge", into="n"))
        self.assertEqual((got["duplicates"], got["leads"]["n"]["score"]), (0, 10))

    def test_who_was_erased_does_not_come_back_by_a_merge_from_before(self):
        erased = [self.of("m", event(1)), self.of("m", said(2, "erase", NOON + 5))]
        for time, there in ((NOON + 4, False), (NOON + 5, False), (NOON + 6, True)):
            got = run(text_of(VISITS), *erased, event(3), said(4, "merge", time, into="m"))
            self.assertEqual(("m" in got["leads"], got["ignored"]), (there, not there))

    def test_half_lives_add_at_the_newer_time(self):
        text = text_of(behaviour("id: v, event: visit, points: 10, half_life: 2d"))
        got = run(text, event(1, NOON - 2 * DAY), self.of("m", event(2)), said(1, "merge", into="m"))
        self.assertEqual(got["leads"]["m"]["score"], 15)


class Unite(unittest.TestCase):
    """Lead l is given up for m; what is known of each comes first, and what happens to m afterwards last."""

    TEXT = agreement(behaviour("id: v, event: visit, points: 1", "id: f, event: form_fill, points: 0"),
                     gates="gates: {mql: {score: 1000}, sql: {score: 1000}}\n")
    HAND = said(50, "adjust", NOON + 9 * DAY, by="x", reason="x", stage="sql")

    def united(self, text, of_l, of_m, after=()):
        """What is told of m."""
        events = [*of_l, *[{**one, "lead_id": "m"} for one in of_m], said(99, "merge", into="m"),
                  *[{**one, "lead_id": "m"} for one in after]]
        return run(text, *events)["leads"]["m"]

    def promoted(self, of_l, of_m):
        return self.united(self.TEXT, of_l, of_m, [self.HAND])["promotions"][0]

    def test_channels_by_time_and_at_a_tie_those_of_the_lead_that_stays(self):
        a, b, c = (event(n, NOON + n, channel=f"c{n}") for n in (1, 2, 3))
        tie = event(4, NOON + 2, channel="tie")
        for of_l, of_m, channels in (([a, c], [b], ("c1", "c3")), ([b], [a, c], ("c1", "c3")), ([tie], [b], ("c2", "c2")),
                                     ([], [b], ("c2", "c2")), ([b], [event(5)], ("c2", "c2")),
                                     ([event(5)], [b], ("c2", "c2")), ([a], [c], ("c1", "c3"))):
            got = self.promoted(of_l, of_m)
            self.assertEqual((got["first_channel"], got["last_channel"]), channels)

    def test_touches_and_forms_by_time_and_at_a_tie_those_of_the_lead_that_stays(self):
        forms = [event(n, NOON + n, "form_fill", form=f"f{n}") for n in range(6)]
        tie = event(9, NOON + 3, "form_fill", form="tie")
        got = self.promoted(forms[::2] + [tie], forms[1::2])
        self.assertEqual([form["form"] for form in got["forms"]], ["f5", "f4", "f3", "tie"])
        self.assertEqual([touch["form"] for touch in got["touches"]], ["f5", "f4", "f3", "tie", "f2", "f1", "f0"])
        self.assertEqual(got["conversions"], 7)

    def test_forms_of_one_time_stand_with_the_later_first(self):
        got = self.promoted([], [event(n, NOON, "form_fill", form=f"f{n}") for n in range(3)])
        self.assertEqual([form["form"] for form in got["forms"]], ["f2", "f1", "f0"])
        got = self.promoted([], [event(n, NOON - 7 * n % 5, "form_fill", form=f"f{n}") for n in range(6)])
        self.assertEqual([form["form"] for form in got["forms"]], ["f5", "f0", "f3", "f1"])

    def test_mails_add(self):
        mails = [event(n, kind="email_opened") for n in range(3)]
        self.assertEqual(self.promoted(mails[:1], mails[1:])["mail"]["opened"], 3)

    def test_the_newest_event_of_both_ages_the_points(self):
        text = text_of(behaviour("id: v, event: visit, points: 8, half_life: 2d"))
        later = event(2, NOON + 4 * DAY, "click")
        self.assertEqual(self.united(text, [later], [event(1)])["score"], 2)
        self.assertEqual(self.united(text, [event(1)], [later])["score"], 2)
        self.assertEqual(self.united(text, [event(1, NOON + 2 * DAY)], [event(3), later])["score"], 6)
        self.assertEqual(self.united(text, [event(1)], [event(3, NOON + 2 * DAY), later])["score"], 6)

    def test_buckets_are_filled_by_both(self):
        text = text_of(behaviour("id: v, event: visit, points: 1, at_most: {times: 3, per: day}"))
        today, before = ([event(10 * d + n, NOON - d * DAY) for n in range(4)] for d in (0, 1))
        of_l, of_m = [today[0], before[0]], [today[1], before[1]]
        self.assertEqual(self.united(text, of_l, of_m, today[2:])["score"], 5)
        self.assertEqual(self.united(text, of_l, of_m, before[2:])["score"], 5)
        self.assertEqual(self.united(text, of_l, of_m, [*today[2:], *before[2:]])["score"], 6)
        # A bucket that is older than the two keeps its hits, and is full for ever; so is the other way round.
        old = [event(30 + n, NOON - 2 * DAY) for n in range(2)]
        self.assertEqual(self.united(text, old, today[:2], [event(40, NOON - 2 * DAY), *today[2:]])["score"], 5)
        self.assertEqual(self.united(text, today[:2], old, [event(40, NOON - 2 * DAY), *today[2:]])["score"], 5)
        self.assertEqual(self.united(text, today[:3], today[2:3] + [event(5), event(6)], before[:1])["score"], 4)

    def test_a_window_is_filled_by_both(self):
        text = text_of(behaviour("id: w, event: visit, points: 5, while: {times: 3, within: 2d}"))
        self.assertEqual(self.united(text, [event(1), event(2)], [event(3, NOON - DAY)])["score"], 5)
        self.assertEqual(self.united(text, [event(1), event(2)], [event(3, NOON - 2 * DAY)])["score"], 0)

    REJECTED = said(1, "feedback", report="rejected")

    def test_generations(self):
        text = text_of(VISITS, "recycle: {after: 1d, score: 100}")
        second = [event(1), event(2), self.REJECTED, event(3, NOON + 2 * DAY, "click")]    # mql in generation 2
        got = self.united(text, second, [event(4, kind="click")])
        self.assertEqual((got["stage"], got["generation"]), ("mql", 2))
        got = self.united(text, second, [event(4), event(5)])
        self.assertEqual((got["stage"], got["generation"], len(got["changes"])), ("sql", 2, 2))
        got = self.united(text, [event(4), event(5)], second)
        self.assertEqual((got["stage"], got["generation"], len(got["changes"])), ("sql", 2, 6))

    def test_of_two_equal_stages_nothing_is_told(self):
        got = self.united(text_of(VISITS), [event(1), event(2)], [event(3), event(4)])
        self.assertEqual([one["stage"] for one in got["changes"]], ["mql", "sql"])

    def test_how_both_went_before_is_kept(self):
        lines = ("recycle: {after: 1d, score: 0}",)
        of_l = [event(1), event(2), said(1, "feedback", report="rejected", reason="l"), event(3, NOON + 2 * DAY, "click")]
        of_m = [event(4, NOON - DAY), event(5, NOON - DAY), said(2, "feedback", NOON - DAY, report="rejected", reason="m"),
                event(6, NOON + DAY, "click"), said(3, "feedback", NOON + DAY, report="rejected"),
                event(7, NOON + 3 * DAY, "click")]
        got = self.united(text_of(VISITS, *lines), of_l, of_m)
        self.assertEqual(len(got["promotions"]), 3)
        hand = said(9, "adjust", NOON + 9 * DAY, by="x", reason="x", stage="recycled")
        got = self.united(text_of(VISITS, *lines), of_l, of_m, [hand])
        self.assertEqual([one["reason"] for one in got["promotions"][-1]["earlier"]], [None, None, "l", "m"])


class Erasures(unittest.TestCase):
    def test_nothing_is_left_and_older_events_do_not_bring_it_back(self):
        got = run(text_of(VISITS), event(1), said(1, "erase", NOON + 5), event(2, NOON + 5))
        self.assertEqual((got["leads"], got["ignored"], [n["change"] for n in got["notices"]]), ({}, 1, ["erased"]))
        got = run(text_of(VISITS), event(1), said(1, "erase", NOON + 5), event(2, NOON + 6))
        self.assertEqual((got["leads"]["l"]["score"], got["leads"]["l"]["generation"]), (10, 1))

    def test_a_person_is_erased_under_every_id(self):
        for erased in ("l", "m"):
            got = run(text_of(VISITS), event(1), said(1, "merge", into="m"),
                      {**said(2, "erase", NOON + 5), "lead_id": erased}, event(3), {**event(4), "lead_id": "m"})
            self.assertEqual((got["leads"], got["ignored"], len(got["notices"])), ({}, 2, 3))


class Identities(unittest.TestCase):
    def named(self, identity, *events):
        lines = b"\n".join(json.dumps(e).encode() for e in events)
        return expected(text_of(VISITS), try_records(lines), TRY_OPTIONS._replace(identity=identity), words=ALL)["leads"]

    def test_an_address_in_any_case_and_with_blanks_is_one_person(self):
        forms = [{**event(n, kind="form_fill", fields={"email": value}), "lead_id": f"l{n}"}
                 for n, value in enumerate((" Ana@X.example", "ANA@x.example\t", "\nana@x.example\r"))]
        got = self.named(Identity("email", "none", "p/"), event(7), *forms)
        self.assertEqual({one["merged_into"] for name, one in got.items() if name.startswith("l") and name != "l"},
                         {"p/ana@x.example"})
        self.assertEqual(got["p/ana@x.example"]["conversions"], 3)

    def test_no_address_is_nobody(self):
        for value in (None, "", " \t", 5):
            got = self.named(Identity("email"), event(1, kind="profile", email=value))
            self.assertEqual(set(got), {"l"} if value != 5 else {"l", "5"})

    def test_a_property_keeps_its_case_and_is_hashed_as_it_is(self):
        one = event(1, kind="profile", properties={"account": " Ab "})
        self.assertIn("Ab", self.named(Identity("properties.account"), one))
        hashed = hashlib.sha256(b"Ab").hexdigest()
        self.assertIn("#" + hashed, self.named(Identity("properties.account", "sha256", "#"), one))
        self.assertEqual(set(self.named(Identity("properties.other"), one)), {"l"})

    def test_who_has_the_id_or_had_it_is_not_merged(self):
        form = event(1, kind="form_fill", fields={"email": "m"})
        got = self.named(Identity("email"), {**form, "lead_id": "m"})
        self.assertEqual(got["m"]["conversions"], 1)
        got = self.named(Identity("email"), form, {**event(2), "lead_id": "m"}, {**said(3, "merge", into="n"),
                         "lead_id": "m"}, {**event(4, kind="form_fill", fields={"email": "l"}), "lead_id": "n"})
        self.assertEqual((got["l"]["merged_into"], got["n"]["conversions"]), ("m", 2))

    def test_an_id_that_would_be_too_long_is_none(self):
        for size, there in ((256, True), (257, False)):
            got = self.named(Identity("email"), event(1, kind="profile", email="x" * size))
            self.assertEqual("x" * size in got, there)


class Sweeps(unittest.TestCase):
    def test_who_was_not_seen_is_forgotten_unless_sales_deals_with_it(self):
        recheck = said(1, "recheck", NOON + 10 * DAY)
        lines = ("forget: 10d",)
        self.assertEqual(run(text_of(VISITS, *lines), event(1, kind="click"), recheck)["leads"], {})
        self.assertEqual(lead(*sql(recheck, lines=lines))["score"], 20)
        got = lead(text_of(VISITS, *lines), event(1), recheck)
        self.assertEqual((got["score"], got["stage"], got["generation"]), (0, "lead", 2))
        self.assertEqual([(one["from_stage"], one["stage"], one["generation"], one["score"]) for one in got["changes"]],
                         [("lead", "mql", 1, 10), ("mql", "lead", 2, 10)])

    def test_who_was_forgotten_is_not_forgotten_again(self):
        first = [said(n, "recheck", NOON + 10 * n * DAY) for n in (1, 2)]
        got = run(text_of(VISITS, "forget: 10d"), event(1), *first, event(2, NOON + 30 * DAY))
        self.assertEqual((got["leads"]["l"]["score"], got["leads"]["l"]["generation"], len(got["stages"])), (10, 2, 3))

    def test_of_whom_nothing_is_known_no_gate_opens(self):
        text = agreement(VISITS, "forget: 10d", gates="gates: {mql: {score: 0}, sql: {score: 50}}\n")
        got = run(text, event(1), said(1, "recheck", NOON + 10 * DAY), said(2, "recheck", NOON + 11 * DAY))
        self.assertEqual((got["leads"]["l"]["stage"], got["leads"]["l"]["generation"]), ("lead", 2))

    def test_a_recheck_of_nobody_makes_nobody(self):
        self.assertEqual(run(text_of(VISITS), said(1, "recheck"))["leads"], {})


    def test_who_was_an_mql_by_hand_leaves_a_generation_behind(self):
        hand = said(1, "adjust", by="x", reason="x", stage="mql")
        got = lead(text_of(VISITS, "forget: 10d"), hand, said(2, "recheck", NOON + 10 * DAY))
        self.assertEqual((got["stage"], got["generation"]), ("lead", 2))


class Ignore(unittest.TestCase):
    def test_what_machines_do_is_not_looked_at(self):
        text = text_of(VISITS, "ignore: {user_agents: ['*Monitoring*']}")
        got = run(text, event(1, user_agent="Big MONITORING 1"), event(2, user_agent="Mozilla"))
        self.assertEqual((got["ignored"], got["leads"]["l"]["events"]), (1, 1))
        got = run(text, event(1, kind="profile", user_agent="Big MONITORING 1"))
        self.assertEqual((got["ignored"], got["leads"]["l"]["events"]), (0, 1))

    @unittest.skipUnless(machines.LIST.exists(), "the list of crawlers is not there")
    def test_known_crawlers(self):
        for bots, ignored in (("true", 1), ("false", 0)):
            got = run(text_of(VISITS, f"ignore: {{bots: {bots}}}"), event(1, user_agent="Mozilla/5.0 Googlebot/2.1"),
                      event(2, user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"))
            self.assertEqual(got["ignored"], ignored)


class Order(unittest.TestCase):
    AMOUNTS = ("score", "fit", "behaviour", "events", "conversions")

    def amounts(self, case, records, words, lead_id):
        one = expected(case.agreement, records, TRY_OPTIONS, words=words)["leads"][lead_id]
        return [one[key] for key in self.AMOUNTS]

    def test_points_of_while_do_not_depend_on_the_order_of_arrival(self):
        words, held = frozenset({"while"}), 0
        for seed in range(20):
            case = generate.case(seed, 200, caps=False, decay=False, hostile=False, repeats=False, words=words)
            first = expected(case.agreement, case.records, TRY_OPTIONS, words=words)["leads"]
            shuffled = random.Random(seed).sample(case.records, len(case.records))
            second = expected(case.agreement, shuffled, TRY_OPTIONS, words=words)["leads"]
            for lead_id, one in first.items():
                self.assertEqual([one[key] for key in self.AMOUNTS], [second[lead_id][key] for key in self.AMOUNTS])
                held += any(rule.startswith("w") and points for rule, points in one["rules"].items())
        self.assertGreater(held, 50)

    def test_it_does_not_matter_when_two_ids_are_found_to_be_one(self):
        """Without caps and half-lives, and but for the moment that the merge itself is."""
        words = frozenset({"while", "merges"})
        for seed in range(20):
            case = generate.case(seed, 120, caps=False, decay=False, hostile=False, repeats=False, words=frozenset({"while"}))
            records = list(case.records)
            merge = json.dumps({"kind": "merge", "event_id": "merge", "lead_id": "lead-0", "time": 0, "into": "lead-1"})
            record = records[0]._replace(value=merge.encode())
            places = [records[:place] + [record] + records[place:] for place in (1, 40, 80, len(records))]
            outcomes = {tuple(self.amounts(case, one, words, "lead-1")[:3]) for one in places}
            self.assertEqual(len(outcomes), 1, (seed, outcomes))


class Words(unittest.TestCase):
    def test_what_is_not_in_force_is_not_told(self):
        self.assertEqual(told(frozenset(), lead={"score": 1, "persona": None}), {"score": 1})
        self.assertEqual(told(frozenset({"personas"}), lead={"score": 1, "persona": None}), {"score": 1, "persona": None})


if __name__ == "__main__":
    result = unittest.main(exit=False).result
    bad = len(result.failures) + len(result.errors)
    print(f"{max(0, result.testsRun - bad - len(result.skipped))} passed, {bad} failed, {len(result.skipped)} skipped")
    sys.exit(1 if bad else 0)
