//! What a check found, how it is told, and the one line that mends it.

use std::fmt;

use serde::Serialize;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Good,
    /// It works, and somebody should look.
    Warning,
    /// It does not work.
    Fault,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was checked, one word.
    pub check: &'static str,
    /// How it ended.
    pub verdict: Verdict,
    /// What was found.
    pub text: String,
    /// The one line that mends it.
    pub fix: Option<String>,
}

impl Finding {
    pub(super) fn good(check: &'static str, text: impl Into<String>) -> Self {
        Self {
            check,
            verdict: Verdict::Good,
            text: text.into(),
            fix: None,
        }
    }

    pub(super) fn warning(
        check: &'static str,
        text: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            check,
            verdict: Verdict::Warning,
            text: text.into(),
            fix: Some(fix.into()),
        }
    }

    pub(super) fn fault(
        check: &'static str,
        text: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            check,
            verdict: Verdict::Fault,
            text: text.into(),
            fix: Some(fix.into()),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.verdict {
            Verdict::Good => "ok",
            Verdict::Warning => "warn",
            Verdict::Fault => "FAULT",
        };
        write!(f, "{word:<6}{:<9}{}", self.check, self.text)?;
        match &self.fix {
            Some(fix) => write!(f, "\n      fix:     {fix}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_a_line_and_its_fix_another() {
        let fault = Finding::fault("share", "`/x` is not there", "mkdir /x");
        assert_eq!(
            fault.to_string(),
            "FAULT share    `/x` is not there\n      fix:     mkdir /x"
        );
        let json = serde_json::to_string(&Finding::good("room", "much")).unwrap();
        assert_eq!(
            json,
            r#"{"check":"room","verdict":"good","text":"much","fix":null}"#
        );
    }
}
