//! Which of several names is one on the disk.

use ftp_config::{Right, SharePath};

use super::{Home, ShareError, names};

impl Home {
    /// Tells whether something has this name, be it a link that leads nowhere; without the right to list
    /// nothing has one.
    ///
    /// # Errors
    /// What there is cannot be told: the disk does not answer, or the directory is out of reach. Another name
    /// must not be taken instead.
    pub fn has_name(&self, path: &SharePath) -> Result<bool, ShareError> {
        let asked = self.need(Right::List, path);
        if asked.and_then(|()| names::check(path)).is_err() {
            return Ok(false);
        }
        let holder = self.jail.holder(path);
        let found = holder.and_then(|it| it.map(|it| it.lstat()).transpose());
        match found.map_err(|error| self.explain(path, error)) {
            Ok(_) => Ok(true),
            Err(
                unsure @ (ShareError::Io { .. }
                | ShareError::Denied { .. }
                | ShareError::Outside { .. }),
            ) => Err(unsure),
            Err(_) => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::share::tests::{Bed, path};
    use ftp_config::Rights;

    #[test]
    fn a_link_has_its_name_wherever_it_leads() {
        let bed = Bed::new();
        let home = bed.home(Rights::READ_WRITE, "/");
        symlink("nowhere", bed.disk("broken")).unwrap();
        symlink("/", bed.disk("out")).unwrap();
        let has = |name: &str| home.has_name(&path(name)).ok();
        assert_eq!(home.has_name(&SharePath::root()).ok(), Some(true));
        assert_eq!((has("broken"), has("out")), (Some(true), Some(true)));
        assert_eq!((has("none"), has("none/f")), (Some(false), Some(false)));
        assert_eq!(has("broken/f"), Some(false));
        // What is behind it is nobody's to know.
        assert_eq!(has("out/etc"), None);
        let blind = bed.home(Rights::NONE, "/");
        assert_eq!(blind.has_name(&path("broken")).ok(), Some(false));
    }
}
