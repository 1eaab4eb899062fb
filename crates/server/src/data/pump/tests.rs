use std::{
    io::{Read as _, Seek, SeekFrom},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
};

use ftp_config::ByteRate;

use super::*;
use crate::{
    data::Brake,
    share::throttle::{Bucket, Throttle},
};

fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (client, listener.accept().unwrap().0)
}

fn meter(throttle: Throttle) -> Meter {
    Meter {
        brake: Arc::new(Brake::default()),
        moving: None,
        throttle,
    }
}

fn conduit(socket: TcpStream, meter: &Meter, stalled_ms: u64) -> Conduit {
    Conduit::new(
        socket,
        None,
        Duration::from_millis(stalled_ms),
        &meter.brake,
    )
    .unwrap()
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i / 7 % 251) as u8).collect()
}

/// Sends bytes from a file to a client that reads them all.
fn sent(bytes: &[u8], offset: u64, throttle: Throttle) -> (u64, Vec<u8>) {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.seek(SeekFrom::Start(offset)).unwrap();
    let (mut client, server) = pair();
    let reader = thread::spawn(move || {
        let mut all = Vec::new();
        client.read_to_end(&mut all).unwrap();
        all
    });
    let meter = meter(throttle);
    let mut conduit = conduit(server, &meter, 0);
    let sent = send_file(&mut conduit, &file, &meter).unwrap();
    assert_eq!(meter.brake.bytes(), sent);
    meter.brake.release();
    drop(conduit.close());
    (sent, reader.join().unwrap())
}

/// Receives bytes from a client into a file.
fn received(bytes: Vec<u8>, throttle: Throttle) -> (u64, Vec<u8>) {
    received_into(tempfile::tempfile().unwrap(), bytes, throttle)
}

fn received_into(mut file: File, bytes: Vec<u8>, throttle: Throttle) -> (u64, Vec<u8>) {
    let (mut client, server) = pair();
    let writer = thread::spawn(move || client.write_all(&bytes).unwrap());
    let meter = meter(throttle);
    let mut conduit = conduit(server, &meter, 0);
    let received = receive_file(&mut conduit, &file, &meter, &mut |_| Ok(())).unwrap();
    writer.join().unwrap();
    let mut all = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut all).unwrap();
    (received, all)
}

fn limited() -> Throttle {
    Throttle::new(vec![Bucket::new(ByteRate(1 << 30))])
}

#[test]
fn downloads_arrive_whole_with_and_without_zero_copy() {
    let bytes = pattern(3 << 20);
    for throttle in [Throttle::default(), limited()] {
        let (count, all) = sent(&bytes, 1000, throttle);
        assert_eq!(count, (3 << 20) - 1000);
        assert!(all == bytes[1000..]);
    }
}

#[test]
fn uploads_arrive_whole_with_and_without_zero_copy() {
    for throttle in [Throttle::default(), limited()] {
        let bytes = pattern((3 << 20) + 17);
        let (count, all) = received(bytes.clone(), throttle);
        assert_eq!(count, bytes.len() as u64);
        assert!(all == bytes);
    }
}

/// So is every file of a disk that takes nothing from a pipe: EINVAL (splice(2)).
#[test]
fn a_file_that_takes_nothing_from_a_pipe_is_written_all_the_same() {
    let named = tempfile::NamedTempFile::new().unwrap();
    let appending = File::options().read(true).append(true).open(named.path());
    let bytes = pattern((3 << 20) + 17);
    let (count, all) = received_into(appending.unwrap(), bytes.clone(), Throttle::default());
    assert_eq!(count, bytes.len() as u64);
    assert!(all == bytes);
}

#[test]
fn a_client_that_sends_nothing_is_stalled() {
    let (_client, server) = pair();
    let meter = meter(Throttle::default());
    let mut conduit = conduit(server, &meter, 20);
    let file = tempfile::tempfile().unwrap();
    let broken = receive_file(&mut conduit, &file, &meter, &mut |_| Ok(()));
    assert!(matches!(broken, Err(Broken::Stalled)), "{broken:?}");
}

#[test]
fn a_client_that_reads_nothing_is_stalled() {
    let (_client, server) = pair();
    let meter = meter(Throttle::default());
    let mut conduit = conduit(server, &meter, 20);
    let file = tempfile::tempfile().unwrap();
    file.set_len(1 << 30).unwrap();
    let broken = send_file(&mut conduit, &file, &meter);
    assert!(matches!(broken, Err(Broken::Stalled)), "{broken:?}");
}

/// A call that fills the system's buffers and then waits would otherwise put the stall off by the whole limit.
#[test]
fn one_wait_for_a_reader_is_a_small_part_of_the_limit() {
    let (_client, server) = pair();
    let conduit = conduit(server, &meter(Throttle::default()), 1600);
    let limits = (
        conduit.socket.write_timeout().unwrap(),
        conduit.socket.read_timeout().unwrap(),
    );
    let [part, whole] = [100, 1600].map(|ms| Some(Duration::from_millis(ms)));
    assert_eq!(limits, (part, whole));
}

#[test]
fn a_file_that_cannot_be_read_is_not_the_connections_fault() {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(10).unwrap();
    // It refuses each read, as a handle of a disk that has gone does.
    let unread = File::options().append(true).open(file.path()).unwrap();
    let (_client, server) = pair();
    let meter = meter(Throttle::default());
    let broken = send_file(&mut conduit(server, &meter, 0), &unread, &meter).unwrap_err();
    assert!(matches!(&broken, Broken::Disk(_)), "{broken}");

    let (client, server) = pair();
    drop(client);
    let file = tempfile::tempfile().unwrap();
    file.set_len(64 << 20).unwrap();
    let meter = self::meter(Throttle::default());
    let broken = send_file(&mut conduit(server, &meter, 0), &file, &meter).unwrap_err();
    assert!(matches!(&broken, Broken::Network(_)), "{broken}");
}

#[test]
fn a_pull_ends_a_blocked_upload_and_a_blocked_download() {
    for download in [true, false] {
        let (_client, server) = pair();
        let meter = meter(Throttle::default());
        let mut conduit = conduit(server, &meter, 0);
        let file = tempfile::tempfile().unwrap();
        file.set_len(1 << 30).unwrap();
        let brake = Arc::clone(&meter.brake);
        let puller = thread::spawn(move || brake.pull());
        let broken = if download {
            send_file(&mut conduit, &file, &meter)
        } else {
            receive_file(&mut conduit, &file, &meter, &mut |_| Ok(()))
        };
        assert!(matches!(broken, Err(Broken::Aborted)), "{broken:?}");
        puller.join().unwrap();
    }
}

#[test]
fn no_room_ends_an_upload_with_the_shares_words() {
    let (mut client, server) = pair();
    client.write_all(b"abc").unwrap();
    let meter = meter(Throttle::default());
    let mut conduit = conduit(server, &meter, 0);
    let file = tempfile::tempfile().unwrap();
    let full = |_| Err(Broken::Refused(452, "no room".to_owned()));
    let broken = receive_file(&mut conduit, &file, &meter, &mut { full });
    assert!(matches!(broken, Err(Broken::Refused(452, _))), "{broken:?}");
}

/// Sends 64 MiB to a client that sets the limit behind the first one; tells what it got, and how it ended.
fn sent_until_limited(bytes: &[u8], rate: u64) -> (Vec<u8>, bool, Result<u64, Broken>) {
    let bucket = Bucket::new(ByteRate::UNLIMITED);
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    let (mut client, server) = pair();
    // At a byte a second the rest never comes; whoever gives up too early pulls the brake all the same.
    let patience = (rate == 1).then_some(Duration::from_millis(500));
    client.set_read_timeout(patience).unwrap();
    let meter = meter(Throttle::new(vec![Arc::clone(&bucket)]));
    let brake = Arc::clone(&meter.brake);
    let sender = thread::spawn(move || {
        let mut conduit = conduit(server, &meter, 0);
        let sent = send_file(&mut conduit, &file, &meter);
        meter.brake.release();
        drop(conduit.close());
        sent
    });
    let mut all = vec![0; 1 << 20];
    client.read_exact(&mut all).unwrap();
    bucket.set_rate(ByteRate(rate));
    let ended = client.read_to_end(&mut all).is_ok();
    brake.pull();
    (all, ended, sender.join().unwrap())
}

#[test]
fn a_limit_set_meanwhile_is_obeyed_and_loses_no_byte() {
    let bytes = pattern(64 << 20);
    let (all, ended, sent) = sent_until_limited(&bytes, 1 << 40);
    assert!(ended && all == bytes);
    assert_eq!(sent.unwrap(), bytes.len() as u64);
    let (all, ended, sent) = sent_until_limited(&bytes, 1);
    assert!(!ended && matches!(sent, Err(Broken::Aborted)), "{sent:?}");
    assert!(bytes.starts_with(&all));
}

#[test]
fn an_upload_that_is_limited_meanwhile_is_whole() {
    let bytes = pattern(64 << 20);
    let bucket = Bucket::new(ByteRate::UNLIMITED);
    let mut file = tempfile::tempfile().unwrap();
    let (mut client, server) = pair();
    let theirs = bytes.clone();
    let writer = thread::spawn(move || client.write_all(&theirs).unwrap());
    let meter = meter(Throttle::new(vec![Arc::clone(&bucket)]));
    let mut conduit = conduit(server, &meter, 0);
    let mut first = true;
    let mut room = |_: u64| {
        if std::mem::take(&mut first) {
            bucket.set_rate(ByteRate(1 << 40));
        }
        Ok(())
    };
    let received = receive_file(&mut conduit, &file, &meter, &mut room).unwrap();
    writer.join().unwrap();
    assert_eq!(received, bytes.len() as u64);
    let mut all = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut all).unwrap();
    assert!(all == bytes);
}
