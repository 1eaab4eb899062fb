//! SITE CHMOD, UTIME, HELP.

use super::facts::set_time;
use crate::{
    code,
    protocol::{Reply, command::Site},
    session::Session,
};

pub(super) async fn site(session: &mut Session, site: Site) -> Result<Reply, Reply> {
    match site {
        Site::Chmod { mode, name } => {
            let path = session.existing(&name).await?;
            let asked = path.clone();
            let set = session
                .on_home(move |home| home.set_mode(&asked, mode))
                .await?;
            session.changed("SITE CHMOD", &path, None);
            let text = match mode & !set {
                0 => "Mode changed".to_owned(),
                _ => format!("Mode changed to {set:o}; set-id and sticky bits are not given"),
            };
            Ok(Reply::new(code::OK, text))
        }
        Site::Utime { time, name } => {
            set_time(session, time, &name).await?;
            Ok(Reply::new(code::OK, "Time changed"))
        }
        Site::Help => Ok(Reply::new(code::HELP, "SITE commands:")
            .line("CHMOD mode name")
            .line("UTIME YYYYMMDDHHMMSS name")
            .line("UTIME name atime mtime ctime UTC")
            .line("HELP")
            .line("End")),
    }
}
