//! How a listing goes out: at once where it is small, else by a thread of its own.

use std::{net::Shutdown, time::Duration};

use super::Begun;
use crate::{
    code,
    data::{
        inline,
        meter::{Broken, Meter},
        pump::{self, BLOCK},
    },
    protocol::Reply,
    session::Ending,
    verbs::{
        block,
        dial::{Channel, Dial, Moved, Opened, broken_reply},
        goodbye,
        transfer::done,
    },
};

/// Sends a listing; its 226 waits for the client as `goodbye` says.
pub(super) async fn send(
    dial: Dial,
    listing: Begun,
    meter: Meter,
    goodbye: Option<Duration>,
) -> Ending {
    let unread = listing.rows.unread();
    let ending = sent(dial, listing, meter, goodbye).await;
    Ending {
        reply: unread.told(ending.reply),
        ..ending
    }
}

async fn sent(dial: Dial, mut listing: Begun, meter: Meter, goodbye: Option<Duration>) -> Ending {
    let stalled = dial.stalled;
    let channel = match dial.open().await {
        Ok(Opened::Stream(channel)) => channel,
        Ok(Opened::Block(linked)) => {
            let moved = block::send_rows(linked, listing, meter, stalled).await;
            return ending(moved, stalled);
        }
        Err(reply) => return reply.into(),
    };
    let goodbye = goodbye.filter(|_| matches!(channel, Channel::Plain(_)));
    let channel = match channel {
        Channel::Plain(mut socket) if !listing.has_more => {
            match inline::send_block(&mut socket, &listing.text) {
                Ok(sent) if sent == listing.text.len() => {
                    let _ = socket.shutdown(Shutdown::Write);
                    if let Some(limit) = goodbye {
                        goodbye::wait(&socket, &meter.brake, limit).await;
                    }
                    return Reply::new(code::DONE, "Listing sent").into();
                }
                Ok(sent) => drop(listing.text.drain(..sent)),
                Err(_) => {}
            }
            Channel::Plain(socket)
        }
        other => other,
    };
    let moved = on_thread(channel, listing, meter, stalled).await;
    if let (Some(limit), Ok(_), Some(socket)) = (goodbye, &moved.bytes, &moved.linger) {
        goodbye::wait(socket, &moved.meter.brake, limit).await;
    }
    ending(moved, stalled)
}

async fn on_thread(channel: Channel, listing: Begun, meter: Meter, stalled: Duration) -> Moved {
    let Begun {
        mut rows,
        mut text,
        mut has_more,
    } = listing;
    channel
        .on_thread(stalled, meter, move |conduit, meter| {
            if has_more {
                rows.gather_crew();
            }
            pump::send_blocks(conduit, meter, &mut |block| {
                if !text.is_empty() {
                    block.append(&mut text);
                } else if has_more {
                    has_more = rows.fill(block, BLOCK);
                }
                Ok::<(), Broken>(())
            })
        })
        .await
}

fn ending(moved: Moved, stalled: Duration) -> Ending {
    let reply = match moved.bytes {
        Ok(_) => done(moved.is_kept, "Listing sent"),
        Err(broken) => broken_reply(&broken, stalled),
    };
    Ending {
        reply,
        linger: moved.linger,
        spent: None,
        drain: None,
        stored: None,
    }
}
