/* The protocol of exactly-once for one unit (input partition), small enough to be checked exhaustively.
   Run:  tests/model/run, or by hand
         spin -a checkpoint.pml && gcc -DSAFETY -DCOLLAPSE -O2 -w -o pan pan.c && ./pan -E -m1000000
   Seeded mistakes (spin -DBUG_…), each must be found: NO_FENCE READ AHEAD NO_APPLIED REGRESS DIGEST_LAST LATE_R,
   KEEP with -DMAXABORT=1; EARLY_MARK;
   with -DMAXEXPIRE=1 -DMAXROLL=0 NO_MARK LATE_MARK NO_REMARK TRUST_MARK.

   One unit with N events; event i belongs to lead i%2 and is a transition: the worst case.
   Two instances may both believe that they own it; one may be stopped and wake up late; Redis may fall back
   to an older state of itself (fail-over); a transaction may end without its owner knowing how; the group's
   offsets may expire.
   Kafka: one transaction carries the transitions of [from,to), the offset, and the digest (here: a count).
   Redis: a checkpoint in steps: digest, lead, lead, position; folding goes on between the steps, and while a
   transaction commits; the copy for a checkpoint is taken when the transaction begins, and sent once it has committed.
   A new unit: R = start with `committed` 0, then K = R in an offsets-only transaction, then `committed` 1, then live;
   whoever takes over a unit that has K and no mark sets the mark first.
   Not modelled here: several units in one transaction (units.pml), agreements, schemas, clocks (clocks.pml). */
#ifndef N
#define N 2
#endif
#ifndef MAXREB
#define MAXREB 1
#endif
#ifndef MAXROLL
#define MAXROLL 1
#endif
#ifndef MAXABORT
#define MAXABORT 0
#endif
#ifndef MAXCRASH
#define MAXCRASH 1
#endif
#ifndef MAXEXPIRE
#define MAXEXPIRE 0
#endif
#ifndef AHEAD_LOADS
#define AHEAD_LOADS 0                                     /* 1: leads are also loaded for batches that are folded later */
#endif
#define NONE 99
#define EXPECTED(l,p) ((l)==0 -> ((p)+1)/2 : (p)/2)
#define FENCED (r_tok!=tok || r_step!=step)

byte r_tok=0, r_step=0, r_pos=NONE, r_dig=0, r_dpos=0, r_cnt[2], r_app[2];   /* Redis */
bool r_com=false, s_com=false;                           /* the mark `committed`: K has been there */
byte s_tok=0, s_step=0, s_pos=NONE, s_dig=0, s_dpos=0, s_cnt[2], s_app[2];   /* an older state of it */
byte k_off=NONE, k_dig=0, emitted[N];                     /* Kafka: committed offset, digest, transitions seen by readers */
byte gen=1, owner=0, tokens=0;
bool pend[2], lost[2]; byte pend_off[2], pend_from[2], pend_dig[2];
byte reb=0, roll=0, crash=0, aborts=0, expired=0;

inline finish(id) {                                       /* the coordinator completes a transaction */
  if :: pend[id] ->
       k_off = pend_off[id]; k_dig = pend_dig[id]; j = pend_from[id];
       do :: j < pend_off[id] -> emitted[j]++; assert(emitted[j]==1); j++ :: else -> break od;   /* never twice */
       j=0; do :: j < k_off -> assert(emitted[j]==1); j++ :: else -> break od;                    /* never lost */
       pend[id]=false
     :: else fi }
#define COPY P=pos; bdig=dig; buf[0]=cnt[0]; buf[1]=cnt[1]; inb[0]=dirty[0]; inb[1]=dirty[1]; dirty[0]=false; dirty[1]=false
#ifdef BUG_NO_FENCE
#define CHECK skip
#else
#define CHECK if :: FENCED -> goto start :: else fi
#endif

#define MAYCRASH if :: crash < MAXCRASH -> crash++; goto start :: true fi

proctype Inst(byte id) {
  byte mygen, tok, step, pos, K, l, j, dig, dpos, P, bdig, ck, tpos; bool tx, com; byte cnt[2], app[2], buf[2]; bool have[2], dirty[2], inb[2];
start:
  atomic { lost[id]=true };
  atomic { owner==id -> mygen=gen; have[0]=false; have[1]=false; dirty[0]=false; dirty[1]=false; inb[0]=false; inb[1]=false; ck=0; tx=false; com=false; tpos=0; pos=0; K=0; step=0; P=0; bdig=0; buf[0]=0; buf[1]=0; cnt[0]=0; cnt[1]=0; app[0]=0; app[1]=0 };
  atomic { tokens++; tok=tokens; r_tok=tok; r_step++; step=r_step; pos=r_pos; dig=r_dig; dpos=r_dpos; com=r_com };   /* claim */
  atomic { (!pend[0] && !pend[1]) -> K=k_off };                                           /* stable offset */
  if :: (pos==NONE && K==NONE) ->                          /* a new unit: its R first, then live */
#ifdef BUG_LATE_R
        pos=0; K=0; goto live
#elif defined(BUG_EARLY_MARK)
        atomic { CHECK; r_pos=0; r_dig=0; r_dpos=0; r_com=true; com=true; r_step++; step++; pos=0 }
#else
        atomic { CHECK; r_pos=0; r_dig=0; r_dpos=0; r_com=false; r_step++; step++; pos=0 }
#endif
     :: (pos==NONE && K!=NONE) -> atomic { CHECK; assert(roll>0); goto stopped }   /* state gone: said only by the owner, only if Redis really lost it */
     :: (pos!=NONE && K==NONE && com) ->                    /* offsets expired: said only if they did */
#ifdef BUG_TRUST_MARK
        K=pos
#else
        atomic { CHECK; assert(expired>0); goto stopped }
#endif
     :: (pos!=NONE && K==NONE && !com) -> assert(pos==0)
     :: else fi;
#ifdef BUG_LATE_MARK
  if :: K==NONE -> K=0; goto live :: else fi;               /* live before K and the mark are there */
#endif
  if :: K==NONE ->
        MAYCRASH;                                          /* the offsets-only transaction of a new unit */
        atomic { if :: (mygen==gen && owner==id && !pend[id]) -> pend[id]=true; pend_off[id]=pos; pend_from[id]=pos; pend_dig[id]=dig; lost[id]=false
                    :: else -> goto start fi };
        atomic { if :: pend[id] -> finish(id); K=pos
                    :: else -> goto start fi };            /* outcome unknown: recover, and see whether K is there */
        MAYCRASH
     :: else ->
#ifdef BUG_NO_REMARK
        goto live                                          /* the mark left to whoever commits first: it may have died */
#endif
        skip fi;
#ifndef BUG_NO_MARK
  if :: !com -> atomic { CHECK; r_com=true; com=true; r_step++; step++ }
     :: else fi;
#endif
live:
  assert(pos <= K && dpos <= K);                           /* Redis never runs ahead of Kafka */
  do
  :: pos < N ->                                            /* fold one event; silent while pos < K */
     l = pos%2;
     if :: !have[l] -> atomic {
#ifndef BUG_READ
          CHECK;
#endif
          cnt[l]=r_cnt[l]; app[l]=r_app[l]; have[l]=true }
        :: else fi;
     atomic {
#ifdef BUG_NO_APPLIED
     cnt[l]++; dirty[l]=true; if :: pos>=dpos -> dig++ :: else fi;
#else
     if :: pos >= app[l] -> cnt[l]++; dirty[l]=true; if :: pos>=dpos -> dig++ :: else fi :: else fi;
#endif
     pos++;
     assert(app[l] > pos || cnt[l] == EXPECTED(l,pos));    /* every event counted once in its lead */
     assert(pos != K || dpos > K || dig == k_dig || k_off != K)   /* the replay equals what was published */
     }
  :: (pos > K && !tx) -> atomic {                          /* emit: begin; a due checkpoint takes its copy here */
       if :: (mygen==gen && owner==id && !pend[id]) -> pend[id]=true; pend_off[id]=pos; pend_from[id]=K; pend_dig[id]=dig; lost[id]=false; tx=true; tpos=pos
          :: else -> goto start fi;
       if :: (ck==0 && (dirty[0]||dirty[1])) -> COPY; ck=9
          :: true fi }
  :: tx -> atomic { if :: pend[id] -> finish(id); K=tpos; tx=false; tpos=0; j=0; if :: ck==9 -> ck=1 :: else fi   /* committed: the copy may be sent */
#ifdef BUG_KEEP
                 :: else -> K=tpos; tx=false; tpos=0; if :: ck==9 -> ck=1 :: else fi fi }   /* aborted: goes on as if nothing had happened */
#else
                 :: else -> goto start fi }                /* aborted or unknown: recover; folding went on meanwhile */
#endif
#ifdef BUG_REGRESS
  :: (pos < K && pos > 0) -> atomic { if :: (mygen==gen && owner==id) -> k_off=pos; K=pos :: else -> goto start fi }
#endif
#ifdef BUG_AHEAD
  :: (ck==0 && (dirty[0]||dirty[1])) ->
#else
  :: (ck==0 && pos<=K && (dirty[0]||dirty[1])) ->          /* checkpoint while silent: a copy, of nothing that Kafka has not committed */
#endif
     atomic { COPY; ck=1 }
#ifdef BUG_DIGEST_LAST
  :: ck==1 -> ck=2
#else
  :: ck==1 -> atomic { CHECK; if :: P>r_dpos -> r_dig=bdig; r_dpos=P :: else fi; r_step++; step++; ck=2 }    /* aggregates first */
#endif
  :: (ck==2 && inb[0]) -> atomic { CHECK; r_cnt[0]=buf[0]; r_app[0]=P; inb[0]=false; r_step++; step++ }
  :: (ck==2 && inb[1]) -> atomic { CHECK; r_cnt[1]=buf[1]; r_app[1]=P; inb[1]=false; r_step++; step++ }
  :: (ck==2 && !inb[0] && !inb[1]) -> atomic { CHECK; r_pos=P; r_step++; step++; ck=0;
#ifdef BUG_DIGEST_LAST
       r_dig=bdig; r_dpos=P;
#endif
       P=0; bdig=0; buf[0]=0; buf[1]=0 }
#ifdef BUG_READ
#define JUDGE skip
#else
#define JUDGE CHECK
#endif
  :: (AHEAD_LOADS && !have[0]) -> atomic { JUDGE; cnt[0]=r_cnt[0]; app[0]=r_app[0]; have[0]=true }   /* asked for by a batch that is */
  :: (AHEAD_LOADS && !have[1]) -> atomic { JUDGE; cnt[1]=r_cnt[1]; app[1]=r_app[1]; have[1]=true }   /* folded long after the answer */
  :: (have[0] && !dirty[0] && !inb[0]) -> have[0]=false    /* evict a clean lead */
  :: (have[1] && !dirty[1] && !inb[1]) -> have[1]=false
  :: crash < MAXCRASH -> crash++; goto start
  :: owner!=id -> goto start                               /* noticed the loss; it may also go on unaware */
  od;
stopped: skip
}

proctype World() { byte j;
  do
  :: atomic { reb<MAXREB -> reb++; gen++; owner=1-owner }
  :: atomic { (pend[0] && (aborts<MAXABORT || owner!=0 || lost[0])) -> pend[0]=false; if :: (owner==0 && !lost[0]) -> aborts++ :: else fi }
  :: atomic { (pend[1] && (aborts<MAXABORT || owner!=1 || lost[1])) -> pend[1]=false; if :: (owner==1 && !lost[1]) -> aborts++ :: else fi }
  :: atomic { pend[0] -> finish(0); j=0 }                  /* EndTxn was under way */
  :: atomic { pend[1] -> finish(1); j=0 }
  :: atomic { roll<MAXROLL -> s_tok=r_tok; s_step=r_step; s_pos=r_pos; s_dig=r_dig; s_dpos=r_dpos; s_com=r_com; s_cnt[0]=r_cnt[0]; s_cnt[1]=r_cnt[1]; s_app[0]=r_app[0]; s_app[1]=r_app[1] }
  :: atomic { roll<MAXROLL -> roll++; r_tok=s_tok; r_step=s_step; r_pos=s_pos; r_dig=s_dig; r_dpos=s_dpos; r_com=s_com; r_cnt[0]=s_cnt[0]; r_cnt[1]=s_cnt[1]; r_app[0]=s_app[0]; r_app[1]=s_app[1] }
  :: atomic { (expired<MAXEXPIRE && k_off!=NONE && !pend[0] && !pend[1]) -> expired++; k_off=NONE; k_dig=0 }
  od }

init { atomic { run Inst(0); run Inst(1); run World() } }
