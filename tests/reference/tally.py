"""What the rules of behaviour count: buckets of `at_most`, weights of `half_life`, windows of `while`."""

from datetime import datetime, timedelta, timezone

from decay import ONE, add, decay

COUNT_MAX = (1 << 32) - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_EPOCH_DAY = _EPOCH.toordinal()
_400_YEARS_DAYS = 146_097
_LATE_MS = 250_000_000_000_000      # in the year 9892: from here on, local dates are looked up 400 years earlier


def _local_date(time_ms, zone):
    """(days since 1970, year, month) in the zone. The calendar, weekdays included, repeats every 400 years."""
    cycles = 1 if time_ms >= _LATE_MS else 0
    moment = _EPOCH + timedelta(milliseconds=time_ms - cycles * _400_YEARS_DAYS * 86_400_000)
    local = moment.astimezone(zone)
    return local.toordinal() - _EPOCH_DAY + cycles * _400_YEARS_DAYS, local.year + cycles * 400, local.month


def bucket(time_ms, per, zone):
    if per == "ever":
        return 0
    if per == "hour":
        return time_ms // 3_600_000
    day, year, month = _local_date(time_ms, zone)
    if per == "day":
        return day
    return (day + 3) // 7 if per == "week" else year * 12 + month - 1


class Tally:
    """What one rule has counted for one lead."""
    __slots__ = ("count", "weight", "weight_time", "bucket", "in_bucket", "in_previous", "days")

    def __init__(self):
        self.count = self.weight = self.weight_time = 0
        self.bucket = None
        self.in_bucket = self.in_previous = 0
        self.days = {}                          # while: day → matching events

    def room(self, number, times):
        """Whether a hit in this bucket counts: "yes", "full" or "late". Its bucket is remembered in any case."""
        if self.bucket is None:
            self.bucket = number
        elif number > self.bucket:
            self.in_previous = self.in_bucket if number == self.bucket + 1 else 0
            self.bucket, self.in_bucket = number, 0
        if number == self.bucket:
            if self.in_bucket >= times:
                return "full"
            self.in_bucket += 1
            return "yes"
        if number < self.bucket - 1:
            return "late"
        if self.in_previous >= times:
            return "full"
        self.in_previous += 1
        return "yes"

    def hit(self, time, half_life):
        if half_life is not None:
            self._weigh(time, half_life)
        self.count = min(self.count + 1, COUNT_MAX)

    def _weigh(self, time, half_life):
        if self.count == 0:
            self.weight, self.weight_time = ONE, time
        elif time >= self.weight_time:
            self.weight = add(decay(self.weight, time - self.weight_time, half_life), ONE)
            self.weight_time = time
        else:
            self.weight = add(self.weight, decay(ONE, self.weight_time - time, half_life))

    # --- while

    def in_window(self, rule, today):
        return sum(count for day, count in self.days.items() if today - rule.while_days < day <= today)

    def enter_window(self, rule, day, today):
        """A matching event of this day: "yes" if the rule comes to hold with it, "late", or "no"."""
        if day <= today - rule.while_days:
            return "late"
        before = self.in_window(rule, today)
        self.days[day] = self.days.get(day, 0) + 1
        return "yes" if before == rule.while_times - 1 else "no"

    # --- worth

    def worth(self, rule, now, zone):
        """points × weight, exact, 40 fractional bits."""
        if rule.while_times is not None:
            holds = self.in_window(rule, bucket(now, "day", zone)) >= rule.while_times
            return rule.points * ONE if holds else 0
        if rule.half_life is None:
            return rule.points * self.count * ONE
        return rule.points * decay(self.weight, now - self.weight_time, rule.half_life)

    # --- what two leads that are one person have together

    def unite(self, other, rule):
        """`other` counted under the same rule for a lead that is this one."""
        self._unite_weight(other, rule)
        self.count = min(self.count + other.count, COUNT_MAX)
        for day, count in other.days.items():
            self.days[day] = self.days.get(day, 0) + count
        if rule.per is not None:
            self._unite_buckets(other, rule.times)

    def _unite_weight(self, other, rule):
        if rule.half_life is None or not other.count:
            return
        if not self.count:
            self.weight, self.weight_time = other.weight, other.weight_time
            return
        # Choice: what is beyond a cap leaves the count only; nobody knows what it weighed.
        newer = max(self.weight_time, other.weight_time)
        self.weight = add(decay(self.weight, newer - self.weight_time, rule.half_life),
                          decay(other.weight, newer - other.weight_time, rule.half_life))
        self.weight_time = newer

    def _unite_buckets(self, other, times):
        newest = max((number for number in (self.bucket, other.bucket) if number is not None), default=None)
        if newest is None:
            return
        together = {newest: 0, newest - 1: 0}
        for one in (self, other):
            for number, hits in ((one.bucket, one.in_bucket), (one.bucket - 1, one.in_previous)) \
                    if one.bucket is not None else ():
                if number in together:
                    together[number] += hits
        self.count -= sum(max(0, hits - times) for hits in together.values())
        self.bucket = newest
        self.in_bucket, self.in_previous = min(together[newest], times), min(together[newest - 1], times)
