use super::*;

fn refused(code: u16, text: &str) -> RemoteError {
    RemoteError::Refused {
        verb: "STOR".into(),
        path: Some("/in/a\n".into()),
        reply: Reply::new(code, text),
    }
}

#[test]
fn a_login_that_was_accepted_before_is_waited_for() {
    for again in [false, true] {
        let (user, reply) = ("ann".to_owned(), Reply::new(530, "Login incorrect."));
        let error = RemoteError::Login { user, reply, again };
        assert_eq!((error.is_transient(), error.is_unreached()), (again, again));
    }
}

#[test]
fn only_passing_causes_are_tried_again() {
    for code in [421, 425, 426, 450, 451] {
        assert!(refused(code, "x").is_transient(), "{code}");
    }
    for code in [452, 500, 530, 550, 552, 553] {
        assert!(!refused(code, "x").is_transient(), "{code}");
    }
    assert!(refused(530, "Sorry, too many connections").is_too_many());
    assert!(RemoteError::Poisoned.is_transient());
}

#[test]
fn a_refusal_reads_verb_object_cause_and_is_escaped() {
    assert_eq!(
        refused(552, "quota exceeded").to_string(),
        "STOR `/in/a\\n`: 552 quota exceeded"
    );
}
