//! What `ftpd user` says of the running server.

use crate::{
    common::{Site, stderr, stdout},
    users::with_password,
};

#[test]
fn whoever_changes_users_is_told_whether_the_running_server_has_it() {
    let site = Site::new("");
    let told = |name: &str| {
        let out = with_password(&site, &["user", "add", name], "pw\n");
        assert_eq!(out.status.code(), Some(0), "{}", stderr(&out));
        (stdout(&out), stderr(&out))
    };
    let (out, err) = told("cat");
    assert!(
        out.contains("no server was found running") && err.is_empty(),
        "{out}{err}"
    );
    let _server = site.start();
    let (out, err) = told("dan");
    assert!(
        out.contains("the running server has taken it over") && err.is_empty(),
        "{out}{err}"
    );
}
