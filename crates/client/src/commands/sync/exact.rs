//! The exact times that a `sync` asks for, and what it says where there are none.

use crate::{
    app::{App, Failure, Link},
    plan::{sync::Wishes, times, walk::Tree},
    ui::table,
};

/// Asks for the exact times of files where the listing told coarse ones, and equal is not enough; says of how many
/// there are none.
pub(super) async fn ask_times(
    app: &App,
    link: &Link,
    here: &Tree,
    there: &mut Tree,
    top: &str,
) -> Result<(), Failure> {
    let asking = app.persist(link, async |session| {
        times::exact(session, here, (there, top), &app.cancel).await
    });
    let exact = asking.await?;
    if !exact.untold.is_empty() {
        app.ui.remark(format!(
            "{} unchanged by times that the server tells to the minute or the day: a change within that, of the \
             same size, is not seen",
            table::count(exact.untold.len() as u64, "file")
        ));
    }
    exact.take(there);
    Ok(())
}

/// Asks for the exact times of files of which it decides whether they are replaced, where `--update` is wished.
pub(super) async fn ask_times_of_open(
    app: &App,
    link: &Link,
    here: &Tree,
    (there, top): (&mut Tree, &str),
    wishes: &Wishes,
) -> Result<(), Failure> {
    let asking = app.persist(link, async |session| {
        let there = (&mut *there, top);
        times::exact_of_open(session, here, there, wishes, &app.cancel).await
    });
    Ok(asking.await?)
}
