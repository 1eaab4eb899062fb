//! What an honest server answers, where no test has taken the line over.

use std::{collections::BTreeMap, io::Read};

use sha2::{Digest, Sha256};

use super::Session;

impl Session {
    /// Answers like an honest server; `false`: goodbye.
    pub(crate) fn answer(&mut self, line: &str) -> bool {
        let (verb, path) = line.split_once(' ').unwrap_or((line, ""));
        let rest = std::mem::take(&mut self.rest);
        match verb {
            "USER" => self.say("331 password"),
            "PASS" => {
                self.logged_in = true;
                self.say("230 in");
            }
            "FEAT" => self.features(),
            "PWD" => self.say("257 \"/\" is here"),
            "EPSV" => {
                let port = self.listen();
                self.say(&format!("229 ok (|||{port}|)"));
            }
            "PASV" => {
                let port = self.listen();
                self.say(&format!("227 ok (127,0,0,1,{},{})", port >> 8, port & 255));
            }
            "REST" => {
                self.rest = path.parse().unwrap();
                self.say("350 ok");
            }
            "SIZE" => match self.content(path) {
                Some(content) => self.say(&format!("213 {}", content.len())),
                None => self.say("550 none"),
            },
            "MDTM" | "MLST" => self.tell(verb, path),
            "RETR" => self.retrieve(path, rest),
            "STOR" => self.store(path, rest),
            "APPE" => {
                let end = self.content(path).map_or(0, |content| content.len());
                self.store(path, end);
            }
            "MLSD" => self.list(path),
            "HASH" => self.hash(path),
            "DELE" | "RMD" | "MKD" | "RNFR" | "RNTO" => self.change(verb, path),
            "QUIT" => {
                self.say("221 bye");
                return false;
            }
            _ => self.say("200 ok"),
        }
        true
    }

    fn features(&mut self) {
        let lines: String = self
            .feat
            .iter()
            .map(|line| format!(" {line}\r\n"))
            .collect();
        self.raw(format!("211-Features\r\n{lines}211 End\r\n").as_bytes());
    }

    pub(crate) fn put(&self, path: &str, content: &[u8]) {
        self.files
            .lock()
            .unwrap()
            .insert(path.to_owned(), content.to_vec());
    }

    pub(crate) fn content(&self, path: &str) -> Option<Vec<u8>> {
        self.files.lock().unwrap().get(path).cloned()
    }

    fn tell(&mut self, verb: &str, path: &str) {
        let dir = format!("{}/", path.trim_end_matches('/'));
        let is_dir = self
            .files
            .lock()
            .unwrap()
            .keys()
            .any(|name| name.starts_with(&dir));
        match (verb, self.content(path), is_dir) {
            ("MDTM", Some(_), _) => self.say("213 20240102030405"),
            ("MLST", Some(content), _) => {
                let size = content.len();
                self.say(&format!(
                    "250-x\r\n type=file;size={size};modify=20240102030405; {path}\r\n250 End"
                ));
            }
            // Without a path it is the directory that the session is in (RFC 3659 §7.2).
            ("MLST", None, _) if path.is_empty() => self.say("250-x\r\n type=cdir; /\r\n250 End"),
            ("MLST", None, true) => self.say(&format!("250-x\r\n type=dir; {path}\r\n250 End")),
            _ => self.say("550 none"),
        }
    }

    pub(crate) fn retrieve(&mut self, path: &str, rest: usize) {
        let Some(content) = self.content(path) else {
            self.say("550 none");
            return;
        };
        self.sends(content.get(rest..).unwrap_or_default());
    }

    pub(crate) fn store(&mut self, path: &str, rest: usize) {
        self.say("150 send it");
        let mut data = self.data();
        let mut bytes = Vec::new();
        let came = data.read_to_end(&mut bytes);
        drop(data);
        let mut files = self.files.lock().unwrap();
        let content = files.entry(path.to_owned()).or_default();
        content.truncate(rest);
        content.extend(bytes);
        drop(files);
        self.say(if came.is_ok() {
            "226 stored"
        } else {
            "426 broken"
        });
    }

    fn list(&mut self, path: &str) {
        let top = format!("{}/", path.trim_end_matches('/'));
        let mut lines = BTreeMap::new();
        for (name, content) in self.files.lock().unwrap().iter() {
            let Some(below) = name.strip_prefix(&top).filter(|below| !below.is_empty()) else {
                continue;
            };
            let line = match below.split_once('/') {
                Some((dir, _)) => (dir.to_owned(), "type=dir;".to_owned()),
                None => (
                    below.to_owned(),
                    format!("type=file;size={};modify=20240102030405;", content.len()),
                ),
            };
            lines.insert(line.0, line.1);
        }
        let lines = lines.iter();
        let text: String = lines
            .map(|(name, facts)| format!("{facts} {name}\r\n"))
            .collect();
        self.sends(text);
    }

    fn hash(&mut self, path: &str) {
        match self.content(path) {
            Some(content) => {
                let digest: String = Sha256::digest(&content)
                    .iter()
                    .map(|byte| format!("{byte:02X}"))
                    .collect();
                self.say(&format!("213 SHA-256 0-{} {digest} {path}", content.len()));
            }
            None => self.say("550 none"),
        }
    }

    fn change(&mut self, verb: &str, path: &str) {
        let mut files = self.files.lock().unwrap();
        let done = match verb {
            "DELE" => files.remove(path).is_some(),
            "RMD" => files.remove(&format!("{path}/")).is_some(),
            "MKD" => files.insert(format!("{path}/"), Vec::new()).is_none(),
            "RNFR" => {
                self.from = Some(path.to_owned());
                files.contains_key(path)
            }
            _ => match self.from.take().and_then(|from| files.remove(&from)) {
                Some(content) => {
                    files.insert(path.to_owned(), content);
                    true
                }
                None => false,
            },
        };
        drop(files);
        match (done, verb) {
            (false, _) => self.say("550 no"),
            (true, "RNFR") => self.say("350 to?"),
            (true, "MKD") => self.say("257 made"),
            (true, _) => self.say("250 done"),
        }
    }
}
