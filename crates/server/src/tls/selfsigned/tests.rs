use super::*;

#[test]
fn a_made_pair_serves_and_its_key_is_private() {
    let dir = tempfile::tempdir().unwrap();
    let (cert, key) = (dir.path().join("a/c.pem"), dir.path().join("a/k.pem"));
    make(&cert, &key, &names_for(&["10.0.0.1".parse().unwrap()])).unwrap();
    let mode = std::fs::metadata(&key).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    crate::tls::load(&cert, &key).unwrap();
    let facts = facts(&cert).unwrap();
    assert_eq!(facts.fingerprint.len(), 32 * 3 - 1);
    assert!(facts.self_signed);
    let days = days_until(facts.not_after_unix, SystemTime::now());
    assert!((3640..=3650).contains(&days), "{days}");
}

#[test]
fn a_certificate_that_cannot_be_written_leaves_the_old_pair_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let (cert, key) = (dir.path().join("c"), dir.path().join("k"));
    let names = ["a".to_owned()];
    let names_there = || std::fs::read_dir(dir.path()).unwrap().count();
    // Nothing can be made under this name.
    let in_the_way = dir.path().join("c.new");
    std::fs::create_dir(&in_the_way).unwrap();
    let error = make(&cert, &key, &names).unwrap_err().to_string();
    assert!(error.contains("write `"), "{error}");
    assert_eq!(names_there(), 1, "no key without its certificate");
    std::fs::remove_dir(&in_the_way).unwrap();
    make(&cert, &key, &names).unwrap();
    std::fs::create_dir(&in_the_way).unwrap();
    make(&cert, &key, &names).unwrap_err();
    crate::tls::load(&cert, &key).unwrap();
    assert_eq!(names_there(), 3);
}

#[test]
fn a_renewed_key_stays_readable_for_the_group_that_could_read_it() {
    let dir = tempfile::tempdir().unwrap();
    let (cert, key) = (dir.path().join("c"), dir.path().join("k"));
    let names = ["a".to_owned()];
    let mode = || std::fs::metadata(&key).unwrap().permissions().mode() & 0o777;
    make(&cert, &key, &names).unwrap();
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o644)).unwrap();
    make(&cert, &key, &names).unwrap();
    assert_eq!(
        mode(),
        0o640,
        "the group keeps what it had, others get nothing"
    );
}

#[test]
fn a_key_of_another_certificate_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    make(&path("c1"), &path("k1"), &["a".to_owned()]).unwrap();
    make(&path("c2"), &path("k2"), &["b".to_owned()]).unwrap();
    let error = crate::tls::load(&path("c1"), &path("k2")).unwrap_err();
    assert!(
        error.to_string().contains("do not serve together"),
        "{error}"
    );
    let hint = crate::error::Error::Tls(error).hint().unwrap();
    assert!(hint.contains("own certificate comes first"), "{hint}");
}

#[test]
fn a_certificate_out_of_its_time_is_warned_of() {
    let days = |from: i64, to: i64| {
        let facts = Facts {
            fingerprint: String::new(),
            subject: String::new(),
            not_before_unix: (1000 + from) * 86_400,
            not_after_unix: (1000 + to) * 86_400,
            self_signed: false,
        };
        facts.warning(UNIX_EPOCH + Duration::from_secs(1000 * 86_400))
    };
    assert_eq!(days(-10, DUE_DAYS), None);
    let told = |from, to| days(from, to).unwrap();
    assert!(told(3, 400).starts_with("the certificate is good only in 3 days"));
    assert_eq!(told(-400, -2), "the certificate expired 2 days ago");
    assert_eq!(told(-400, 5), "the certificate expires in 5 days");
}

#[test]
fn junk_is_not_a_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("junk.pem");
    std::fs::write(&path, "junk").unwrap();
    assert!(
        facts(&path)
            .unwrap_err()
            .to_string()
            .contains("no certificate in it")
    );
}
