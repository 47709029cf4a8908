/* Clocks that go off once, for one unit, one lead and one clock: what checkpoint.pml leaves out. Owners follow each
   other; that two of them cannot both write is checkpoint.pml's.
   Run:  tests/model/run, or by hand
         spin -a clocks.pml && gcc -DSAFETY -DCOLLAPSE -O2 -w -o pan pan.c && ./pan -E -m1000000
   Seeded mistakes (spin -DBUG_…), each must be found: AHEAD TWICE FORGET UNINDEXED UNCONFIRMED.

   The log: event 0 begins the clock, event 1 is another lead's. The clock is due at DUE; nobody stops it.
   C, the unit's time, goes on where a transaction begins, and stands in the metadata of the commit (k_c).
   Redis: aggregates with C, then the lead, then its place in the index, then the position; each step may be the last.
   A timer in memory is a hint. The lead is in memory or not; a clean one may be evicted.
   Asserted at each commit: told at most once; and once if the clock had begun below K and C has reached DUE. */
#ifndef N
#define N 2
#endif
#ifndef MAXCRASH
#define MAXCRASH 2
#endif
#ifndef MAXABORT
#define MAXABORT 1
#endif
#ifdef BUG_UNCONFIRMED
#define CONFIRMED true
#else
#define CONFIRMED (c == cconf || !live)
#endif
#define DUE 2
#define LAST 3                                            /* the wall clock ends here */

byte now = 1;
byte r_pos = 0, r_c = 0, r_app = 0; bool r_clock = false, r_idx = false;        /* Redis */
byte s_pos = 0, s_c = 0, s_app = 0; bool s_clock = false, s_idx = false;        /* an older state of it */
byte k_off = 0, k_c = 0, told = 0;                        /* Kafka */
byte crash = 0, aborts = 0; bool rolled = false;

bool live, mem, clock, timer, dirty, change;              /* an owner: clock, app: its lead as it is in memory */
byte pos, c, cconf, app, out;
bool flying, copied; byte t_off, t_c, t_out;              /* a transaction; a copy rides on it */
bool copy; byte step, p_pos, p_c; bool p_lead, p_clock, p_idx, p_index;         /* a copy on its way */

inline recover() {
  live = false; mem = false; dirty = false; change = false; flying = false; copied = false; copy = false; out = 0;
  pos = r_pos; c = r_c; cconf = r_c; timer = r_idx }

inline load() { if :: !mem -> mem = true; clock = r_clock; app = r_app :: else fi }

inline fold() {                                           /* the event at pos */
  if
  :: pos == 0 ->
     load();
     if
     :: app > 0 ->                                        /* the lead is further already */
        if :: !live && clock ->
#ifndef BUG_FORGET
              timer = true;
#ifndef BUG_UNINDEXED
              change = true
#else
              skip
#endif
#else
              skip
#endif
           :: else fi
     :: else ->
        clock = true; app = 1; dirty = true; timer = true;
        if :: live && DUE <= c -> out++; timer = false :: else fi
     fi
  :: else
  fi;
  pos++ }

inline take_copy() {
  copy = true; step = 0; p_pos = pos; p_c = c; p_lead = dirty; p_clock = clock;
  p_index = (dirty || change); p_idx = (clock && c < DUE); dirty = false; change = false }

inline land() {                                           /* the transaction is committed */
  k_off = t_off; k_c = t_c; told = told + t_out; flying = false; t_out = 0;
  assert(told <= 1);
  assert(!(k_off > 0 && k_c >= DUE) || told == 1) }

inline go_off() {                                         /* the beginning of a transaction */
  if
  :: timer && now >= DUE && !mem ->
#ifdef BUG_AHEAD
     c = now
#else
     if :: c < DUE - 1 -> c = DUE - 1 :: else fi
#endif
  :: else ->
     if :: timer && mem && clock && c < DUE && now >= DUE -> out++; timer = false; dirty = true
        :: timer && mem && !clock -> timer = false
        :: else fi;
     if :: now > c -> c = now :: else fi
  fi }

init {
  recover(); live = true;
  do
  :: now < LAST -> atomic { now++ }
  :: !rolled && step == 0 && !copy -> atomic { s_pos = r_pos; s_c = r_c; s_app = r_app; s_clock = r_clock; s_idx = r_idx }
  :: crash < MAXCRASH -> atomic {
       crash++; if :: flying && aborts < MAXABORT -> aborts++ :: flying -> land() :: else fi; recover() }
  :: !rolled && crash < MAXCRASH ->                       /* Redis falls back; its owner is fenced */
     atomic { rolled = true; crash++; r_pos = s_pos; r_c = s_c; r_app = s_app; r_clock = s_clock; r_idx = s_idx;
              if :: flying -> land() :: else fi; recover() }
  :: !live && pos < k_off -> atomic { fold() }
  :: !live && pos == k_off ->                             /* K is reached: what is due by its C was told */
     atomic {
#ifdef BUG_TWICE
       load(); if :: clock && c < DUE && k_c >= DUE -> out++ :: else fi;
#endif
       if :: k_c > c -> c = k_c :: else fi; cconf = c;
       if :: timer && c >= DUE -> timer = false :: else fi;
       live = true }
  :: live && pos < N -> atomic { fold() }
  :: live && timer && now >= DUE && !mem -> atomic { load() }
  :: mem && !dirty && !((copy || copied) && p_lead) && !(live && timer && now >= DUE) -> atomic { mem = false }
  :: live && !flying && (pos > k_off || out || c < now) ->
     atomic {
       go_off(); flying = true; copied = false; t_off = pos; t_c = c; t_out = out; out = 0;
       if :: !copy -> take_copy(); copy = false; copied = true :: true -> skip fi }
  :: flying -> atomic { land(); cconf = c; if :: copied -> copied = false; copy = true :: else fi }
  :: flying && aborts < MAXABORT -> atomic { aborts++; recover() }
  :: !copy && !copied && (dirty || change || pos > r_pos) && pos <= k_off && CONFIRMED -> atomic { take_copy() }
  :: copy && step == 0 -> atomic { r_c = p_c; step = 1 }
  :: copy && step == 1 -> atomic { if :: p_lead -> r_clock = p_clock; r_app = p_pos :: else fi; step = 2 }
  :: copy && step == 2 -> atomic { if :: p_index -> r_idx = p_idx :: else fi; step = 3 }
  :: copy && step == 3 -> atomic { r_pos = p_pos; step = 0; copy = false }
  :: now == LAST && live && !flying && !copy && pos == N && k_off == N && k_c == LAST && !out -> break
  od;
  assert(told == 1)
}
