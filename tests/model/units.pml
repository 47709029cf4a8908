/* Several units in one transaction: what checkpoint.pml leaves out.
   Run:  tests/model/run, or by hand
         spin -a units.pml && gcc -DSAFETY -DCOLLAPSE -O2 -w -o pan pan.c && ./pan -E -m1000000
   Seeded mistakes (spin -DBUG_…), each must be found: RECOVER_ONE with -DMAXABORT=1; LATE_METADATA,
   REPLAY_OFFSET, OPEN_READ, OFFSETS_OUTSIDE.

   Two units (input partitions) with N events each, every event a transition. Two workers; a rebalance hands
   the units out anew in any way, and a worker may go on for a while unaware. One transaction carries the
   transitions and offsets of all units of a worker that are live; units that still fold in silence ride along
   without an offset. A unit may be found fenced at any moment (Redis fell back): it alone is recovered, when
   no transaction of the worker is open. After a transaction that is not confirmed all units are recovered.
   Redis is no more than the position here; the checkpoint's steps and the fence are in checkpoint.pml. */
#ifndef N
#define N 2
#endif
#ifndef MAXREB
#define MAXREB 1
#endif
#ifndef MAXCRASH
#define MAXCRASH 1
#endif
#ifndef MAXFENCE
#define MAXFENCE 1
#endif
#ifndef MAXABORT
#define MAXABORT 0
#endif
#define AT(id,u) ((id)*2+(u))

byte r_pos[2];                                            /* Redis: position folded up to */
byte k_off[2], emitted[4];                                /* Kafka: committed offsets, transitions seen by readers: unit*N + event */
byte gen=1, owner[2];
bool pend[2], lost[2], has[4]; byte off[4], from[4];      /* open transactions: units within, their offsets */
byte reb=0, crash=0, fence=0, aborts=0;

inline finish_unit(id, u) {
  if :: has[AT(id,u)] ->
       assert(off[AT(id,u)] >= k_off[u]);                 /* an offset never goes back */
       k_off[u]=off[AT(id,u)]; j=from[AT(id,u)];
       do :: j < off[AT(id,u)] -> emitted[u*N+j]++; assert(emitted[u*N+j]==1); j++ :: else -> break od;   /* never twice */
       j=0; do :: j < k_off[u] -> assert(emitted[u*N+j]==1); j++ :: else -> break od;                     /* never lost */
       j=0; has[AT(id,u)]=false; off[AT(id,u)]=0; from[AT(id,u)]=0
     :: else fi }
inline finish(id) { finish_unit(id, 0); finish_unit(id, 1); pend[id]=false }
inline forget(id) { pend[id]=false; has[AT(id,0)]=false; has[AT(id,1)]=false; off[AT(id,0)]=0; off[AT(id,1)]=0; from[AT(id,0)]=0; from[AT(id,1)]=0 }
#define OPEN(id,u) (pend[id] && has[AT(id,u)])

#ifdef BUG_REPLAY_OFFSET
#define RIDES(u) (ready[u] && pos[u]!=K[u])
#else
#define RIDES(u) (ready[u] && pos[u]>K[u])
#endif
#ifdef BUG_LATE_METADATA
#define MEMBER true                                       /* metadata taken at the commit: always of the present generation */
#else
#define MEMBER (mygen==gen)
#endif

#ifdef BUG_OFFSETS_OUTSIDE
#define OUTSIDE(u) k_off[u]=pos[u]
#else
#define OUTSIDE(u) skip
#endif

inline ride(id, u) { if :: RIDES(u) -> has[AT(id,u)]=true; off[AT(id,u)]=pos[u]; from[AT(id,u)]=K[u]; tpos[u]=pos[u]; intx[u]=true; OUTSIDE(u)
                        :: else fi }
inline recover(u) {                                       /* claim, stable K, compare */
  pos[u]=r_pos[u];
#ifdef BUG_OPEN_READ
  atomic { !OPEN(1-id,u) -> K[u]=k_off[u]; ready[u]=true };      /* one's own open transaction is overlooked */
#else
  atomic { (!OPEN(0,u) && !OPEN(1,u)) -> K[u]=k_off[u]; ready[u]=true };
#endif
  assert(pos[u] <= K[u]) }
inline confirmed(u) { if :: intx[u] -> K[u]=tpos[u]; intx[u]=false; tpos[u]=0 :: else fi }

proctype Worker(byte id) {
  byte mygen, j, pos[2], K[2], tpos[2]; bool mine[2], ready[2], intx[2], tx;
start:
  atomic { lost[id]=true };
  atomic { (owner[0]==id || owner[1]==id) -> mygen=gen; mine[0]=(owner[0]==id); mine[1]=(owner[1]==id);
           ready[0]=false; ready[1]=false; intx[0]=false; intx[1]=false; tx=false; j=0;
           pos[0]=0; pos[1]=0; K[0]=0; K[1]=0; tpos[0]=0; tpos[1]=0 };
  do
#ifdef BUG_OPEN_READ
  :: (mine[0] && !ready[0]) -> recover(0)
  :: (mine[1] && !ready[1]) -> recover(1)
#else
  :: (mine[0] && !ready[0] && !tx) -> recover(0)
  :: (mine[1] && !ready[1] && !tx) -> recover(1)
#endif
  :: (ready[0] && pos[0] < N) -> pos[0]++                 /* fold one event; silent while pos < K */
  :: (ready[1] && pos[1] < N) -> pos[1]++
  :: (!tx && (RIDES(0) || RIDES(1))) -> atomic {          /* emit: one transaction for all */
       if :: (MEMBER && !pend[id]) -> pend[id]=true; ride(id,0); ride(id,1); lost[id]=false; tx=true
          :: else -> goto start fi }
  :: tx -> atomic {
       if :: pend[id] -> finish(id); confirmed(0); confirmed(1); tx=false
#ifdef BUG_RECOVER_ONE
          :: else -> confirmed(1); intx[0]=false; tpos[0]=0; ready[0]=false; tx=false fi }   /* only the unit that had the promotion */
#else
          :: else -> goto start fi }                      /* aborted or unknown: recover all units */
#endif
  :: atomic { (ready[0] && pos[0]<=K[0] && r_pos[0]<pos[0]) -> r_pos[0]=pos[0] }    /* checkpoint */
  :: atomic { (ready[1] && pos[1]<=K[1] && r_pos[1]<pos[1]) -> r_pos[1]=pos[1] }
  :: atomic { (fence<MAXFENCE && ready[0]) -> fence++; ready[0]=false }      /* Redis fell back; noticed at a touch */
  :: atomic { (fence<MAXFENCE && ready[1]) -> fence++; ready[1]=false }
  :: crash < MAXCRASH -> crash++; goto start
  :: mygen!=gen -> goto start                             /* noticed the rebalance; it may also go on unaware */
  od
}

proctype World() { byte j;
  do
  :: atomic { reb<MAXREB -> reb++; gen++; if :: owner[0]=0 :: owner[0]=1 fi; if :: owner[1]=0 :: owner[1]=1 fi }
  :: atomic { (pend[0] && (aborts<MAXABORT || lost[0] || gen>1)) -> if :: (!lost[0] && gen==1) -> aborts++ :: else fi; forget(0) }
  :: atomic { (pend[1] && (aborts<MAXABORT || lost[1] || gen>1)) -> if :: (!lost[1] && gen==1) -> aborts++ :: else fi; forget(1) }
  :: atomic { pend[0] -> finish(0) }                      /* EndTxn was under way */
  :: atomic { pend[1] -> finish(1) }
  od }

init { atomic { owner[0]=0; owner[1]=0; run Worker(0); run Worker(1); run World() } }
