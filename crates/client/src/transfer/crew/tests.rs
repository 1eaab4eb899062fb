use super::*;
use crate::transfer::flow::Flow;

/// A batch of one file that a worker has taken, and the file.
fn taken() -> (Batch, Job) {
    let send = Send::new(1, "a".into(), "/a".to_owned(), None, Flow::default());
    let batch = Batch {
        queue: Mutex::new(VecDeque::from([Job::Send(send, 1)])),
        workers: AtomicUsize::new(2),
        stop: AtomicBool::new(false),
        wary: false,
        results: Mutex::default(),
    };
    let job = batch.next().unwrap();
    (batch, job)
}

/// Gives sessions to nobody, and breaks off when asked.
struct Broken;

#[async_trait::async_trait]
impl crate::remote::Dial for Broken {
    async fn dial(&self) -> Result<Box<dyn Remote>, crate::error::RemoteError> {
        panic!("no thread")
    }

    fn endpoint(&self) -> String {
        "h:21".to_owned()
    }
}

#[tokio::test]
async fn a_file_whose_worker_breaks_off_is_told() {
    let temp = tempfile::tempdir().unwrap();
    let mut plan = crate::plan::Plan::new(temp.path());
    for name in ["a", "b"] {
        std::fs::write(temp.path().join(name), "content").unwrap();
        let to = format!("/{name}");
        plan.push(Step::send(temp.path().join(name), &to, 7));
    }
    let engine = crate::transfer::Engine::new(
        Arc::new(Broken),
        crate::transfer::Options::default(),
        crate::event::Events::silent(),
        crate::transfer::Cancel::default(),
    );
    let summary = engine.run(plan).await;
    assert_eq!(summary.files, 0);
    assert_eq!(summary.failed.len(), 2);
    let told = summary.failed[0].error.chain();
    assert!(told.contains("broke off"), "{told}");
}

#[test]
fn a_file_that_is_put_back_is_never_left() {
    let (batch, job) = taken();
    assert!(batch.leave() && batch.put_back(job), "the other takes it");
    assert!(batch.next().is_some());

    let (batch, _job) = taken();
    assert!(batch.next().is_none(), "the other has gone home");
    assert!(!batch.leave(), "the last one stays");

    let (batch, job) = taken();
    assert!(batch.leave());
    assert!(batch.next().is_none(), "the other goes home meanwhile");
    assert!(!batch.put_back(job), "so it stays after all");
    assert!(batch.next().is_some() && batch.next().is_none());
}

#[test]
fn a_disk_that_does_not_tell_what_it_lost_is_told_with_the_way_out() {
    let error = any_of(40, 0, &io::Error::from_raw_os_error(28));
    let words = "sync local `d`: any of 40 small files may not be whole, fetch them again with `get --force`: no \
                 space left on device";
    assert_eq!(Error::local("sync", "d", error).chain(), words);
}
