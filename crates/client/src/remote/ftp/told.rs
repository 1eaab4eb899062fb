//! What a server says of a listing: that there is nothing in it, or that something is missing.

use crate::remote::{Reply, names};

/// Tells whether a refusal means that there is nothing to list. Its text may hold any name.
pub(super) fn is_empty_directory(reply: &Reply, dir: &str) -> bool {
    const EMPTY: [&str; 4] = ["no files", "is empty", "empty directory", "directory empty"];
    const DENIED: [&str; 6] = [
        "denied",
        "permission",
        "no such",
        "not found:",
        "not exist",
        "fail",
    ];
    matches!(reply.code, 450 | 550) && says(reply, dir, &EMPTY) && !says(reply, dir, &DENIED)
}

/// Tells whether a server that praises its listing says too that it left something out (Pure-FTPd: `Output
/// truncated to 10000 matches`; vsftpd: `Transfer done (but failed to open directory).`).
pub(super) fn tells_of_a_lack(reply: &Reply, dir: &str) -> bool {
    const LACKS: [&str; 5] = [
        "truncated",
        "failed to",
        "could not",
        "cannot open",
        "permission denied",
    ];
    says(reply, dir, &LACKS)
}

/// Tells whether one of the phrases is the server's own, and not one of a name: neither in quotes nor in
/// the directory's.
fn says(reply: &Reply, dir: &str, phrases: &[&str]) -> bool {
    let text = reply.lines.join("\n").to_lowercase();
    let mut text: String = text.split('"').step_by(2).collect::<Vec<_>>().concat();
    for name in [dir, names::split(dir).1] {
        let name = names::display(name).to_lowercase();
        if phrases.iter().any(|phrase| name.contains(phrase)) {
            text = text.replace(&name, "");
        }
    }
    phrases.iter().any(|phrase| text.contains(phrase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_of_a_listing_is_not_taken_from_its_names() {
        let empty = |text: &str| is_empty_directory(&Reply::new(550, text), "t/empty no files");
        for text in ["No files found", "No files found.", "Directory is empty"] {
            assert!(empty(text), "{text}");
        }
        for text in [
            "t/empty no files: permission denied",
            "empty no files: busy",
            "\"empty\": busy",
            "No such file or directory: empty",
            "busy",
        ] {
            assert!(!empty(text), "{text}");
        }
        let files = |dir: &str| is_empty_directory(&Reply::new(550, "No files found."), dir);
        assert!(files("e") && files("files") && files("t/i"));
        let could_not = Reply::new(226, "Listing of /t/could not done");
        assert!(!tells_of_a_lack(&could_not, "/t/could not"));
        let lacks = |text: &str| tells_of_a_lack(&Reply::new(226, text), "");
        assert!(lacks("Output truncated to 10000 matches"));
        assert!(lacks("Transfer done (but failed to open directory)."));
        for text in [
            "Transfer complete",
            "Successfully transferred \"/failed to\"",
        ] {
            assert!(!lacks(text), "{text}");
        }
    }
}
