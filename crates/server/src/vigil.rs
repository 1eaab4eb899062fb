//! How long a station (`engine::stations`) stays awake after its last event, before it lets the
//! processor sleep.
//!
//! Waking a processor that sleeps takes longer than most commands (20 to 50 us on a virtual
//! machine, several of them for a small file), so a station that expects the next event of the server's one
//! busy session within [`LONGEST`] looks for it meanwhile. It learns whether that pays: events that
//! come just after it gave up make its vigils longer, events that come late make them shorter, down
//! to none. Several busy sessions keep a station awake by themselves; one processor at least is
//! always left to others, and a station whose processor was taken away sleeps as everybody does: the
//! machine has other work.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::{
        LazyLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use nix::sys::resource::{UsageWho, getrusage};
use tokio::{sync::Notify, task::yield_now, time::timeout};

/// The longest vigil. A client on the LAN with a quick answer is back within it.
const LONGEST: Duration = Duration::from_micros(200);
/// The first step from no vigil at all.
const SHORTEST: Duration = Duration::from_micros(25);
/// No vigils for this long after the processor was taken away.
const CROWDED: Duration = Duration::from_millis(20);
/// What was made ready for a lone client stays so long behind its last event.
const QUIET: Duration = Duration::from_millis(5);
/// A session is the only busy one when so many events in a row were its own.
const ALONE: u32 = 8;

/// Vigils that may be kept now, over all stations: all processors but one.
static FREE: LazyLock<AtomicUsize> = LazyLock::new(|| {
    AtomicUsize::new(thread::available_parallelism().map_or(0, |count| count.get() - 1))
});

/// The session of the newest event, over all stations.
static NEWEST: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static LAST: Cell<Option<Instant>> = const { Cell::new(None) };
    /// The session of the last events, and how many they were.
    static STREAK: Cell<(u64, u32)> = const { Cell::new((0, 0)) };
    static BELL: RefCell<Option<Rc<Notify>>> = const { RefCell::new(None) };
}

/// Tells the calling thread's station that an event has come, and for which session.
pub(crate) fn note(session: u64) {
    let count = if NEWEST.swap(session, Ordering::Relaxed) == session {
        STREAK.get().1.saturating_add(1)
    } else {
        0
    };
    STREAK.set((session, count));
    if LAST.replace(Some(Instant::now())).is_none() {
        BELL.with_borrow(|bell| bell.iter().for_each(|bell| bell.notify_one()));
    }
}

/// Tells whether the last events of all stations were those of the calling thread's one session.
pub(crate) fn is_alone() -> bool {
    let (session, count) = STREAK.get();
    count >= ALONE && NEWEST.load(Ordering::Relaxed) == session
}

/// Tells whether the calling thread is a station whose session is alone, and will tell of a quiet moment.
pub(crate) fn is_lone_station() -> bool {
    is_alone() && BELL.with_borrow(Option::is_some)
}

/// Keeps the calling thread's vigils, and calls `when_quiet` when nothing has come for [`QUIET`], or when other
/// sessions are busy too; never returns. The event loop polls it beside its sessions.
pub(crate) async fn keep(when_quiet: impl Fn()) -> ! {
    let bell = Rc::new(Notify::new());
    BELL.set(Some(Rc::clone(&bell)));
    let mut span = Span::default();
    let mut crowd = Crowd::default();
    let mut slept_at = Instant::now();
    bell.notified().await;
    loop {
        let now = Instant::now();
        span.learn(now.duration_since(slept_at));
        if !span.0.is_zero()
            && !crowd.is_there(now, times_taken_away())
            && let Some(_right) = Right::take()
        {
            watch(span.0).await;
        }
        LAST.set(None);
        slept_at = Instant::now();
        if !is_alone() || timeout(QUIET, bell.notified()).await.is_err() {
            when_quiet();
            bell.notified().await;
        }
    }
}

/// How often the system has taken the processor away from the calling thread.
fn times_taken_away() -> i64 {
    getrusage(UsageWho::RUSAGE_THREAD).map_or(0, |usage| usage.involuntary_context_switches())
}

/// Looks for events until the last one is `span` ago, or another session is busy too.
async fn watch(span: Duration) {
    let is_due = |last: Instant| last.elapsed() < span;
    while is_alone() && LAST.get().is_some_and(is_due) {
        yield_now().await;
    }
}

/// Whether the machine has other work for this processor.
#[derive(Debug, Default)]
struct Crowd {
    taken_away: i64,
    until: Option<Instant>,
}

impl Crowd {
    /// Learns how often the processor has been taken away.
    fn is_there(&mut self, now: Instant, taken_away: i64) -> bool {
        if self.taken_away != taken_away {
            self.taken_away = taken_away;
            self.until = Some(now + CROWDED);
        }
        self.until.is_some_and(|until| now < until)
    }
}

/// A right to stay awake, given back on drop.
struct Right;

impl Right {
    fn take() -> Option<Self> {
        let less = |free: usize| free.checked_sub(1);
        let taken = FREE.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        taken.is_ok().then_some(Self)
    }
}

impl Drop for Right {
    fn drop(&mut self) {
        FREE.fetch_add(1, Ordering::Relaxed);
    }
}

/// The length of the next vigil.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Span(Duration);

impl Span {
    /// Learns how long the station slept before an event came.
    fn learn(&mut self, slept: Duration) {
        self.0 = if slept > LONGEST {
            self.0 / 2
        } else {
            (self.0 * 2).clamp(SHORTEST, LONGEST)
        };
        if self.0 < SHORTEST {
            self.0 = Duration::ZERO;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const US: fn(u64) -> Duration = Duration::from_micros;

    /// There is one newest event over all threads.
    static IN_TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

    #[test]
    fn quick_clients_make_vigils_longer_and_slow_ones_end_them() {
        let mut span = Span::default();
        let mut after = |slept| {
            span.learn(US(slept));
            span.0
        };
        let grown: Vec<_> = [30, 60, 199, 10, 10].map(&mut after).into();
        assert_eq!(grown, [US(25), US(50), US(100), US(200), US(200)]);
        let shrunk: Vec<_> = [201, 5_000, 5_000, 5_000, 5_000].map(&mut after).into();
        assert_eq!(shrunk, [US(100), US(50), US(25), US(0), US(0)]);
    }

    #[test]
    fn a_processor_that_was_taken_away_is_left_to_others_for_a_while() {
        let (mut crowd, begin) = (Crowd::default(), Instant::now());
        assert!(!crowd.is_there(begin, 0));
        assert!(crowd.is_there(begin, 3));
        assert!(crowd.is_there(begin + CROWDED / 2, 3));
        assert!(!crowd.is_there(begin + CROWDED, 3));
        assert!(crowd.is_there(begin + CROWDED, 4));
    }

    #[tokio::test]
    async fn a_vigil_ends_when_nothing_comes() {
        let _turn = IN_TURN.lock().await;
        (0..=ALONE).for_each(|_| note(1));
        watch(LONGEST).await;
        assert!(LAST.get().is_some_and(|last| last.elapsed() >= LONGEST));
    }

    #[tokio::test]
    async fn a_lone_client_that_is_quiet_is_told_of() {
        let _turn = IN_TURN.lock().await;
        let told = Cell::new(false);
        let client = async {
            (0..=ALONE).for_each(|_| note(1));
            assert!(is_lone_station());
            for _ in 0..1_000 {
                tokio::time::sleep(Duration::from_millis(1)).await;
                if told.get() {
                    return;
                }
            }
        };
        tokio::select! {
            biased;
            never = keep(|| told.set(true)) => match never {},
            () = client => {}
        }
        assert!(told.get());
    }

    #[tokio::test]
    async fn two_busy_sessions_need_no_vigil() {
        let _turn = IN_TURN.lock().await;
        note(2);
        (0..ALONE).for_each(|_| note(1));
        assert!(!is_alone());
        note(1);
        assert!(is_alone());
        note(2);
        // Ends at once, or the test does not.
        watch(Duration::MAX).await;
    }
}
