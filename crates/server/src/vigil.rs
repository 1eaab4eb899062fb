//! How long a station (`engine::stations`) stays awake after its last event, before it lets the processor sleep.
//!
//! Waking a processor that sleeps takes longer than most commands (20 to 50 us on a virtual
//! machine, several of them for a small file), so a station that expects its next event within
//! [`LONGEST`] looks for it meanwhile. It learns whether that pays: events that come just after it
//! gave up make its vigils longer, events that come late make them shorter, down to none. It ends at
//! once when somebody else wants the processor.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    thread,
    time::{Duration, Instant},
};

use tokio::{sync::Notify, task::yield_now};

/// The longest vigil. A client on the LAN with a quick answer is back within it.
const LONGEST: Duration = Duration::from_micros(200);
/// The first step from no vigil at all.
const SHORTEST: Duration = Duration::from_micros(25);
/// The processor was lent to somebody else when asking for it back took longer than this.
const LENT: Duration = Duration::from_micros(5);

thread_local! {
    static LAST: Cell<Option<Instant>> = const { Cell::new(None) };
    static BELL: RefCell<Option<Rc<Notify>>> = const { RefCell::new(None) };
}

/// Tells the calling thread's station that an event has come.
pub(crate) fn note() {
    if LAST.replace(Some(Instant::now())).is_none() {
        BELL.with_borrow(|bell| bell.iter().for_each(|bell| bell.notify_one()));
    }
}

/// Keeps the calling thread's vigils; never returns. The event loop polls it beside its sessions.
pub(crate) async fn keep() -> ! {
    let bell = Rc::new(Notify::new());
    BELL.set(Some(Rc::clone(&bell)));
    let mut span = Span::default();
    let mut slept_at = Instant::now();
    loop {
        bell.notified().await;
        span.learn(slept_at.elapsed());
        watch(span.0).await;
        LAST.set(None);
        slept_at = Instant::now();
    }
}

/// Looks for events until the last one is `span` ago, or the processor has other work.
async fn watch(span: Duration) {
    let mut now = Instant::now();
    while LAST
        .get()
        .is_some_and(|last| now.duration_since(last) < span)
    {
        yield_now().await;
        let asked = Instant::now();
        thread::yield_now();
        now = Instant::now();
        if now.duration_since(asked) > LENT {
            return;
        }
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

    #[tokio::test]
    async fn a_vigil_ends_when_nothing_comes() {
        watch(LONGEST).await;
        note();
        watch(LONGEST).await;
    }
}
